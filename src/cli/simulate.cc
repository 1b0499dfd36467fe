#include <fmt/format.h>

#include <charconv>

#include "cli/check.h"
#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/show.h"
#include "clock/go_duration.h"
#include "runtime/definition.h"
#include "runtime/submit.h"
#include "sim/rehearsal.h"
#include "store/memory.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

struct SimulateOptions {
  std::vector<std::string> files;
  Overrides overrides;
  std::string defaults;
  std::string output;
  std::vector<std::string> fail;
  std::vector<std::string> results;
  std::vector<std::string> outputs;
  std::vector<std::string> durations;
  std::optional<std::uint64_t> seed;
};

using Pair = std::pair<std::string, std::string>;

diag::Result<Pair> split(const std::string& text, const char* flag) {
  const std::size_t eq = text.find('=');
  if (eq == std::string::npos || eq == 0) {
    return wrong_usage(fmt::format("{} wants NAME=VALUE, not '{}'", flag, text));
  }
  return Pair{text.substr(0, eq), text.substr(eq + 1)};
}

diag::Result<sim::Script> script_of(const SimulateOptions& o) {
  sim::Script script;
  script.seed = o.seed;
  for (const std::string& text : o.fail) {
    const std::size_t eq = text.find('=');
    int code = 1;
    if (eq != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto parsed = std::from_chars(text.data() + eq + 1, end, code);
      if (parsed.ec != std::errc() || parsed.ptr != end) {
        return wrong_usage(fmt::format("--fail wants NAME or NAME=CODE, not '{}'", text));
      }
    }
    script.fail[text.substr(0, eq)] = code;
  }
  for (const std::string& text : o.results) {
    TRY(const Pair pair, split(text, "--result"));
    script.results.insert(pair);
  }
  for (const std::string& text : o.outputs) {
    TRY(const Pair pair, split(text, "--output-parameter"));
    if (pair.first.find('.') == std::string::npos) {
      return wrong_usage(
          fmt::format("--output-parameter wants NAME.PARAMETER=VALUE, not '{}'", text));
    }
    script.outputs.insert(pair);
  }
  for (const std::string& text : o.durations) {
    TRY(const Pair pair, split(text, "--duration"));
    TRY(const clock::Duration duration, clock::parse_duration(pair.second));
    script.durations.emplace(pair.first, duration);
  }
  return script;
}

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

// What the engine would get if the workflow was submitted; the real store is only read. Name, uid
// and times are the same in each call.
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

std::string header_text(const Value& header) {
  const Value& secret = header["valueFrom"]["secretKeyRef"];
  if (!secret.is_map()) return std::string(header["value"].string_or(""));
  return fmt::format("(secret {}/{})", secret["name"].string_or(""), secret["key"].string_or(""));
}

std::string method_of(const Value& http) {
  const std::string_view method = http["method"].string_or("");
  return std::string(method.empty() ? "GET" : method);
}

std::string seconds(clock::Duration at) {
  return fmt::format("{}s", static_cast<double>(at.ns) / 1e9);
}

std::string request_text(const sim::Sent& sent) {
  std::string text =
      fmt::format("{:>8}  {} {}\n", "", method_of(sent.http), sent.http["url"].string_or(""));
  for (const Value& header : sent.http["headers"].list()) {
    text += fmt::format("{:>8}  {}: {}\n", "", header["name"].string_or(""), header_text(header));
  }
  const std::string_view body = sent.http["body"].string_or("");
  if (!body.empty()) text += fmt::format("{:>8}  {}\n", "", body);
  return text;
}

void print_timeline(const sim::Rehearsal& rehearsal) {
  for (const sim::Change& c : rehearsal.changes()) {
    print_text(fmt::format("{:>8}  {:<10} {}{}{}\n", seconds(c.at), c.phase, c.node,
                           c.message.empty() ? "" : ": ", c.message));
    if (c.phase != "Running") continue;
    for (const sim::Sent& sent : rehearsal.sent()) {
      if (sent.node == c.node && sent.at == c.at) print_text(request_text(sent));
    }
  }
}

