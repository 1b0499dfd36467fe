#include "kube/resource_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "executor/outputs.h"
#include "kube/pod_spec.h"
#include "kube/resource_texts.h"
#include "net/http_text.h"
#include "resource/json_path.h"
#include "spec/node_id.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using executor::Outcome;
using resource::Action;
using value::List;
using value::Map;
using value::Value;

constexpr int kExecutorFailed = 64;
constexpr int kTriesMax = 8;  // some 40 s, which a restart of an API server takes
constexpr int kNamesMax = 8;  // that are tried for generateName, as an API server does
constexpr clock::Duration kRetryMin = clock::Duration::milliseconds(200);
constexpr clock::Duration kRetryMax = clock::Duration::seconds(10);
// How often an object is looked at: first, and at last as Argo does.
constexpr clock::Duration kLookFirst = clock::Duration::milliseconds(200);
constexpr clock::Duration kLookAtLast = clock::Duration::seconds(5);
constexpr clock::Duration kLookAtLastOwn = clock::Duration::seconds(1);
constexpr const char* kFile = "\"/tmp/manifest.yaml\"";

// Five letters for generateName, the same whenever the task is begun; others when those of before
// are somebody else's.
std::string name_for(std::string_view prefix, std::string key, int names_taken) {
  if (names_taken > 0) key += fmt::format("#{}", names_taken);
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string name(prefix);
  std::uint32_t hash = spec::fnv32a(key);
  for (int i = 0; i < 5; ++i) {
    name += kLetters[hash % kLetters.size()];
    hash /= static_cast<std::uint32_t>(kLetters.size());
  }
  return name;
}

std::string query_of(const resource::Command& command) {
  std::string query = "?fieldManager=" + net::uri_encoded(command.field_manager);
  query += "&fieldValidation=" + command.validation;
  if (command.is_dry) query += "&dryRun=All";
  return query;
}

std::string_view doing_of(Action action) {
  switch (action) {
    case Action::kCreate:
      return "error when creating \"/tmp/manifest.yaml\"";
    case Action::kReplace:
      return "error when replacing \"/tmp/manifest.yaml\"";
    default:
      return "";
  }
}

std::string_view done_of(Action action) {
  switch (action) {
    case Action::kCreate:
      return "created";
    case Action::kApply:
      return "serverside-applied";
    case Action::kReplace:
      return "replaced";
    case Action::kPatch:
      return "patched";
    default:
      return "";
  }
}

}  // namespace

std::string workflow_uid_of(const executor::Task& task) {
  return task.key.substr(0, task.key.find('.'));
}

ResourceStep ResourceRun::ask(Request request, Next next) {
  next_ = next;
  tries_ = 0;
  asked_ = {.request = std::move(request), .is_own = found_.empty() || found_[at_].type.is_own};
  return asked_;
}

ResourceStep ResourceRun::ask_again() { return asked_; }

ResourceStep ResourceRun::rest(clock::Duration time, ResourceStep (ResourceRun::*then)()) {
  then_ = then;
  return Rest{time};
}

ResourceStep ResourceRun::rested() { return (this->*then_)(); }

ResourceStep ResourceRun::answered(const Answer& answer) {
  if (answer.is_passing() && (is_patient_ || ++tries_ < kTriesMax)) {
    retry_pause_ = std::clamp(clock::Duration{retry_pause_.ns * 2}, kRetryMin, kRetryMax);
    return rest(std::max(retry_pause_, answer.retry_after),
                is_patching() ? &ResourceRun::find_mark : &ResourceRun::ask_again);
  }
  retry_pause_ = {};
  return (this->*next_)(answer);
}

ResourceStep ResourceRun::failed(const std::string& message) {
  lines_.push_back(message);
  Outcome outcome;
  outcome.phase = Outcome::Phase::kFailed;
  outcome.exit_code = kExecutorFailed;
  outcome.message = fmt::format("main: Error (exit code {}): {}", kExecutorFailed, message);
  return outcome;
}

ResourceStep ResourceRun::refused(const Answer& answer) {
  return failed(resource::kubectl_error(server_error(answer, doing_of(command_.action))));
}

