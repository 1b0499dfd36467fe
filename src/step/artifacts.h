// The artifacts of a pod that go between it and an object store, without the engine.
//
// What is packed or unpacked lies in the folder that the containers share meanwhile. Blocks.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "step/http_transfer.h"
#include "step/report.h"
#include "step/transfer.h"

namespace tiphys::step {

/// Those of the variables NAME0, NAME1 ... Errors: kInvalidManifest.
[[nodiscard]] diag::Result<std::vector<Transfer>> transfers_of(const char* name);

/// The certificates that are trusted: those that the engine has told, by their numbers, else those
/// of the image that brought tiphys-step, else of the container's own.
class Trusts {
 public:
  Trusts();
  [[nodiscard]] Trust of(const Transfer& transfer) const;

 private:
  std::vector<std::string> told_;
  std::string file_;
};

/// Output artifacts that have a place in an object store.
struct Sends {
  std::vector<Transfer> transfers;
  Trusts trusts;
};
/// Errors: kInvalidManifest.
[[nodiscard]] diag::Result<Sends> sends_from_environment();

/// Sends what is large, once it is clear that all of the outputs (`others` are paths beside the
/// artifacts) are not small, and tells in `report` what was. Returns the paths of those that go the
/// engine's way: small ones, folders that are not packed, and those that the store did not take,
/// for which `problem` says why.
[[nodiscard]] std::vector<std::string> send_outputs(const Sends& sends,
                                                    const std::vector<std::string>& others,
                                                    Report& report, std::string& problem);

/// Puts the usual certificates of this image where the other containers find them.
void bring_certificates();

/// Fetches, unpacks, and sets its mode. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<void> fetch_artifact(const Transfer& transfer, const Trusts& trusts);

}  // namespace tiphys::step
