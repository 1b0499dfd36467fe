// Packs files and folders into one file, and unpacks them, with the machine's tar, zip and unzip.
//
// Blocks its thread.
#pragma once

#include <string>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::executor {

enum class Archive { kNone, kTar, kZip };

/// How an artifact is packed: tar when it does not say.
[[nodiscard]] Archive archive_of(const value::Value& artifact);

/// Packs the file or folder `path` under its own name into `packed`, tar with gzip. `level` is that
/// of gzip, 0 its default. Errors: kIo.
[[nodiscard]] diag::Result<void> pack(const std::string& path, const std::string& packed,
                                      Archive archive, int level);

/// Unpacks into a folder of `scratch`; its only entry, or else that folder, becomes `place`.
/// Errors: kInvalidManifest when it is no archive, kIo.
[[nodiscard]] diag::Result<void> unpack(const std::string& packed, const std::string& place,
                                        const std::string& scratch, Archive archive);

/// True if the file begins as gzip and tar do.
[[nodiscard]] bool is_packed_by_tar(const std::string& path);

}  // namespace tiphys::executor
