#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "cli/commands.h"
#include "cli/inputs.h"
#include "cli/rehearse.h"
#include "cli/show.h"
#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "sim/outcomes.h"
#include "sim/rehearsal.h"
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
  bool all_outcomes = false;
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

std::string header_text(const Value& header) {
  const Value& secret = header["valueFrom"]["secretKeyRef"];
  if (!secret.is_map()) return std::string(header["value"].string_or(""));
  return fmt::format("(secret {}/{})", secret["name"].string_or(""), secret["key"].string_or(""));
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

std::string letter_text(const RehearsedLetter& l) {
  std::string to = l.channel;
  if (!l.kind.empty()) to += fmt::format(" ({})", l.kind);
  if (!l.destination.empty()) to += " " + l.destination;
  std::string text =
      fmt::format("{:>8}  {:<10} {} by rule {}", seconds(l.at), "Notifies", to, l.rule);
  if (l.not_before.is_set()) text += ", sent at " + clock::rfc3339(l.not_before);
  text += "\n";
  if (!l.problem.empty()) text += fmt::format("{:>8}  ! {}\n", "", l.problem);
  std::string lines =
      l.title.empty() || l.text.starts_with(l.title) ? l.text : l.title + "\n" + l.text;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    text += fmt::format("{:>8}  | {}\n", "", lines.substr(at, end - at));
    at = end + 1;
  }
  return text;
}

// Letters come in the order of the changes; digests at the end.
void print_timeline(const sim::Rehearsal& rehearsal, const RehearsedRules& rules) {
  std::size_t next = 0;
  const auto& letters = rules.letters();
  const auto print_letters = [&](clock::Duration until) {
    for (; next < letters.size() && letters[next].at < until; ++next) {
      print_text(letter_text(letters[next]));
    }
  };
  for (const sim::Change& c : rehearsal.changes()) {
    print_letters(c.at);
    print_text(fmt::format("{:>8}  {:<10} {}{}{}\n", seconds(c.at), c.phase, c.node,
                           c.message.empty() ? "" : ": ", c.message));
    if (c.phase != "Running") continue;
    for (const sim::Sent& sent : rehearsal.sent()) {
      if (sent.node == c.node && sent.at == c.at) print_text(request_text(sent));
    }
  }
  print_letters({INT64_MAX});
}

Value as_object(const RehearsedLetter& l) {
  Map letter{{"at", seconds(l.at)},  {"rule", l.rule}, {"trigger", l.trigger},
             {"channel", l.channel}, {"kind", l.kind}, {"destination", l.destination},
             {"title", l.title},     {"text", l.text}};
  if (!l.link.empty()) letter.set("link", l.link);
  if (l.not_before.is_set()) letter.set("notBefore", clock::rfc3339(l.not_before));
  if (!l.problem.empty()) letter.set("problem", l.problem);
  return letter;
}

Value as_object(const sim::Rehearsal& rehearsal, const RehearsedRules& rules) {
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
  List letters;
  for (const RehearsedLetter& letter : rules.letters()) letters.push_back(as_object(letter));
  return Map{{"timeline", std::move(timeline)},
             {"requests", std::move(requests)},
             {"notifications", std::move(letters)},
             {"workflow", rehearsal.workflow()}};
}

constexpr std::size_t kOutcomesMax = 200;

Value as_object(const sim::Outcome& outcome) {
  List fails;
  for (const std::string& name : outcome.fails) fails.emplace_back(name);
  List hooks;
  for (const std::string& name : outcome.hooks) hooks.emplace_back(name);
  return Map{{"fails", std::move(fails)},
             {"phase", outcome.phase},
             {"hooks", std::move(hooks)},
             {"requests", static_cast<std::int64_t>(outcome.requests)}};
}

