// The store in a PostgreSQL database (14 or newer), for several engines or what outgrows a file.
//
// A commit is one transaction and one round trip, and returns when the server has it on its disk.
// One object for one thread.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace tiphys::store {

/// Opens the store at `url` (postgresql://...), making or migrating its tables as needed. Errors
/// (kIo), each one line and without the password: no library, no server, no right, written by a
/// newer tiphys.
[[nodiscard]] diag::Result<std::unique_ptr<Store>> open_postgres(const std::string& url);

}  // namespace tiphys::store
