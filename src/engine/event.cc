#include "engine/event.h"

#include <array>
#include <utility>

#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

constexpr std::array<std::pair<std::string_view, Control::Verb>, 6> kVerbs = {{
    {"stop", Control::Verb::kStop},
    {"terminate", Control::Verb::kTerminate},
    {"suspend", Control::Verb::kSuspend},
    {"resume", Control::Verb::kResume},
    {"set", Control::Verb::kSet},
    {"retry", Control::Verb::kRetry},
}};

Map leaf_map(const char* kind, const LeafId& leaf) {
  return Map{{"kind", kind},
             {"run", static_cast<std::int64_t>(leaf.run)},
             {"node", static_cast<std::int64_t>(leaf.node)}};
}

Map body_of(const Begin&) { return Map{{"kind", "begin"}}; }

Map body_of(const LeafRunning& e) {
  Map m = leaf_map("running", e.leaf);
  m.set("startedAt", e.started_at.ns);
  return m;
}

Map body_of(const LeafFinished& e) {
  Map m = leaf_map("finished", e.leaf);
  m.set("phase", to_string(e.phase));
  if (!e.message.empty()) m.set("message", e.message);
  if (e.exit_code) m.set("exitCode", *e.exit_code);
  if (!e.outputs.is_null()) m.set("outputs", e.outputs);
  m.set("startedAt", e.started_at.ns);
  m.set("finishedAt", e.finished_at.ns);
  return m;
}

Map body_of(const TimerFired& e) {
  return Map{{"kind", "timer"},
             {"run", static_cast<std::int64_t>(e.run)},
             {"node", static_cast<std::int64_t>(e.node)},
             {"timer", static_cast<std::int64_t>(e.kind)}};
}

Map body_of(const CacheAnswered& e) {
  Map m{{"kind", "cache"},
        {"run", static_cast<std::int64_t>(e.run)},
        {"ticket", static_cast<std::int64_t>(e.ticket)}};
  if (!e.entry.is_null()) m.set("entry", e.entry);
  if (!e.error.empty()) m.set("error", e.error);
  return m;
}

Map body_of(const LocksAnswered& e) {
  Map m{{"kind", "locks"},
        {"run", static_cast<std::int64_t>(e.run)},
        {"ticket", static_cast<std::int64_t>(e.ticket)},
        {"acquired", e.is_acquired}};
  if (!e.waiting.empty()) m.set("waiting", e.waiting);
  if (!e.message.empty()) m.set("message", e.message);
  if (!e.error.empty()) m.set("error", e.error);
  return m;
}

Map body_of(const Control& e) {
  Map m{{"kind", "control"}};
  for (const auto& [word, verb] : kVerbs) {
    if (verb == e.verb) m.set("verb", word);
  }
  if (!e.arguments.is_null()) m.set("arguments", e.arguments);
  return m;
}

LeafId leaf_of(const Value& v) {
  return {.run = static_cast<std::uint32_t>(v["run"].int_or(0)),
          .node = static_cast<NodeIndex>(v["node"].int_or(kNoNode))};
}

diag::Result<LeafFinished> finished_of(const Value& v) {
  LeafFinished e;
  e.leaf = leaf_of(v);
  auto phase = parse_phase(v["phase"].string_or(""));
  if (!phase) return diag::fail(diag::Code::kInternal, "an event of the log has no phase");
  e.phase = *phase;
  e.message = v["message"].string_or("");
  if (v["exitCode"].is_int()) e.exit_code = static_cast<int>(v["exitCode"].as_int());
  e.outputs = v["outputs"];
  e.started_at.ns = v["startedAt"].int_or(0);
  e.finished_at.ns = v["finishedAt"].int_or(0);
  return e;
}

}  // namespace

std::optional<Control::Verb> parse_verb(std::string_view word) {
  for (const auto& [name, verb] : kVerbs) {
    if (name == word) return verb;
  }
  return std::nullopt;
}

std::string to_json(const Event& event) {
  Map m = std::visit([](const auto& body) { return body_of(body); }, event.body);
  m.set("at", event.at.ns);
  return value::to_json(m, {.key_order = value::KeyOrder::kAsGiven, .escape_html = false});
}

diag::Result<Event> parse_event(std::string_view json) {
  TRY(const Value v, value::parse_json(json));
  Event event;
  event.at.ns = v["at"].int_or(0);
  const std::string_view kind = v["kind"].string_or("");
  if (kind == "begin") {
    event.body = Begin{};
  } else if (kind == "running") {
    event.body = LeafRunning{.leaf = leaf_of(v), .started_at = {v["startedAt"].int_or(0)}};
  } else if (kind == "finished") {
    TRY(event.body, finished_of(v));
  } else if (kind == "timer") {
    event.body = TimerFired{.run = static_cast<std::uint32_t>(v["run"].int_or(0)),
                            .node = static_cast<NodeIndex>(v["node"].int_or(kNoNode)),
                            .kind = static_cast<TimerKind>(v["timer"].int_or(0))};
  } else if (kind == "cache") {
    event.body = CacheAnswered{.run = static_cast<std::uint32_t>(v["run"].int_or(0)),
                               .ticket = static_cast<std::uint32_t>(v["ticket"].int_or(0)),
                               .entry = v["entry"],
                               .error = std::string(v["error"].string_or(""))};
  } else if (kind == "locks") {
    event.body = LocksAnswered{.run = static_cast<std::uint32_t>(v["run"].int_or(0)),
                               .ticket = static_cast<std::uint32_t>(v["ticket"].int_or(0)),
                               .is_acquired = v["acquired"].bool_or(false),
                               .waiting = std::string(v["waiting"].string_or("")),
                               .message = std::string(v["message"].string_or("")),
                               .error = std::string(v["error"].string_or(""))};
  } else if (auto verb = parse_verb(v["verb"].string_or("")); kind == "control" && verb) {
    event.body = Control{.verb = *verb, .arguments = v["arguments"]};
  } else {
    return diag::fail(diag::Code::kInternal, "an event of the log has no known kind");
  }
  return event;
}

}  // namespace tiphys::engine
