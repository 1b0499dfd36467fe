// Templates: found by name, reference or inline; their type, inputs, time limits and metrics.
#include <fmt/format.h>

#include <algorithm>

#include "clock/go_duration.h"
#include "lint/validator.h"
#include "spec/schema.h"

namespace tiphys::lint {

using value::Value;

namespace {

constexpr std::string_view kTypes =
    "choose one of: container, containerSet, steps, script, resource, dag, suspend, template, "
    "template ref";

/// A path without `.`, `..` and double slashes, as Go's filepath.Clean makes it.
std::string clean_path(std::string_view path) {
  const bool is_absolute = path.starts_with('/');
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part != ".." || (!is_absolute && (parts.empty() || parts.back() == ".."))) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out = is_absolute ? "/" : "";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += '/';
    out += parts[i];
  }
  return out.empty() ? "." : out;
}

/// False if `..` leads out of the folder in front of it.
bool stays_below(std::string_view path) {
  std::size_t end = path.find("/../");
  if (end == std::string_view::npos && path.ends_with("/..")) end = path.size() - 3;
  if (end == std::string_view::npos || end == 0) return true;
  const std::string safe = std::string(path.substr(0, end)) + "/";
  const std::string cleaned = clean_path(path);
  return cleaned.starts_with(safe) && cleaned.size() > safe.size();
}

bool is_metric_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    const bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (!is_letter && c != '_' && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

}  // namespace

bool Validator::template_type(const Resolved& found, const std::string& prefix) {
  static constexpr std::string_view kFields[] = {"container", "containerSet", "steps",   "script",
                                                 "resource",  "dag",          "suspend", "data",
                                                 "http",      "plugin"};
  int count = 0;
  for (const std::string_view field : kFields) count += found.body[field].is_null() ? 0 : 1;
  if (count == 1) return true;
  const std::string_view what =
      count == 0 ? "template type unspecified" : "multiple template types specified";
  report(found.place,
         fmt::format("{}templates.{} {}. {}", prefix, text(found.body, "name"), what, kTypes));
  return false;
}

bool Validator::pod_resources(const std::string& prefix, const Value& resources, const Place& at) {
  if (!resources["claims"].list().empty()) {
    report(at.at("claims"), prefix + ".claims is not supported for pod-level resources");
    return false;
  }
  for (const char* side : {"limits", "requests"}) {
    for (const auto& [name, amount] : resources[side].map()) {
      if (name == "cpu" || name == "memory" || name.starts_with("hugepages-")) continue;
      report(at.at(side).at(name),
             fmt::format("{}: \"{}\" is not a valid pod-level resource, only cpu, memory and "
                         "hugepages-* are supported",
                         prefix, name));
      return false;
    }
  }
  return true;
}

bool Validator::artifact_path(const Value& artifact, const std::string& error_prefix,
                              const Place& at) {
  const std::string_view name = text(artifact, "name");
  const std::string_view path = text(artifact, "path");
  if (path.empty()) {
    report(at, fmt::format("{}: Artifact '{}' did not specify a path", error_prefix, name));
    return false;
  }
  if (stays_below(path)) return true;
  report(at.at("path"), fmt::format("{}: Artifact '{}' attempted to use a path containing '..'. "
                                    "Directory traversal is not permitted",
                                    error_prefix, name));
  return false;
}

void Validator::artifact_location(const std::string& error_prefix, const Value& artifact,
                                  const Place& at) {
  if (artifact["git"].is_map() && text(artifact["git"], "repo").empty()) {
    report(at.at("git"), error_prefix + ".git.repo is required");
  }
  const Value& hdfs = artifact["hdfs"];
  if (!hdfs.is_map()) return;
  if (hdfs["addresses"].list().empty()) {
    report(at.at("hdfs"), error_prefix + ".hdfs.addresses is required");
  } else if (text(hdfs, "path").empty()) {
    report(at.at("hdfs"), error_prefix + ".hdfs.path is required");
  } else if (!text(hdfs, "path").starts_with('/')) {
    report(at.at("hdfs"), error_prefix + ".hdfs.path must be a absolute file path");
  }
}

void Validator::inputs(const Resolved& found, const std::string& prefix, Names& scope) {
  const std::string owner = fmt::format("{}templates.{}", prefix, text(found.body, "name"));
  const Value& inputs = found.body["inputs"];
  const Place at = found.place.at("inputs");
  const bool is_leaf = is_leaf_type(template_type_of(found.body));
  names(owner + ".inputs.parameters", inputs["parameters"], at.at("parameters"), true);
  names(owner + ".inputs.artifacts", inputs["artifacts"], at.at("artifacts"), true);
  for (const Value& p : inputs["parameters"].list()) {
    scope.add(fmt::format("inputs.parameters.{}", text(p, "name")));
    scope.add("inputs.parameters");
  }
  std::size_t i = 0;
  for (const Value& a : inputs["artifacts"].list()) {
    const Place place = at.at("artifacts", i++);
    const std::string name = fmt::format("inputs.artifacts.{}", text(a, "name"));
    scope.add(name);
    if (is_leaf) {
      scope.add(name + ".path");
      artifact_path(a, fmt::format("{}error in {}.{}", prefix, owner.substr(prefix.size()), name),
                    place);
    } else if (!text(a, "path").empty()) {
      report(place.at("path"),
             fmt::format("{}.{}.path only valid in container/script templates", owner, name));
    }
    if (!text(a, "from").empty()) {
      report(place.at("from"), fmt::format("{}.{}.from not valid in inputs", owner, name));
    }
    artifact_location(fmt::format("{}.{}", owner, name), a, place);
  }
}

