// Files from and to an object store, by addresses that are signed.
//
// Bytes go from and to files: nothing is held in memory. A request is tried again for some twenty
// seconds when the connection or the server fails. What is fetched is as long as the server said;
// what is sent has its MD5, which the server compares. Messages hold the server and its words,
// never the address. Blocks its thread.
#pragma once

#include <string>

#include "diag/error.h"
#include "step/connection.h"
#include "step/transfer.h"

namespace tiphys::step {

/// An object as the file `path`. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<void> fetch_file(const Transfer& transfer, const Trust& trust,
                                            const std::string& path);

/// The file `path` as the object. Errors: kIo.
[[nodiscard]] diag::Result<void> send_file(const Transfer& transfer, const Trust& trust,
                                           const std::string& path);

}  // namespace tiphys::step
