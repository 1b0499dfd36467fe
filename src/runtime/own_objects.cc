#include "runtime/own_objects.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/clocks.h"
#include "runtime/cron_object.h"
#include "runtime/object_row.h"
#include "runtime/ready_templates.h"
#include "runtime/removal.h"
#include "runtime/submit.h"
#include "runtime/workflow_defaults.h"
#include "spec/labels.h"
#include "spec/manifest.h"
#include "store/open.h"
#include "value/json.h"

namespace tiphys::runtime {
namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kOwnedKind = "OwnedObject";  // rows of what goes with a workflow

std::unexpected<diag::Error> not_found() { return diag::fail(diag::Code::kNotFound, ""); }

// As the API server keeps it: only fields that Argo knows, parameters as strings.
diag::Result<Value> readable(const Value& object) {
  std::vector<diag::Diagnostic> findings;
  auto manifests = spec::load_manifests(value::to_json(object), "", findings);
  for (const diag::Diagnostic& d : findings) {
    if (d.severity == diag::Severity::kError) {
      return diag::fail(diag::Code::kInvalidManifest, d.error.message);
    }
  }
  if (manifests.size() == 1) return manifests.front().object;
  return diag::fail(diag::Code::kInvalidManifest, "it is no manifest");
}

// What `after` has otherwise than `before`; null for what it lacks.
Map differences(const Value& before, const Value& after) {
  Map changes;
  for (const auto& [key, have] : before.map()) {
    if (after.map().find(key) == nullptr) changes.set(key, Value());
  }
  for (const auto& [key, wanted] : after.map()) {
    const Value* const have = before.map().find(key);
    if (have == nullptr || *have != wanted) changes.set(key, wanted);
  }
  return changes;
}

std::string row_name(const kube::OwnedObject& object) {
  return fmt::format("{} {}", object.workflow_uid, object.path);
}

}  // namespace

diag::Result<void> OwnObjects::open() {
  if (store_) return {};
  TRY(store_, store::open(config_.store_address()));
  return {};
}

kube::Answer OwnObjects::answer(const kube::Request& request) {
  auto parsed = parse_request(request);
  if (!parsed) return answer_of({}, std::unexpected(parsed.error()));
  remove_doomed();
  return answer_of(*parsed, serve(*parsed));
}

diag::Result<Value> OwnObjects::serve(const ObjectRequest& r) {
  TRY_VOID(open());
  if (r.method == "GET") return r.name.empty() ? listed(r) : found(r);
  if (r.method == "POST") return created(r);
  if (r.method == "DELETE") return removed(r);
  return changed(r);
}

diag::Result<Value> OwnObjects::found(const ObjectRequest& r) {
  if (r.type.kind == "Workflow") {
    auto row = store_->find_workflow(r.name_space, r.name);
    if (!row && row.error().code == diag::Code::kNotFound) return not_found();
    if (!row) return std::unexpected(row.error());
    return load_workflow_object(*store_, *row);
  }
  if (r.type.kind == "ClusterWorkflowTemplate") {
    auto holder = find_template(*store_, r.type.kind, "", r.name);
    if (!holder) return not_found();
    return *holder;
  }
  auto row = store_->find_object(r.type.kind, r.name_space, r.name);
  if (!row && row.error().code == diag::Code::kNotFound) return not_found();
  if (!row) return std::unexpected(row.error());
  return value::parse_json(row->json);
}

diag::Result<Value> OwnObjects::listed(const ObjectRequest& r) {
  TRY(const spec::Selector selector, spec::Selector::parse(r.selector));
  List items;
  const auto add = [&](Value object) {
    if (selector.matches(spec::labels_of(object["metadata"]["labels"]))) {
      items.push_back(std::move(object));
    }
  };
  if (r.type.kind == "Workflow") {
    TRY(const auto rows, store_->list_workflows(r.name_space, false));
    for (const store::WorkflowRow& row : rows) {
      TRY(Value object, load_workflow_object(*store_, row));
      add(std::move(object));
    }
  } else {
    TRY(const auto rows, store_->list_objects(r.type.kind, r.name_space));
    for (const store::ObjectRow& row : rows) {
      TRY(Value object, value::parse_json(row.json));
      add(std::move(object));
    }
  }
  return Value(Map{{"apiVersion", r.type.api_version()},
                   {"kind", r.type.kind + "List"},
                   {"metadata", Map()},
                   {"items", std::move(items)}});
}

diag::Result<Value> OwnObjects::created(const ObjectRequest& r) {
  TRY(const Value object, readable(r.body));
  if (r.is_dry) return object;
  return r.type.kind == "Workflow" ? submitted(r, object) : put(r, object, true);
}

diag::Result<Value> OwnObjects::submitted(const ObjectRequest& r, const Value& object) {
  Submission submission;
  submission.workflow = object;
  submission.may_be_unresolved = true;
  TRY(submission.workflow_defaults, find_workflow_defaults(*store_, {}, r.name_space));
  if (config_.check_workflow) {
    submission.invalid = config_.check_workflow(object, submission.workflow_defaults, *store_);
  }
  TRY(const store::WorkflowRow row, submit(*store_, submission, wall_now()));
  on_created_(row.uid);
  return load_workflow_object(*store_, row);
}

diag::Result<Value> OwnObjects::put(const ObjectRequest& r, const Value& object, bool is_new) {
  if (r.type.kind == "CronWorkflow") {
    TRY(const store::ObjectRow row,
        put_cron(object, is_new ? Put::kCreate : Put::kApply, *store_, r.name_space, wall_now()));
    return value::parse_json(row.json);
  }
  const NewRow made = object_row(*store_, r.type.kind, r.type.is_namespaced ? r.name_space : "",
                                 object, wall_now());
  if (is_new && made.is_known) return diag::fail(diag::Code::kAlreadyExists, "");
  TRY_VOID(store_->put_object(made.row));
  return value::parse_json(made.row.json);
}

