// Holds an object to the schema and brings it into Argo's JSON form: parameter values become
// strings, nulls go, items and numbers are kept as they are.
//
// The texts are those that Argo's decoder gives (Go's encoding/json and Kubernetes' strict
// decoding), because users see them in `argo lint`, too. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::spec {

/// What is wrong at a JSON pointer.
struct Flaw {
  std::string pointer;
  std::string message;
  std::string suggestion = {};
  bool is_unknown_field = false;  // the key is wrong, not the value
  bool is_ignored = false;        // Argo passes over it silently
};

/// How to read; the defaults are those of manifests.
struct DecodeStyle {
  bool is_strict = true;     // unknown fields are flaws
  bool ignore_case = false;  // "Name" is taken for "name", as Go's encoding/json does
  bool to_strings = false;   // numbers and bools are taken for strings where a string belongs
  // Write what Go would write: empty fields dropped, or filled in where Go always writes them.
  bool go_form = false;
};

/// The object `v` of struct `type` (see schema.h) in Argo's JSON form. What doesn't fit is left out
/// and told in `flaws`.
[[nodiscard]] value::Value decode_object(const value::Value& v, std::string_view type,
                                         const DecodeStyle& style, std::vector<Flaw>& flaws);

}  // namespace tiphys::spec
