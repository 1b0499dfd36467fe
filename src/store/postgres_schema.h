// The tables of a PostgreSQL store, as the numbered migrations that make them, in the schema
// `tiphys` of the database.
//
// Texts that people or programs make are bytea, since PostgreSQL's text holds neither NUL nor what
// is no UTF-8; names and states are text. Pure data.
#pragma once

#include <span>

namespace tiphys::store {

/// One text of SQL for each version, from 1; a released one is never changed.
[[nodiscard]] std::span<const char* const> postgres_migrations();

}  // namespace tiphys::store
