#include "store/open.h"

#include "store/postgres.h"
#include "store/postgres_address.h"
#include "store/sqlite.h"

namespace tiphys::store {

diag::Result<std::unique_ptr<Store>> open(const std::string& where) {
  return is_postgres_address(where) ? open_postgres(where) : open_sqlite(where);
}

}  // namespace tiphys::store
