// Values that the template of a workflowTemplateRef has no place for.
#include <fmt/format.h>

#include <algorithm>

#include "lint/lint.h"
#include "spec/named.h"

namespace tiphys::lint {

using value::List;
using value::Value;

namespace {

std::string listed(const List& allowed) {
  std::string text;
  for (const Value& v : allowed) {
    if (!text.empty()) text += ", ";
    text += v.string_or("");
  }
  return text;
}

}  // namespace

std::vector<OutsideOfEnum> outside_of_enums(const Value& spec, std::string_view name_space,
                                            const FindStored& find_stored) {
  const Value& reference = spec["workflowTemplateRef"];
  if (!reference.is_map() || !find_stored) return {};
  const bool is_cluster = reference["clusterScope"].bool_or(false);
  const char* kind = is_cluster ? "ClusterWorkflowTemplate" : "WorkflowTemplate";
  const std::string_view holder = reference["name"].string_or("");
  const auto referenced = find_stored(kind, is_cluster ? "" : name_space, holder);
  if (!referenced) return {};
  const Value& theirs = (*referenced)["spec"]["arguments"]["parameters"];
  std::vector<OutsideOfEnum> found;
  std::size_t index = 0;
  for (const Value& own : spec["arguments"]["parameters"].list()) {
    const std::size_t at = index++;
    const std::string name(own["name"].string_or(""));
    const List& allowed = spec::named(theirs, name)["enum"].list();
    // One with an enum of its own is held to that.
    if (allowed.empty() || own["enum"].is_list() || !own["value"].is_string()) continue;
    if (std::ranges::find(allowed, own["value"]) != allowed.end()) continue;
    found.push_back({at, name,
                     fmt::format("{} '{}' allows {} for '{}', not '{}'", kind, holder,
                                 listed(allowed), name, own["value"].as_string())});
  }
  return found;
}

}  // namespace tiphys::lint