ResourceStep ResourceRun::begin(const resource::ObjectTypes& types) {
  const Value& what = task_.template_body["resource"];
  const bool has_outputs = !task_.template_body["outputs"]["parameters"].list().empty();
  const bool waits = !what["successCondition"].string_or("").empty() ||
                     !what["failureCondition"].string_or("").empty();
  if (what["action"].string_or("") == "delete" && (waits || has_outputs)) {
    return failed(
        "successCondition, failureCondition and outputs are not supported for delete action");
  }
  auto command = resource::read_command(what, manifest_);
  if (!command) return failed(command.error().message);
  command_ = std::move(*command);
  mark_request();
  // Before anything is done: a condition that cannot be read is no reason to leave an object
  // behind.
  auto success = resource::read_condition(what, "successCondition");
  auto failure = resource::read_condition(what, "failureCondition");
  if (!success) return failed(success.error().message);
  if (!failure) return failed(failure.error().message);
  success_ = std::move(*success);
  failure_ = std::move(*failure);
  return resolve(types, !ports_.has_cluster);
}

ResourceStep ResourceRun::discovered(const resource::ObjectTypes& types) {
  return resolve(types, true);
}

ResourceStep ResourceRun::resolve(const resource::ObjectTypes& types, bool is_last) {
  found_.clear();
  for (const resource::Target& target : command_.targets) {
    const resource::ObjectType* const type =
        target.manifest.is_null() ? types.of_word(target.word)
                                  : types.of_kind(target.manifest["apiVersion"].string_or(""),
                                                  target.manifest["kind"].string_or(""));
    if (type == nullptr) {
      if (!is_last) return Discover{};
      return failed(unknown_type(target));
    }
    Found found{.target = target, .type = *type, .name_space = {}};
    if (auto placed = place(found); !placed) return failed(placed.error().message);
    found_.push_back(std::move(found));
  }
  return act();
}

std::string ResourceRun::unknown_type(const resource::Target& target) const {
  if (!ports_.has_cluster) {
    const std::string_view kind = target.manifest["kind"].string_or("");
    return fmt::format(
        "its objects ({}) are a Kubernetes cluster's, and there is none here (steps run there with "
        "--executor kubernetes)",
        kind.empty() ? std::string_view(target.word) : kind);
  }
  if (target.manifest.is_null()) {
    return resource::kubectl_error(
        fmt::format("error: the server doesn't have a resource type \"{}\"", target.word));
  }
  return resource::kubectl_error(fmt::format(
      "error: resource mapping not found for name: \"{}\" namespace: \"{}\" from {}: no matches "
      "for kind \"{}\" in version \"{}\"\nensure CRDs are installed first",
      target.title(), target.manifest["metadata"]["namespace"].string_or(""), kFile,
      target.manifest["kind"].string_or(""), target.manifest["apiVersion"].string_or("")));
}

diag::Result<void> ResourceRun::place(Found& found) const {
  if (!found.type.is_namespaced) return {};
  const std::string_view own = found.target.manifest["metadata"]["namespace"].string_or("");
  const std::string& flag = command_.name_space;
  if (!own.empty() && !flag.empty() && own != flag) {
    return diag::fail(diag::Code::kInvalidManifest,
                      resource::kubectl_error(fmt::format(
                          "error: the namespace from the provided object \"{}\" does not match the "
                          "namespace \"{}\". You must pass '--namespace={}' to perform this "
                          "operation.",
                          own, flag, own)));
  }
  found.name_space = !own.empty() ? std::string(own) : !flag.empty() ? flag : task_.name_space;
  return {};
}

bool ResourceRun::acts_on_own_pod() const {
  const Found& first = found_.front();
  const bool is_pod = first.type.group.empty() && first.type.kind == "Pod";
  return is_pod && first.target.title() == task_.pod_name && first.name_space == task_.name_space &&
         command_.action != Action::kCreate;
}

bool ResourceRun::owns_object() const {
  return task_.template_body["resource"]["setOwnerReference"].bool_or(false);
}

ResourceStep ResourceRun::act() {
  if (command_.action == Action::kDelete) return list_doomed();
  if (own_pod_.empty() && acts_on_own_pod()) return make_own_pod();
  const Found& what = found_.front();
  if (what.target.title().empty() && command_.action != Action::kCreate) {
    if (command_.action == Action::kGet && what.target.manifest.is_null()) {
      // kubectl would print a list, of which Argo says this.
      return failed(
          "Kind and name are both required but at least one of them is missing from the manifest");
    }
    return failed(resource::kubectl_error("error: resource name may not be empty"));
  }
  return write();
}

