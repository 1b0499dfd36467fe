// Label selectors: `a=b,c in (d,e),!f` and LabelSelector objects.
//
// As Kubernetes reads them, for `argo list -l`, configMap and workflow look-ups. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::spec {

using Labels = std::map<std::string, std::string, std::less<>>;

/// One condition on one label. Values are sorted and unique.
struct Requirement {
  enum class Operator {
    kIn,
    kNotIn,
    kEquals,
    kDoubleEquals,
    kNotEquals,
    kExists,
    kDoesNotExist,
    kGreaterThan,
    kLessThan,
  };
  std::string key;
  Operator op = Operator::kExists;
  std::vector<std::string> values = {};

  [[nodiscard]] bool matches(const Labels& labels) const;
  /// As it would be written in a selector: "a in (b,c)".
  [[nodiscard]] std::string to_string() const;
};

/// All its requirements must hold; none means that everything matches.
class Selector {
 public:
  /// Reads the text form. Errors: kInvalidManifest with Kubernetes' text.
  [[nodiscard]] static diag::Result<Selector> parse(std::string_view text);
  /// Reads {matchLabels, matchExpressions}; null and {} match everything. Errors: kInvalidManifest.
  [[nodiscard]] static diag::Result<Selector> from_object(const value::Value& object);

  [[nodiscard]] bool matches(const Labels& labels) const;
  /// Canonical text, sorted by key.
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;
};

/// The labels of an object's `metadata.labels` (or any map of strings).
[[nodiscard]] Labels labels_of(const value::Value& map);

}  // namespace tiphys::spec