void Validator::metrics(const Resolved& found, const std::string& prefix) {
  const Place at = found.place.at("metrics");
  const std::string owner = fmt::format("{}templates.{}", prefix, text(found.body, "name"));
  std::size_t i = 0;
  for (const Value& metric : found.body["metrics"]["prometheus"].list()) {
    const Place place = at.at("prometheus", i++);
    const std::string_view name = text(metric, "name");
    if (!is_metric_name(name)) {
      report(place, fmt::format("{} metric name '{}' is invalid. Metric names must contain "
                                "alphanumeric characters or '_'",
                                owner, name));
    }
    for (const Value& label : metric["labels"].list()) {
      if (is_metric_name(text(label, "key"))) continue;
      report(place.at("labels"), fmt::format("{}metric label '{}' is invalid: keys may only "
                                             "contain alphanumeric characters or '_'",
                                             prefix, text(label, "key")));
    }
    if (text(metric, "help").empty()) {
      report(place, fmt::format("{} metric '{}' must contain a help string under 'help: ' field",
                                owner, name));
    }
    for (const char* kind : {"gauge", "counter", "histogram"}) {
      if (!metric[kind].is_map() || !text(metric[kind], "value").empty()) continue;
      report(place.at(kind),
             fmt::format("{} metric '{}' error: missing {}.value", owner, name, kind));
    }
    const Value& gauge = metric["gauge"];
    if (gauge["realtime"].bool_or(false) &&
        text(gauge, "value").find("resourcesDuration.") != std::string_view::npos) {
      report(place.at("gauge"), fmt::format("{} metric '{}' error: 'resourcesDuration.*' metrics "
                                            "cannot be used in real-time",
                                            owner, name));
    }
  }
}

void Validator::timeouts(const Resolved& found, const std::string& prefix) {
  const std::string_view type = template_type_of(found.body);
  const bool is_leaf = is_leaf_type(type);
  const std::string_view timeout = text(found.body, "timeout");
  if (!timeout.empty()) {
    if (!is_leaf) {
      report(found.place.at("timeout"),
             fmt::format("{}{} template doesn't support timeout field", prefix, type));
    } else if (clock::parse_go_int(timeout)) {
      report(found.place.at("timeout"), fmt::format("{}{} has invalid duration format in timeout",
                                                    prefix, text(found.body, "name")));
    }
  }
  if (!text(found.body, "pendingTimeout").empty() && !is_leaf) {
    report(found.place.at("pendingTimeout"),
           fmt::format("{}{} template doesn't support pendingTimeout field", prefix, type));
  }
}

void Validator::body(const Resolved& processed, const std::string& prefix, Names& scope) {
  const std::string_view type = template_type_of(processed.body);
  if (type == "Steps") {
    steps(processed, prefix, scope);
  } else if (type == "DAG") {
    dag(processed, prefix, scope);
  } else {
    leaf(processed, prefix, scope);
  }
  outputs(processed, prefix, scope);
  if (processed.body["archiveLocation"].is_map()) {
    artifact_location(
        fmt::format("{}templates.{}.archiveLocation", prefix, text(processed.body, "name")),
        processed.body["archiveLocation"], processed.place.at("archiveLocation"));
  }
  metrics(processed, prefix);
}

/// The body, and those below it that had to wait.
void Validator::bodies(const Resolved& processed, const std::string& prefix, Names& scope) {
  if (nesting_ == kNestingMax) {
    deferred_.push_back({processed, std::move(scope)});
    return;
  }
  ++nesting_;
  body(processed, prefix, scope);
  // The names of a hundred callers in front of a message would only hide it.
  for (; nesting_ == 1 && !deferred_.empty(); deferred_.pop_front()) {
    body(deferred_.front().processed, "", deferred_.front().scope);
  }
  --nesting_;
}

