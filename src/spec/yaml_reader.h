// One YAML document to a Value, with the position of every part.
//
// Follows the reader of kubectl and argo (YAML 1.1 scalars, merge keys, duplicate keys refused)
// where it and YAML 1.2 differ. Aliases share what their anchor holds, and how much they may stand
// for is bounded, so that a small file cannot grow without end. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "spec/positions.h"
#include "value/value.h"

namespace tiphys::spec {

struct YamlDocument {
  value::Value value;
  std::shared_ptr<Positions> positions;
};

/// Where the text comes from and how to take it.
struct YamlStyle {
  std::string file;       // for positions only
  int first_line = 1;     // the line of the file at which the text begins
  bool is_strict = true;  // a duplicate key is an error; else the last one wins
};

/// Reads the first document of `text`; an empty one gives null.
///
/// Errors: kInvalidManifest, `yaml: ...` with the place. Of several duplicate keys the first is
/// told. Parts that stand behind an alias have the position of the alias.
[[nodiscard]] diag::Result<YamlDocument> read_yaml(std::string_view text, const YamlStyle& style);

}  // namespace tiphys::spec
