// The kinds of objects that an API server has, and the words that people use for them.
//
// As kubectl finds them: by group, version and kind for a manifest; by `pods`, `pod`, `po` or
// `deployments.apps` on a command line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::resource {

struct ObjectType {
  std::string group = {};  // "" for the core
  std::string version = {};
  std::string kind = {};
  std::string plural = {};
  std::string singular = {};
  std::vector<std::string> short_names = {};
  bool is_namespaced = true;
  bool is_own = false;  // the engine's store has them, not a cluster

  [[nodiscard]] std::string api_version() const {
    return group.empty() ? version : group + "/" + version;
  }
  /// Where the API has those of a namespace.
  [[nodiscard]] std::string path(std::string_view name_space) const;
  /// Where it has one of them.
  [[nodiscard]] std::string path(std::string_view name_space, std::string_view name) const;
  /// As kubectl names it: `configmap`, `deployment.apps`.
  [[nodiscard]] std::string title() const;
};

class ObjectTypes {
 public:
  /// Those of before with the same group and kind go first.
  void add(ObjectType type) { types_.push_back(std::move(type)); }
  /// Adds what an API server tells at /api or /apis (APIGroupDiscoveryList); the first version of a
  /// group is its preferred one.
  void add_discovered(const value::Value& groups);

  /// Nullptr when there is none.
  [[nodiscard]] const ObjectType* of_kind(std::string_view api_version,
                                          std::string_view kind) const;
  [[nodiscard]] const ObjectType* of_word(std::string_view word) const;

 private:
  std::vector<ObjectType> types_;
};

/// Argo's kinds, which every engine has in its store, and the ConfigMaps of an engine without a
/// cluster.
[[nodiscard]] ObjectTypes own_types(bool has_cluster);

}  // namespace tiphys::resource
