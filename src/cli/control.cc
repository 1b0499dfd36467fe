#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/selection.h"
#include "cli/show.h"
#include "cli/suspended_nodes.h"
#include "runtime/submit.h"
#include "spec/schema.h"
#include "value/json.h"
#include "view/node_filter.h"

namespace tiphys::cli {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr int kLooks = 10;
constexpr auto kBetweenLooks = std::chrono::milliseconds(30);

struct ControlFlags {
  std::vector<std::string> names;
  SelectionFlags which;
  std::string message;
  std::string node_field_selector;
  std::string phase;
  std::string output;
  std::vector<std::string> parameters;
  bool restart_successful = false;
  bool dry_run = false;
  Follow follow;
};

// A value in quotes, as argo takes it for node outputs, loses them.
std::string unquoted(const std::string& text) {
  if (text.size() < 2 || text.front() != text.back()) return text;
  if (text.front() == '`') return text.substr(1, text.size() - 2);
  if (text.front() != '"') return text;
  auto parsed = value::parse_json(text);
  return parsed && parsed->is_string() ? parsed->as_string() : text;
}

diag::Result<Map> output_parameters(const ControlFlags& o) {
  Map outputs;
  for (const std::string& pair : o.parameters) {
    const std::size_t eq = pair.find('=');
    if (eq == std::string::npos) {
      return wrong_usage(
          fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", pair));
    }
    outputs.set(pair.substr(0, eq), unquoted(pair.substr(eq + 1)));
  }
  return outputs;
}

diag::Result<Value> arguments_of(const ControlFlags& o, const std::string& verb) {
  if (auto nodes = view::NodeFilter::parse("", o.node_field_selector); !nodes) {
    return wrong_usage(nodes.error().message);
  }
  static const std::vector<std::string_view> kPhases = {"Pending", "Running", "Succeeded", "Failed",
                                                        "Error",   "Skipped", "Omitted"};
  if (!o.phase.empty() && std::ranges::find(kPhases, o.phase) == kPhases.end()) {
    const std::string near = spec::nearest_name(o.phase, kPhases);
    return wrong_usage(
        fmt::format("there is no phase '{}'{}", o.phase,
                    near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  if (verb == "set" && o.node_field_selector.empty()) {
    return wrong_usage(
        "'set' currently only targets suspend nodes, use a node field selector to target them");
  }
  Map arguments;
  if (!o.message.empty()) arguments.set("message", o.message);
  if (!o.node_field_selector.empty()) arguments.set("nodeFieldSelector", o.node_field_selector);
  if (!o.phase.empty()) arguments.set("phase", o.phase);
  if (verb == "set") {
    TRY(Map outputs, output_parameters(o));
    arguments.set("outputParameters", std::move(outputs));
  }
  if (verb == "retry") {
    for (const std::string& pair : o.parameters) {
      if (pair.find('=') != std::string::npos) continue;
      return wrong_usage(
          fmt::format("expected parameter of the form: NAME=VALUE. Received: {}", pair));
    }
    arguments.set("restartSuccessful", o.restart_successful);
    arguments.set("parameters", List(o.parameters.begin(), o.parameters.end()));
  }
  return Value(std::move(arguments));
}

const char* done_word(const std::string& verb) {
  if (verb == "stop") return "stopped";
  if (verb == "terminate") return "terminated";
  if (verb == "suspend") return "suspended";
  if (verb == "retry") return "retried";
  return "resumed";
}

// Why the workflow's state forbids the request; empty when it does not.
std::string refusal(const std::string& verb, const ControlFlags& o, const store::WorkflowRow& row) {
  const bool is_over = row.finished_at.is_set();
  if (verb != "retry") {
    if (!is_over) return "";
    return fmt::format("cannot {} workflow '{}': it has ended ({})", verb, row.name, row.phase);
  }
  if (is_over && (row.phase == "Failed" || row.phase == "Error")) return "";
  if (row.phase == "Succeeded" && o.restart_successful && !o.node_field_selector.empty()) return "";
  if (row.phase == "Succeeded") {
    return "To retry a succeeded workflow, set the options restartSuccessful and "
           "nodeFieldSelector";
  }
  return fmt::format("Cannot retry a workflow in phase {}",
                     row.phase.empty() ? "Pending" : row.phase);
}

// Why the suspended nodes forbid the request. What readers see may be a moment behind the engine,
// so that a refusal is looked at again.
diag::Result<std::string> refusal_now(Opened& state, const std::string& verb, const ControlFlags& o,
                                      const store::WorkflowRow& row, const Value& arguments) {
  const bool is_for_nodes = verb == "resume" || verb == "set" || !o.node_field_selector.empty();
  if (verb == "retry" || !is_for_nodes) return "";
  TRY(const view::NodeFilter nodes, view::NodeFilter::parse("", o.node_field_selector));
  std::string why;
  for (int looks = 0; looks < kLooks; ++looks) {
    TRY(const auto waiting, state.store->load_commands(row.uid));
    if (!waiting.empty() && !has_engine(state)) return "";
    if (waiting.empty()) {
      TRY(const auto latest, state.store->find_workflow(row.name_space, row.name));
      TRY(const Value workflow, runtime::load_workflow_object(*state.store, latest));
      why = refusal_of_nodes(workflow, {verb, nodes, o.node_field_selector, arguments});
      if (why.empty()) return "";
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return why;
}

diag::Result<void> send(Opened& state, const std::string& verb, const ControlFlags& o,
                        const store::WorkflowRow& row, const Value& arguments) {
  if (const std::string why = refusal(verb, o, row); !why.empty()) {
    const bool has_prefix = verb == "suspend" || verb == "resume";
    return diag::fail(diag::Code::kConflict,
                      has_prefix ? fmt::format("failed to {} {}: {}", verb, row.name, why) : why);
  }
  TRY(const std::string why_not, refusal_now(state, verb, o, row, arguments));
  if (!why_not.empty()) return diag::fail(diag::Code::kConflict, why_not);
  if (o.dry_run) return {};
  TRY_VOID(state.store->add_command({.id = 0,
                                     .uid = row.uid,
                                     .verb = verb,
                                     .arguments_json = value::to_json(arguments),
                                     .created_at = now()}));
  runtime::poke_engines(state.config.home);
  const bool is_served =
      runtime::is_owned(state.config, *state.store, row.uid) || has_engine(state);
  if (!is_served) {
    fmt::print(stderr,
               "note: nothing is running '{}' now; the command is kept for an engine: start "
               "'tiphys server'\n",
               row.name);
  }
  return {};
}

// The workflows as a retry leaves them. Without an engine they are shown as they are; one that is
// followed is waited for.
diag::Result<void> show_retried(Opened& state, const std::vector<store::WorkflowRow>& rows,
                                const ControlFlags& o, Session& session) {
  for (const store::WorkflowRow& row : rows) {
    if (has_engine(state) || o.follow.is_wanted()) {
      TRY_VOID(until_commands_are_taken(*state.store, row.uid));
    }
    TRY(const auto latest, state.store->find_workflow(row.name_space, row.name));
    TRY(const Value workflow, runtime::load_workflow_object(*state.store, latest));
    TRY_VOID(show_workflow(workflow, o.output, session));
  }
  Follow follow = o.follow;
  follow.is_quiet = is_for_programs(o.output);
  return follow_workflows(state, rows, follow, view_options(session), session);
}

diag::Result<void> control(const std::string& verb, const ControlFlags& o, Session& session) {
  TRY_VOID(check_output(o.output));
  TRY(Opened state, open_state());
  TRY(const auto rows, chosen_workflows(*state.store, session, o.names, o.which));
  TRY_VOID(check_follow(o.follow, rows.size()));
  TRY(const Value arguments, arguments_of(o, verb));
  for (const store::WorkflowRow& row : rows) {
    TRY_VOID(send(state, verb, o, row, arguments));
    if (verb == "set") {
      print_text("workflow values set\n");
    } else if (verb != "retry" || o.dry_run) {
      print_text(fmt::format("workflow {} {}{}\n", row.name, done_word(verb),
                             o.dry_run ? " (dry-run)" : ""));
    }
  }
  if (verb != "retry" || o.dry_run) return {};
  return show_retried(state, rows, o, session);
}

using Flags = std::shared_ptr<ControlFlags>;

Command add_verb(Command app, const std::string& verb, const std::string& description,
                 const Flags& o, Session& session) {
  const Command command = add_command(app, verb, description, session,
                                      [o, &session, verb] { return control(verb, *o, session); });
  command.add_option("WORKFLOW", o->names, "names; @latest is the newest");
  return command;
}

void add_node_selector(Command command, ControlFlags& o) {
  command.add_option("--node-field-selector", o.node_field_selector,
                     "only these nodes, e.g. displayName=approve");
}

void add_ending(Command app, const std::string& verb, const std::string& description,
                Session& session) {
  auto o = std::make_shared<ControlFlags>();
  const Command command = add_verb(app, verb, description, o, session);
  add_selectors(command, o->which);
  command.add_flag("--dry-run", o->dry_run, "tell which, do nothing");
  if (verb != "stop") return;
  command.add_option("--message", o->message, "a message for the nodes that were running");
  add_node_selector(command, *o);
}

void add_retry(Command app, Session& session) {
  auto o = std::make_shared<ControlFlags>();
  const Command command =
      add_verb(app, "retry", "run failed workflows again, keeping what had succeeded", o, session);
  add_selectors(command, o->which);
  add_node_selector(command, *o);
  command.add_flag("--restart-successful", o->restart_successful,
                   "run nodes again that had succeeded (those of --node-field-selector)");
  command.add_option("-p,--parameter", o->parameters, "override an input parameter: NAME=VALUE")
      .one_word_each();
  command.add_option("-o,--output", o->output, "name, json, yaml, wide, short");
  add_follow_flags(command, o->follow);
}

void add_node(Command app, Session& session) {
  const Command group = app.add_group("node", "act on nodes");
  auto o = std::make_shared<ControlFlags>();
  const Command set = add_command(group, "set", "set outputs, phase or message of suspended nodes",
                                  session, [o, &session] { return control("set", *o, session); });
  set.add_option("WORKFLOW", o->names, "its name; @latest is the newest").required();
  add_node_selector(set, *o);
  set.add_option("-p,--output-parameter", o->parameters, "NAME=VALUE").one_word_each();
  set.add_option("--phase", o->phase, "the phase that the node gets, e.g. Succeeded");
  set.add_option("-m,--message", o->message, "the message that the node gets");
}

}  // namespace

void add_control(Command app, Session& session) {
  add_ending(app, "stop", "stop workflows; exit handlers run", session);
  add_ending(app, "terminate", "end workflows at once", session);
  add_verb(app, "suspend", "let workflows start nothing new", std::make_shared<ControlFlags>(),
           session);
  auto o = std::make_shared<ControlFlags>();
  const Command resume = add_verb(app, "resume", "resume suspended workflows or nodes", o, session);
  add_node_selector(resume, *o);
  resume.add_option("--message", o->message, "a message for the nodes");
  add_retry(app, session);
  add_node(app, session);
}

}  // namespace tiphys::cli
