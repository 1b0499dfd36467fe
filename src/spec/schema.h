// Which fields an object has and of which types, by the names of Go's structs (`v1alpha1.Template`,
// `v1.Container`).
//
// The tables are text made from the Go sources, so that they can be made anew for another version.
// Pure; the parsed table is built once and then only read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::spec {

/// The type of a field, as code:
///   s string, b bool, i int64, n int32, f float64, A AnyString, I Item, X IntOrString, Q Quantity,
///   T time, D duration, B base64, M number, U anything, E a struct without fields, P parallel
///   steps; `pkg.Type` a struct; a prefix `*` is a pointer, `[]` a list of, `{}` a map of.
using TypeCode = std::string_view;

struct Field {
  std::string_view name;
  TypeCode type;
  bool always = false;  // Go writes it also when it is empty (no `omitempty`, or a struct)
};

/// The fields of a struct in Go's order.
using Fields = std::vector<Field>;

/// The fields of `type`, or null when there is no such struct.
[[nodiscard]] const Fields* fields_of(std::string_view type);
/// The field `name`, or null.
[[nodiscard]] const Field* find_field(const Fields& fields, std::string_view name,
                                      bool ignore_case = false);
/// The struct for manifests of `kind` ("Workflow" -> "v1alpha1.Workflow"); empty when unknown.
[[nodiscard]] std::string_view type_of_kind(std::string_view kind);
/// How Go prints the type in an error: "int64", "[]v1alpha1.Template", "map[string]string".
[[nodiscard]] std::string go_type_name(TypeCode type);
/// The name in `candidates` nearest to `name`, or empty when none is near.
[[nodiscard]] std::string nearest_name(std::string_view name,
                                       const std::vector<std::string_view>& candidates);

}  // namespace tiphys::spec
