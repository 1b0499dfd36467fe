#include "cli/rehearse.h"

#include <fmt/format.h>

#include "cli/check.h"
#include "cli/inputs.h"
#include "runtime/definition.h"
#include "runtime/submit.h"
#include "sim/rehearsal.h"
#include "store/memory.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::Map;
using value::Value;

// Stored templates may be referred to, as in a run.
diag::Result<void> add_stored_templates(store::Store& store, runtime::Submission& submission) {
  for (const char* kind : {"WorkflowTemplate", "ClusterWorkflowTemplate"}) {
    TRY(const auto rows, store.list_objects(kind, ""));
    for (const store::ObjectRow& row : rows) {
      if (auto object = value::parse_json(row.json)) submission.templates.push_back(*object);
    }
  }
  return {};
}

// What the engine would get if the workflow was submitted.
diag::Result<engine::Definition> definition_of(runtime::Submission submission) {
  Map workflow = submission.workflow.map();
  Map metadata = submission.workflow["metadata"].map();
  if (submission.workflow["metadata"]["name"].string_or("").empty()) {
    metadata.set(
        "name",
        fmt::format("{}simulated", submission.workflow["metadata"]["generateName"].string_or("")));
  }
  workflow.set("metadata", std::move(metadata));
  submission.workflow = std::move(workflow);
  store::MemoryStore store;
  TRY(const store::WorkflowRow row,
      runtime::submit(store, submission, sim::Rehearsal::beginning()));
  TRY(const auto events, store.load_events(row.uid));
  TRY(engine::Definition definition, runtime::parse_definition(events.front().payload));
  Map named = definition.workflow["metadata"].map();
  named.set("uid", "00000000-0000-4000-8000-000000000000");
  Map object = definition.workflow.map();
  object.set("metadata", std::move(named));
  definition.workflow = std::move(object);
  return definition;
}

}  // namespace

diag::Result<engine::Definition> definition_to_rehearse(const std::vector<std::string>& files,
                                                        const Overrides& overrides,
                                                        const std::string& defaults_file,
                                                        Session& session, RuleSource* rules) {
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(files, spec::UnknownFields::kWarning));
  TRY_VOID(check_given(documents, *state.store, overrides, session));
  TRY_VOID(check_documents(documents, state, overrides, session, defaults_file));
  TRY(auto submissions, make_submissions(documents, overrides, defaults_file));
  if (rules != nullptr) {
    TRY(*rules, RuleSource::of(documents, *state.store, session.space()));
  }
  if (submissions.size() > 1) return wrong_usage("one workflow at a time is simulated");
  TRY_VOID(complete(submissions, *state.store, session));
  TRY_VOID(add_stored_templates(*state.store, submissions.front()));
  return definition_of(submissions.front());
}

std::string method_of(const Value& http) {
  const std::string_view method = http["method"].string_or("");
  return std::string(method.empty() ? "GET" : method);
}

}  // namespace tiphys::cli
