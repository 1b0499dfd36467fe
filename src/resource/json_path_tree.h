// What a JSONPath template is made of. Inside of this folder only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "diag/error.h"
#include "resource/json_path.h"
#include "value/value.h"

namespace tiphys::resource {

struct PathStep;
using Path = std::vector<PathStep>;

struct FieldStep {
  std::string name;
};
struct WildcardStep {};
/// The value and all that is in it.
struct DescentStep {};
struct SliceStep {
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;
  std::optional<std::int64_t> by;
  bool is_index = false;  // only `from`
};
struct UnionStep {
  std::vector<Path> paths;
};
struct FilterStep {
  Path left;
  std::string comparison;  // "": whether `left` gives anything
  Path right;
};
/// Text, a number or a bool that stands for itself.
struct ConstantStep {
  value::Value value;
};

struct PathStep {
  std::variant<FieldStep, WildcardStep, DescentStep, SliceStep, UnionStep, FilterStep, ConstantStep>
      what;
};

/// One expression in braces, text between them, or what is repeated for each result of one.
struct JsonPath::Part {
  Path path;
  std::vector<std::unique_ptr<Part>> repeated = {};
  bool is_range = false;
};
using Parts = std::vector<std::unique_ptr<JsonPath::Part>>;

[[nodiscard]] diag::Result<Parts> parse_json_path(std::string_view text);

}  // namespace tiphys::resource
