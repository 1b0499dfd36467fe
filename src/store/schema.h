// The tables of the SQLite store, as numbered migrations (docs/STORE.md).
//
// A store says its version in `PRAGMA user_version`, so that a program knows what to add to an old
// file and keeps its hands off a newer one. Pure data.
#pragma once

#include <cstdint>
#include <span>

namespace tiphys::store {

/// `PRAGMA application_id` of our files from version 2 on: "tiph".
inline constexpr std::int64_t kApplicationId = 0x74697068;

/// Migration N (index N-1) brings a store from version N-1 to N, in one transaction. One that was
/// released is never changed: add another.
[[nodiscard]] std::span<const char* const> migrations();

}  // namespace tiphys::store