// Argo's step is a pod, which some templates look at or mark. Here no process is needed, so the pod
// is one that no node ever gets: it has a gate that nobody opens.
ResourceStep ResourceRun::make_own_pod() {
  const Value pod =
      Map{{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", Map{{"name", task_.pod_name},
                           {"labels", Map{{kWorkflowLabel, task_.workflow},
                                          {kEngineLabel, ports_.engine},
                                          {kCompletedLabel, "false"}}},
                           {"annotations", Map{{"workflows.argoproj.io/node-name", task_.node_name},
                                               {kKeyAnnotation, task_.key}}}}},
          {"spec", Map{{"restartPolicy", "Never"},
                       {"schedulingGates", List{Map{{"name", "tiphys.dev/resource"}}}},
                       {"containers", List{Map{{"name", "main"}, {"image", ports_.step_image}}}}}}};
  (void)ask({.method = "POST",
             .path = found_.front().type.path(task_.name_space),
             .body = value::to_json(pod)},
            &ResourceRun::own_pod_made);
  asked_.pod_in = task_.name_space;
  return asked_;
}

ResourceStep ResourceRun::own_pod_made(const Answer& answer) {
  if (!answer.ok() && answer.status != 409) return refused(answer);
  own_pod_ = found_.front().type.path(task_.name_space, task_.pod_name);
  return act();
}

// The object as it is sent: in its place, named, and with the key of the task that makes it.
Value ResourceRun::body() const {
  const Found& what = found_.front();
  Map metadata = what.target.manifest["metadata"].map();
  if (what.type.is_namespaced) metadata.set("namespace", what.name_space);
  if (owns_object() && what.type.is_own) {
    metadata.set("ownerReferences", List{Map{{"apiVersion", "argoproj.io/v1alpha1"},
                                             {"kind", "Workflow"},
                                             {"name", task_.workflow},
                                             {"uid", workflow_uid_of(task_)},
                                             {"controller", true},
                                             {"blockOwnerDeletion", true}}});
  }
  if (command_.action == Action::kCreate) {
    Map annotations = Value(metadata)["annotations"].map();
    annotations.set(kKeyAnnotation, task_.key);
    metadata.set("annotations", std::move(annotations));
    if (what.target.title().empty()) {
      metadata.set(
          "name", name_for(Value(metadata)["generateName"].string_or(""), task_.key, names_taken_));
    }
  }
  Map object = what.target.manifest.map();
  object.set("metadata", std::move(metadata));
  return object;
}

ResourceStep ResourceRun::write() {
  const Found& what = found_.front();
  const resource::ObjectType& type = what.type;
  const std::string query = query_of(command_);
  if (command_.action == Action::kGet || command_.action == Action::kPatch) {
    path_ = type.path(what.name_space, net::uri_encoded(what.target.title()));
    if (command_.action == Action::kGet) return ask({.path = path_}, &ResourceRun::acted);
    return patch(query);
  }
  const Value object = body();
  const std::string name(object["metadata"]["name"].string_or(""));
  if (name.empty()) return failed(resource::kubectl_error("error: resource name may not be empty"));
  path_ = type.path(what.name_space, net::uri_encoded(name));
  const bool is_create = command_.action == Action::kCreate;
  const bool is_apply = command_.action == Action::kApply;
  Request request{.method = is_create  ? "POST"
                            : is_apply ? "PATCH"
                                       : "PUT",
                  .path = (is_create ? type.path(what.name_space) : path_) + query,
                  .body = value::to_json(object, {.key_order = value::KeyOrder::kAsGiven}),
                  .type = is_apply ? "application/apply-patch+yaml" : ""};
  if (is_apply) request.path += "&force=true";
  (void)ask(std::move(request), &ResourceRun::acted);
  asked_.is_owned = owns_object() && !command_.is_dry;
  asked_.owned = path_;
  return asked_;
}

ResourceStep ResourceRun::acted(const Answer& answer) {
  const Action action = command_.action;
  if (answer.status == 409 && action == Action::kCreate) {
    refusal_ = server_error(answer, doing_of(action));
    return ask({.path = path_}, &ResourceRun::found_taken);
  }
  if (answer.status == 404 && action == Action::kGet && command_.is_missing_fine) {
    return take_outputs();
  }
  if (!answer.ok()) return refused(answer);
  return take_object(answer);
}

