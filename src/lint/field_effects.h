// What tiphys does with each field of a manifest: the one place to change when a feature comes.
//
// The rows name every field that Argo v4.1.2 has in these structs (a test holds them against
// spec/schema_table_argo.cc), so that none is dropped in silence. Pure.
#pragma once

#include <string_view>

namespace tiphys::lint {

enum class FieldEffect {
  kActedOn,
  kPending,  // a run could depend on it, and tiphys does nothing about it: lint and run say so
  kIdle,     // for a cluster's scheduler or its clean-up: a run on one machine ends the same
};

/// The fields of one struct, separated by blanks.
struct FieldEffects {
  std::string_view type;  // as in spec::fields_of()
  std::string_view acted_on;
  std::string_view pending;
  std::string_view idle;
};

/// The row of a struct, or null when its fields are not told apart: then all are acted on, or none
/// is and the field that leads to it is pending.
[[nodiscard]] const FieldEffects* find_effects(std::string_view type);

/// What is done with `field` of a row.
[[nodiscard]] FieldEffect effect_of(const FieldEffects& effects, std::string_view field);

}  // namespace tiphys::lint
