// The default store: one SQLite file in WAL mode with synchronous=FULL, so that a commit survives a
// power cut.
//
// One object for one thread; any number of processes may have the file open.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace tiphys::store {

/// Opens the store at `path`, making or migrating it as needed; a file that is made is its owner's
/// alone (0600). Errors (kIo), each one line: no such folder, not a database, a database of another
/// program, written by a newer tiphys, read-only, disk full, locked for longer than 10 s.
[[nodiscard]] diag::Result<std::unique_ptr<Store>> open_sqlite(const std::string& path);

}  // namespace tiphys::store
