// What a YAML scalar means: the YAML 1.1 rules of the library that kubectl and argo read with.
//
// libyaml gives texts only; Argo's users rely on `yes`, `0644` and `1_000` meaning what they mean
// there. Measured with sigs.k8s.io/yaml. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::spec {

/// The value of an unquoted scalar without tag. Whole floats come back as ints, as a round trip
/// through JSON makes them. Infinities and NaN come back as floats, which no JSON can hold.
[[nodiscard]] value::Value resolve_plain(std::string_view text);
/// The same, but nullopt for a string.
[[nodiscard]] std::optional<value::Value> resolve_other(std::string_view text);

/// The value of a scalar with a tag such as `tag:yaml.org,2002:int` or `!mine`; unknown tags give
/// strings. Errors: kInvalidManifest when the text doesn't fit the tag.
[[nodiscard]] diag::Result<value::Value> resolve_tagged(std::string_view tag,
                                                        std::string_view text);

/// The text that Argo's AnyString makes of a number, bool or string: 1.50 -> "1.5", 1e21 -> all
/// digits; null, lists and maps give an empty text.
[[nodiscard]] std::string any_string_of(const value::Value& v);

/// The text of a map key that is not a string: "true", "1000", ".inf". Null, lists and maps: error.
[[nodiscard]] diag::Result<std::string> key_text(const value::Value& key);

}  // namespace tiphys::spec
