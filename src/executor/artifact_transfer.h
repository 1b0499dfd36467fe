// Sends and fetches http artifacts, packing and unpacking them with tar as Argo's executor does.
//
// Blocks its thread for up to five minutes; secrets never appear in messages.
#pragma once

#include <string>

#include "diag/error.h"
#include "executor/executor.h"
#include "value/value.h"

namespace tiphys::executor {

struct TransferSettings {
  const Lookup& lookup;
  std::string name_space;
  std::string scratch;  // a folder for packed files
};

/// GETs `artifact.http` into `place`; a tar archive (gzip or not) is unpacked unless `archive.none`
/// is given. Errors: kNotFound for status 404, kIo.
[[nodiscard]] diag::Result<void> fetch_artifact(const value::Value& artifact,
                                                const std::string& place,
                                                const TransferSettings& settings);

/// PUTs the file or folder `path` to `artifact.http`, packed with tar and gzip when `is_archived`.
/// Errors: kIo.
[[nodiscard]] diag::Result<void> send_artifact(const value::Value& artifact,
                                               const std::string& path, bool is_archived,
                                               const TransferSettings& settings);

}  // namespace tiphys::executor