void Validator::validate_template(const Resolved& found, const Supplied& supplied,
                                  const std::string& prefix) {
  if (!template_type(found, prefix)) return;
  const std::string name(text(found.body, "name"));
  const std::string_view type = template_type_of(found.body);
  if (found.body["podResources"].is_map()) {
    const std::string owner = fmt::format("{}templates.{}.podResources", prefix, name);
    const Place at = found.place.at("podResources");
    if (type == "HTTP" || type == "Plugin") {
      report(at, fmt::format("{} is not supported for {} templates", owner, type));
    } else {
      pod_resources(owner, found.body["podResources"], at);
    }
  }
  Names scope;
  inputs(found, prefix, scope);
  for (const Value& c : found.body["initContainers"].list()) {
    if (!text(c, "name").empty()) continue;
    report(found.place.at("initContainers"),
           prefix + "initContainers must all have container name");
  }
  if (is_pod_type(type)) scope.add("pod.name");
  if (found.body["retryStrategy"].is_map()) {
    for (const char* key : {"retries", "lastRetry.exitCode", "lastRetry.status",
                            "lastRetry.duration", "lastRetry.message"}) {
      scope.add(key);
    }
  }
  auto processed = process_arguments(found, supplied, prefix, scope);
  if (!processed) return;
  const Resolved now{std::move(*processed), found.place};
  if (!now.body["resourceClaims"].list().empty() && !is_pod_type(type)) {
    report(found.place.at("resourceClaims"),
           fmt::format("{}templates.{}.resourceClaims is not supported for {} templates, which do "
                       "not create a pod",
                       prefix, name, type));
  }
  timeouts(now, prefix);
  if (!validated_.insert(found.place.base->scope() + "/" + name).second) return;
  bodies(now, prefix, scope);
}

std::optional<Resolved> Validator::resolve(const Value& holder, const Place& at,
                                           const std::string& prefix, bool& is_sound) {
  is_sound = false;
  const Value& ref = holder["templateRef"];
  const std::string name(text(holder, "template"));
  const auto refuse = [&](const Place& place, std::string message) {
    report(place, prefix + std::move(message));
    return std::nullopt;
  };
  const bool is_inline = holder["inline"].is_map();
  std::string ignored;
  // A name beside it has no effect, but has to be known.
  if (is_inline && (ref.is_map() || name.empty() || at.base->find_template(name, ignored))) {
    is_sound = true;
    return Resolved{holder["inline"], at.at("inline")};
  }
  BasePointer base = at.base;
  std::string wanted = name;
  if (ref.is_map()) {
    const std::string holder_name(text(ref, "name"));
    wanted = text(ref, "template");
    const Place ref_at = at.at("templateRef");
    if (!name.empty()) return refuse(ref_at, "template name cannot be specified with templateRef");
    if (holder_name.empty()) return refuse(ref_at, "resource name is required");
    if (wanted.empty()) return refuse(ref_at, "template name is required");
    for (const std::string& part : {holder_name, wanted}) {
      if (part.find("{{") == std::string::npos && part.find("__argo__") == std::string::npos) {
        continue;
      }
      is_sound = true;  // known only when it runs
      return std::nullopt;
    }
    base = find_base(
        ref["clusterScope"].bool_or(false) ? "ClusterWorkflowTemplate" : "WorkflowTemplate",
        holder_name);
    std::string pointer;
    const Value* body = base ? base->find_template(wanted, pointer) : nullptr;
    if (body == nullptr) {
      return refuse(ref_at, fmt::format("template reference {}.{} not found", holder_name, wanted));
    }
    is_sound = true;
    return Resolved{*body, {base, pointer}};
  }
  if (wanted.empty()) return refuse(at, "failed to get a template");
  std::string pointer;
  const Value* body = base->find_template(wanted, pointer);
  if (body == nullptr) {
    std::string near;
    if (findings_.size() < kSuggestionsMax) near = base->nearest_template(wanted);
    report(at.at("template"), fmt::format("{}template name '{}' undefined", prefix, wanted),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    return std::nullopt;
  }
  is_sound = true;
  return Resolved{*body, {base, pointer}};
}

std::optional<Resolved> Validator::holder(const Value& holder, const Place& at,
                                          const Supplied& supplied, const std::string& prefix,
                                          bool& is_sound) {
  std::optional<Resolved> found = resolve(holder, at, prefix, is_sound);
  if (!found) return std::nullopt;
  if (template_type_of(found->body).empty()) {
    report(found->place,
           fmt::format("{}template '{}' type is unknown", prefix, text(found->body, "name")));
    is_sound = false;
    return found;
  }
  const std::string_view policy = text(found->body["retryStrategy"], "retryPolicy");
  static const std::vector<std::string_view> kPolicies = {"Always", "OnError", "OnFailure",
                                                          "OnTransientError"};
  if (!policy.empty() && std::ranges::find(kPolicies, policy) == kPolicies.end()) {
    const std::string near = spec::nearest_name(policy, kPolicies);
    report(found->place.at("retryStrategy").at("retryPolicy"),
           fmt::format("{}{} is not a valid RetryPolicy", prefix, policy),
           near.empty() ? "want Always, OnError, OnFailure or OnTransientError"
                        : fmt::format("did you mean \"{}\"?", near));
  }
  validate_template(*found, supplied, prefix);
  return found;
}

}  // namespace tiphys::lint
