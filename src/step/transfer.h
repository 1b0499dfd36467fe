// What tiphys-step is told to fetch from an object store and to send there: places and addresses.
//
// The address carries its own leave for one object (a signature that runs out), so no key of the
// store enters the pod. It is a secret all the same: whoever has it may do what it says, so it is
// in no message. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"

namespace tiphys::step {

struct Transfer {
  std::string artifact;                   // its name
  std::string path;                       // where it is to lie, or what is to be sent
  std::string url;                        // http or https
  std::vector<std::string> headers = {};  // `name: value`, which are signed, too
  bool is_archive = false;                // tar with gzip; when it is fetched: if it is one
  int level = 0;                          // of gzip; 0: its own default
  int mode = -1;                          // of what was fetched; -1: as it comes
  bool is_mode_for_all = false;           // also for all that is below
  int trusted = -1;  // which of the TIPHYS_TRUSTED_ certificates; -1: the usual
};

/// A line for each field. Errors: kInvalidManifest when it is none.
[[nodiscard]] std::string encode_transfer(const Transfer& transfer);
[[nodiscard]] diag::Result<Transfer> decode_transfer(std::string_view text);

/// Scheme, host and port of an address: all of it that may be shown.
[[nodiscard]] std::string server_of(std::string_view url);

}  // namespace tiphys::step
