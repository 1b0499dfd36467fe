// Opens the store that an address names.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace tiphys::store {

/// `where` is the path of a file (SQLite), or postgresql://... or postgres://... Errors: those of
/// open_sqlite() and open_postgres().
[[nodiscard]] diag::Result<std::unique_ptr<Store>> open(const std::string& where);

}  // namespace tiphys::store
