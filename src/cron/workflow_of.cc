#include "cron/workflow_of.h"

#include <fmt/format.h>

#include <array>

#include "clock/rfc3339.h"
#include "cron/conditions.h"
#include "tag/substitute.h"

namespace tiphys::cron {

namespace {

using value::List;
using value::Map;
using value::Value;

// Who made the CronWorkflow is told of its workflows, too; and the engine that is to run them.
constexpr std::array<std::string_view, 4> kHandedOn = {
    "workflows.argoproj.io/creator", "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
    "workflows.argoproj.io/controller-instanceid"};
constexpr std::string_view kTime = "workflows.argoproj.io/scheduled-time";

std::string text_of(const Value& v) {
  if (v.is_int()) return std::to_string(v.as_int());
  return std::string(v.string_or(""));
}

// Only plain tags of this name: all others are the workflow's own.
std::string filled(const std::string& text, const CronScope& scope) {
  std::string out;
  std::size_t done = 0;
  for (const tag::Tag& t : tag::find_tags(text)) {
    if (t.is_expression || !t.name.starts_with("cronworkflow.")) continue;
    auto v = scope.find(t.name);
    const std::size_t end = text.find("}}", t.offset);
    if (!v || end == std::string::npos) continue;
    if (t.name == "cronworkflow.lastScheduledTime" && v->is_int()) {
      v = clock::rfc3339({v->as_int()});
    }
    out.append(text, done, t.offset - done);
    out += text_of(*v);
    done = end + 2;
  }
  return out.append(text, done);
}

Value filled(const Value& v, const CronScope& scope) {
  if (v.is_string()) return tag::has_tags(v.as_string()) ? filled(v.as_string(), scope) : v;
  if (!tag::has_tags(v)) return v;
  if (v.is_list()) {
    List list;
    for (const Value& element : v.list()) list.push_back(filled(element, scope));
    return list;
  }
  Map map;
  for (const auto& [key, member] : v.map()) map.set(key, filled(member, scope));
  return map;
}

void add_all(Map& map, const Value& more) {
  for (const auto& [key, v] : more.map()) map.set(key, v);
}

Value owner_reference(const Value& cron) {
  return Map{{"apiVersion", "argoproj.io/v1alpha1"},
             {"kind", "CronWorkflow"},
             {"name", cron["metadata"]["name"]},
             {"uid", cron["metadata"]["uid"]},
             {"controller", true},
             {"blockOwnerDeletion", true}};
}

Value made(const Value& cron, Map metadata, const CronScope& scope, clock::Instant scheduled) {
  Map labels;
  for (const std::string_view key : kHandedOn) {
    const Value& v = cron["metadata"]["labels"][key];
    if (!v.is_null()) labels.set(std::string(key), v);
  }
  labels.set(std::string(kLabel), cron["metadata"]["name"]);
  const Value more = filled(cron["spec"]["workflowMetadata"], scope);
  add_all(labels, more["labels"]);
  Map annotations{{std::string(kTime), clock::rfc3339(scheduled)}};
  add_all(annotations, more["annotations"]);
  metadata.set("namespace", cron["metadata"]["namespace"]);
  metadata.set("labels", std::move(labels));
  metadata.set("annotations", std::move(annotations));
  if (more["finalizers"].is_list()) metadata.set("finalizers", more["finalizers"]);
  metadata.set("ownerReferences", List{owner_reference(cron)});
  return Map{{"apiVersion", "argoproj.io/v1alpha1"},
             {"kind", "Workflow"},
             {"metadata", std::move(metadata)},
             {"spec", filled(cron["spec"]["workflowSpec"], scope)}};
}

}  // namespace

std::string name_of_run(std::string_view cron_name, clock::Instant scheduled) {
  return fmt::format("{}-{}", cron_name, scheduled.ns / 1'000'000'000);
}

Value workflow_of(const Value& cron, const Status& status, clock::Instant scheduled) {
  const std::string name = name_of_run(cron["metadata"]["name"].string_or(""), scheduled);
  return made(cron, Map{{"name", name}}, CronScope(cron, status, scheduled), scheduled);
}

Value workflow_by_hand(const Value& cron, const Status& status, clock::Instant now) {
  const std::string prefix = fmt::format("{}-", cron["metadata"]["name"].string_or(""));
  return made(cron, Map{{"generateName", prefix}}, CronScope(cron, status, now), now);
}

std::string_view owner_of(const Value& workflow_metadata) {
  for (const Value& owner : workflow_metadata["ownerReferences"].list()) {
    const bool is_cron = owner["kind"].string_or("") == "CronWorkflow";
    if (is_cron && owner["controller"].bool_or(false)) return owner["uid"].string_or("");
  }
  return "";
}

}  // namespace tiphys::cron