diag::Result<Value> OwnObjects::changed(const ObjectRequest& r) {
  auto before = found(r);
  if (!before && before.error().code == diag::Code::kNotFound &&
      r.body_type == "application/apply-patch+yaml") {
    return created(r);
  }
  if (!before) return before;
  TRY(const Value after, patched(r, *before));
  if (r.type.kind == "Workflow") return steered(r, *before, after);
  TRY(const Value object, readable(after));
  if (r.is_dry) return object;
  return put(r, object, false);
}

// A workflow belongs to its engine, which is asked to change it.
diag::Result<Value> OwnObjects::steered(const ObjectRequest& r, const Value& before,
                                        const Value& after) {
  TRY(const store::WorkflowRow row, store_->find_workflow(r.name_space, r.name));
  Map spec = differences(before["spec"], after["spec"]);
  const Value suspend = Value(spec)["suspend"];
  const Value shutdown = Value(spec)["shutdown"];
  const bool changes_suspend = spec.erase("suspend");
  const bool changes_shutdown = spec.erase("shutdown");
  if (!spec.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("spec.{}: of a workflow's spec only suspend and shutdown can be "
                                  "changed",
                                  spec.begin()->first));
  }
  if (r.is_dry) return after;
  Map marks;
  for (const char* field : {"labels", "annotations"}) {
    Map changes = differences(before["metadata"][field], after["metadata"][field]);
    if (!changes.empty()) marks.set(field, std::move(changes));
  }
  if (!marks.empty()) TRY_VOID(command(row, "relabel", marks));
  if (changes_suspend) {
    TRY_VOID(command(row, suspend.bool_or(false) ? "suspend" : "resume", Map()));
  }
  if (changes_shutdown) {
    TRY_VOID(command(row, shutdown.string_or("") == "Stop" ? "stop" : "terminate", Map()));
  }
  return after;
}

diag::Result<void> OwnObjects::command(const store::WorkflowRow& row, const std::string& verb,
                                       const Value& arguments) {
  TRY_VOID(store_->add_command({.id = 0,
                                .uid = row.uid,
                                .verb = verb,
                                .arguments_json = value::to_json(arguments),
                                .created_at = wall_now()}));
  poke_engines(config_.home);
  return {};
}

diag::Result<Value> OwnObjects::removed(const ObjectRequest& r) {
  TRY(const Value object, found(r));
  if (r.is_dry) return object;
  if (r.type.kind != "Workflow") {
    auto gone =
        store_->delete_object(r.type.kind, r.type.is_namespaced ? r.name_space : "", r.name);
    if (!gone && gone.error().code == diag::Code::kNotFound) {
      // A ready template that no stored one hides.
      return diag::fail(diag::Code::kInvalidManifest, "it comes with the engine and stays");
    }
    if (!gone) return std::unexpected(gone.error());
    return object;
  }
  TRY(const store::WorkflowRow row, store_->find_workflow(r.name_space, r.name));
  if (is_owned(config_, *store_, row.uid)) {
    TRY_VOID(order_end(*store_, row.uid, row.suspended, wall_now()));  // its steps go first
    poke_engines(config_.home);
  }
  doomed_.push_back(row);
  remove_doomed();
  return object;
}

std::optional<store::WorkflowRow> OwnObjects::row_of(const std::string& uid,
                                                     const std::string& name_space,
                                                     const std::string& name) {
  auto row = store_->find_workflow(name_space, name);
  if (!row && row.error().code != diag::Code::kNotFound) return std::nullopt;
  return row && row->uid == uid ? std::move(*row) : store::WorkflowRow();
}

void OwnObjects::remove_doomed() {
  std::erase_if(doomed_, [&](const store::WorkflowRow& doomed) {
    const auto row = row_of(doomed.uid, doomed.name_space, doomed.name);
    if (!row || is_owned(config_, *store_, doomed.uid)) return false;
    return row->uid.empty() || remove_ended(*store_, config_, *row, false).has_value();
  });
}

bool OwnObjects::own(const kube::OwnedObject& object) {
  const Value record = Map{{"uid", object.workflow_uid},
                           {"namespace", object.name_space},
                           {"workflow", object.workflow},
                           {"path", object.path},
                           {"isOwn", object.is_own}};
  auto done = open();
  if (done) {
    done = store_->put_object({.kind = kOwnedKind,
                               .name_space = "",
                               .name = row_name(object),
                               .json = value::to_json(record),
                               .created_at = wall_now()});
  }
  return done.has_value();
}

std::vector<kube::OwnedObject> OwnObjects::orphans() {
  std::vector<kube::OwnedObject> orphans;
  if (!open()) return orphans;
  remove_doomed();
  auto rows = store_->list_objects(kOwnedKind, "");
  if (!rows) return orphans;
  for (const store::ObjectRow& row : *rows) {
    const auto record = value::parse_json(row.json);
    if (!record) continue;
    const auto text = [&](const char* field) {
      return std::string((*record)[field].string_or(""));
    };
    kube::OwnedObject object{.workflow_uid = text("uid"),
                             .name_space = text("namespace"),
                             .workflow = text("workflow"),
                             .path = text("path"),
                             .is_own = (*record)["isOwn"].bool_or(false)};
    const auto owner = row_of(object.workflow_uid, object.name_space, object.workflow);
    if (owner && owner->uid.empty()) orphans.push_back(std::move(object));
  }
  return orphans;
}

void OwnObjects::disown(const kube::OwnedObject& object) {
  if (!open()) return;
  (void)store_->delete_object(kOwnedKind, "", row_name(object));
}

}  // namespace tiphys::runtime