// Its name is taken: by this task, before the engine was killed or an answer was lost, or not.
ResourceStep ResourceRun::found_taken(const Answer& answer) {
  const auto object = value::parse_json(answer.ok() ? answer.body : "");
  const bool is_mine =
      object && (*object)["metadata"]["annotations"][kKeyAnnotation].string_or("") == task_.key;
  const bool is_generated = found_.front().target.title().empty();
  if (!is_mine && is_generated && ++names_taken_ < kNamesMax) return write();
  if (!is_mine) return failed(resource::kubectl_error(refusal_));
  return take_object(answer);
}

ResourceStep ResourceRun::take_object(const Answer& answer) {
  auto object = value::parse_json(answer.body);
  if (!object) return failed(object.error().message);
  object_ = std::move(*object);
  const std::string_view name = object_["metadata"]["name"].string_or("");
  const std::string_view kind = object_["kind"].string_or("");
  if (name.empty() || kind.empty()) {
    return failed(
        "Kind and name are both required but at least one of them is missing from the manifest");
  }
  const std::string title = fmt::format("{}/{}", found_.front().type.title(), name);
  const std::string_view done = done_of(command_.action);
  lines_.push_back(done.empty() ? title : fmt::format("{} {}", title, done));
  if (!success_ && !failure_) return take_outputs();
  is_patient_ = true;
  return check();
}

ResourceStep ResourceRun::check() {
  if (failure_) {
    if (const auto held = failure_->first_that_holds(object_)) {
      return failed(fmt::format("failure condition '{}' evaluated true", *held));
    }
  }
  if (!success_ || success_->holds(object_)) return take_outputs();
  const bool is_own = found_.front().type.is_own;
  look_pause_ = std::clamp(clock::Duration{look_pause_.ns * 3 / 2}, kLookFirst,
                           is_own ? kLookAtLastOwn : kLookAtLast);
  return rest(look_pause_, &ResourceRun::look);
}

ResourceStep ResourceRun::look() { return ask({.path = path_}, &ResourceRun::looked); }

ResourceStep ResourceRun::looked(const Answer& answer) {
  if (answer.status == 404) {
    return failed(
        fmt::format("The resource has been deleted while its status was still being checked. Will "
                    "not be retried: {}",
                    answer.message()));
  }
  auto object = answer.ok() ? value::parse_json(answer.body)
                            : diag::Result<Value>(diag::fail(diag::Code::kIo, answer.message()));
  if (!object) return failed(object.error().message);
  object_ = std::move(*object);
  return check();
}

diag::Result<std::string> ResourceRun::output(const Value& source) const {
  if (object_.is_null()) return std::string(source["default"].string_or(""));
  if (const std::string_view text = source["jsonPath"].string_or(""); !text.empty()) {
    const auto told = [&](const diag::Error& error, std::string_view doing) {
      return diag::fail(error.code, fmt::format("error: {} {}, {}", doing, text, error.message));
    };
    const auto path = resource::JsonPath::parse(text);
    if (!path) return told(path.error(), "error parsing jsonpath");
    auto printed = path->print(object_);
    if (!printed) return told(printed.error(), "error executing jsonpath");
    return printed;
  }
  return ports_.filter(object_, std::string(source["jqFilter"].string_or("")), task_.work_path);
}

ResourceStep ResourceRun::take_outputs() {
  List parameters;
  for (const Value& parameter : task_.template_body["outputs"]["parameters"].list()) {
    const Value& source = parameter["valueFrom"];
    const bool is_read = source["jsonPath"].is_string() || source["jqFilter"].is_string();
    if (!source.is_map() || (!is_read && !object_.is_null())) continue;
    auto text = output(source);
    if (!text) return failed(text.error().message);
    parameters.push_back(Map{{"name", parameter["name"]}, {"value", std::move(*text)}});
  }
  ResourceStep step = succeeded();
  if (!parameters.empty()) {
    std::get<Outcome>(step).outputs = Map{{"parameters", std::move(parameters)}};
  }
  return step;
}

ResourceStep ResourceRun::succeeded() {
  Outcome outcome;
  outcome.exit_code = 0;
  return outcome;
}

}  // namespace tiphys::kube