Value as_object(const sim::Rehearsal& rehearsal) {
  List timeline;
  for (const sim::Change& c : rehearsal.changes()) {
    Map change{{"at", seconds(c.at)}, {"node", c.node}, {"phase", c.phase}};
    if (!c.message.empty()) change.set("message", c.message);
    timeline.emplace_back(std::move(change));
  }
  List requests;
  for (const sim::Sent& sent : rehearsal.sent()) {
    List headers;
    for (const Value& header : sent.http["headers"].list()) {
      headers.emplace_back(Map{{"name", header["name"]}, {"value", header_text(header)}});
    }
    Map request{{"at", seconds(sent.at)},
                {"node", sent.node},
                {"method", method_of(sent.http)},
                {"url", sent.http["url"]}};
    if (!headers.empty()) request.set("headers", std::move(headers));
    if (sent.http["body"].is_string()) request.set("body", sent.http["body"]);
    requests.emplace_back(std::move(request));
  }
  return Map{{"timeline", std::move(timeline)},
             {"requests", std::move(requests)},
             {"workflow", rehearsal.workflow()}};
}

diag::Result<void> simulate(SimulateOptions& o, Session& session) {
  if (!o.output.empty() && o.output != "json") {
    return wrong_usage(fmt::format("unknown output format '{}': want json", o.output));
  }
  TRY(const sim::Script script, script_of(o));
  TRY_VOID(load_parameter_file(o.overrides));
  TRY(Opened state, open_state());
  TRY(Documents documents, read_documents(o.files, spec::UnknownFields::kWarning));
  TRY_VOID(check_documents(documents, state, o.overrides, session));
  TRY(auto submissions, make_submissions(documents, o.overrides, o.defaults));
  if (submissions.size() > 1) return wrong_usage("simulate takes one workflow");
  mark_invalid(submissions, *state.store, session);
  TRY_VOID(add_stored_templates(*state.store, submissions.front()));
  TRY(engine::Definition definition, definition_of(submissions.front()));
  sim::Rehearsal rehearsal(std::move(definition), script);
  rehearsal.run();
  const Value workflow = rehearsal.workflow();
  if (o.output == "json") {
    print_text(value::to_json(as_object(rehearsal),
                              {.key_order = value::KeyOrder::kAsGiven, .indent = 4}) +
               "\n");
  } else {
    print_timeline(rehearsal);
    view::GetOptions view = view_options(session);
    view.now = rehearsal.now();
    print_text("\n" + view::format_workflow(workflow, view));
  }
  if (rehearsal.changes().size() >= sim::Rehearsal::kChangesMax) {
    fmt::print(stderr, "warning: given up after {} changes: the workflow does not seem to end\n",
               sim::Rehearsal::kChangesMax);
  }
  for (const std::string& name : rehearsal.unused()) {
    fmt::print(stderr, "warning: no leaf of the name '{}' was started\n", name);
  }
  if (workflow["status"]["phase"].string_or("") != "Succeeded") session.exit_code = 1;
  return {};
}

}  // namespace

void add_simulate(CLI::App& app, Session& session) {
  auto o = std::make_shared<SimulateOptions>();
  CLI::App* command = add_command(app, "simulate", "show what a workflow would do, in virtual time",
                                  session, [o, &session] {
                                    o->overrides.name_space = session.name_space;
                                    return simulate(*o, session);
                                  });
  command->add_option("FILE", o->files, "manifests; - is stdin")->required();
  command->add_option("--fail", o->fail, "this step or task fails: NAME or NAME=EXITCODE")
      ->allow_extra_args(false);
  command->add_option("--result", o->results, "what it prints: NAME=TEXT")->allow_extra_args(false);
  command->add_option("--output-parameter", o->outputs, "NAME.PARAMETER=VALUE")
      ->allow_extra_args(false);
  command->add_option("--duration", o->durations, "how long it takes (default 1s): NAME=30s")
      ->allow_extra_args(false);
  command->add_option("--seed", o->seed, "take random durations, the same for each seed");
  command->add_option("-o,--output", o->output, "json: timeline, requests and the workflow");
  command->add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  add_override_flags(*command, o->overrides);
}

}  // namespace tiphys::cli
