// Packs a file or folder as tar with gzip, and unpacks tar, gzipped or not.
//
// Bytes go from file to file. Blocks its thread.
#pragma once

#include <string>

#include "diag/error.h"

namespace tiphys::step {

/// Packs the file or folder `path`, which may be a link, under its own name into `packed`. `level`
/// is that of gzip, 0 its default. Errors: kIo.
[[nodiscard]] diag::Result<void> pack_tar(const std::string& path, const std::string& packed,
                                          int level);

/// Unpacks into `folder`, which is made; nothing is written outside of it. False when it is no
/// archive. Errors: kIo.
[[nodiscard]] diag::Result<bool> unpack_tar(const std::string& packed, const std::string& folder);

}  // namespace tiphys::step