diag::Result<void> show_outcomes(const engine::Definition& definition, const sim::Script& script,
                                 const std::string& output) {
  const auto outcomes = sim::all_outcomes(definition, script, kOutcomesMax);
  List list;
  std::size_t width = 0;
  std::vector<std::string> titles;
  for (const sim::Outcome& outcome : outcomes) {
    list.push_back(as_object(outcome));
    titles.push_back(outcome.fails.empty()
                         ? "nothing fails"
                         : fmt::format("fails: {}", fmt::join(outcome.fails, ", ")));
    width = std::max(width, titles.back().size());
  }
  if (output == "json") {
    print_text(
        value::to_json(
            list, {.key_order = value::KeyOrder::kAsGiven, .indent = 4, .escape_html = false}) +
        "\n");
  }
  for (std::size_t i = 0; i < outcomes.size() && output.empty(); ++i) {
    const sim::Outcome& o = outcomes[i];
    print_text(fmt::format(
        "{:<{}}  {:<10} {}\n", titles[i], width, o.phase,
        o.hooks.empty() ? "no hook fires" : fmt::format("fires: {}", fmt::join(o.hooks, ", "))));
  }
  if (outcomes.size() >= kOutcomesMax) {
    fmt::print(stderr, "warning: there may be more than these {} outcomes\n", kOutcomesMax);
  }
  return {};
}

void tell_missing(const sim::Rehearsal& rehearsal) {
  for (const sim::Missing& m : rehearsal.missing()) {
    fmt::print(stderr,
               "error: '{}' waits for its output parameter '{}', which nobody supplies: give "
               "--output-parameter '{}.{}=VALUE'\n",
               m.node, m.parameter, m.node, m.parameter);
  }
}

diag::Result<void> simulate(SimulateOptions& o, Session& session) {
  if (!o.output.empty() && o.output != "json") {
    return wrong_usage(fmt::format("unknown output format '{}': want json", o.output));
  }
  TRY(const sim::Script script, script_of(o));
  TRY_VOID(load_parameter_file(o.overrides));
  RuleSource source;
  TRY(engine::Definition definition,
      definition_to_rehearse(o.files, o.overrides, o.defaults, session, &source));
  if (o.all_outcomes) return show_outcomes(definition, script, o.output);
  TRY(const runtime::Config config, runtime::Config::from_environment());
  RehearsedRules rules(std::move(source), definition, sim::Rehearsal::beginning(), config.url);
  sim::Rehearsal rehearsal(std::move(definition), script);
  rehearsal.watch([&](const engine::Engine& engine, const auto& transitions, clock::Instant at) {
    rules.saw(engine, transitions, at);
  });
  rehearsal.run();
  rules.end();
  const Value workflow = rehearsal.workflow();
  if (o.output == "json") {
    print_text(value::to_json(as_object(rehearsal, rules),
                              {.key_order = value::KeyOrder::kAsGiven, .indent = 4}) +
               "\n");
  } else {
    print_timeline(rehearsal, rules);
    view::GetOptions view = view_options(session);
    view.now = rehearsal.now();
    print_text("\n" + view::format_workflow(workflow, view));
  }
  if (rehearsal.changes().size() >= sim::Rehearsal::kChangesMax) {
    fmt::print(stderr, "warning: given up after {} changes: the workflow does not seem to end\n",
               sim::Rehearsal::kChangesMax);
  }
  for (const std::string& line : rehearsal.unused()) {
    fmt::print(stderr, "warning: {}\n", line);
  }
  tell_missing(rehearsal);
  if (workflow["status"]["phase"].string_or("") != "Succeeded") session.exit_code = 1;
  return {};
}

}  // namespace

void add_simulate(Command app, Session& session) {
  auto o = std::make_shared<SimulateOptions>();
  const Command command = add_command(
      app, "simulate", "show what a workflow would do, in virtual time", session, [o, &session] {
        o->overrides.name_space = session.name_space;
        return simulate(*o, session);
      });
  command.add_option("FILE", o->files, "manifests; - is stdin").required();
  command
      .add_option("--fail", o->fail,
                  "this step or task fails: NAME or NAME=EXITCODE; a suspended one, too")
      .one_word_each();
  command.add_option("--result", o->results, "what it prints: NAME=TEXT").one_word_each();
  command
      .add_option("--output-parameter", o->outputs,
                  "NAME.PARAMETER=VALUE, also of a suspended step")
      .one_word_each();
  command.add_option("--duration", o->durations, "how long it takes (default 1s): NAME=30s")
      .one_word_each();
  command.add_flag("--all-outcomes", o->all_outcomes,
                   "let each leaf fail in turn; a line for each: how it ends, which hooks fire");
  command.add_option("--seed", o->seed, "take random durations, the same for each seed");
  command.add_option("-o,--output", o->output, "json: timeline, requests and the workflow");
  command.add_option("--workflow-defaults", o->defaults, "a file with Argo's workflowDefaults");
  add_override_flags(command, o->overrides);
}

}  // namespace tiphys::cli
