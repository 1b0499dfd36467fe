#include "engine/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "value/json.h"

namespace tiphys::engine {

namespace {

using value::Value;

constexpr std::array<std::pair<std::string_view, Control::Verb>, 7> kVerbs = {{
    {"stop", Control::Verb::kStop},
    {"terminate", Control::Verb::kTerminate},
    {"suspend", Control::Verb::kSuspend},
    {"resume", Control::Verb::kResume},
    {"set", Control::Verb::kSet},
    {"retry", Control::Verb::kRetry},
    {"relabel", Control::Verb::kRelabel},
}};

constexpr value::JsonStyle kCompact{.key_order = value::KeyOrder::kAsGiven, .escape_html = false};

// Those of leaves are most of a log, so their keys are short and their times count back from `at`.
// An event is written without its closing brace: `at` follows.
void append_number(std::string& out, std::string_view key, std::int64_t v) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), v);
  out += key;
  out.append(digits.data(), end);
}

void append_leaf(std::string& out, std::string_view kind, const LeafId& leaf) {
  append_number(out, kind, leaf.node);
  append_number(out, R"(,"r":)", leaf.run);
}

void append_time(std::string& out, std::string_view key, clock::Instant t, clock::Instant at) {
  if (t.is_set()) append_number(out, key, (at - t).ns);
}

void append_text(std::string& out, const char* key, const std::string& text) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(out), R"(,"{}":)", key);
  value::append_json_string(out, text, false);
}

void append_body(std::string& out, const Begin&, clock::Instant) { out += R"({"kind":"begin")"; }

void append_body(std::string& out, const LeafRunning& e, clock::Instant at) {
  append_leaf(out, R"({"b":)", e.leaf);
  append_time(out, R"(,"s":)", e.started_at, at);
  append_text(out, "host", e.place.host);
  append_text(out, "ip", e.place.ip);
}

void append_body(std::string& out, const LeafFinished& e, clock::Instant at) {
  append_leaf(out, R"({"e":)", e.leaf);
  if (e.phase != Phase::kSucceeded) {
    out += R"(,"p":")";
    out += to_string(e.phase);
    out += '"';
  }
  append_text(out, "m", e.message);
  if (e.exit_code) append_number(out, R"(,"x":)", *e.exit_code);
  if (!e.outputs.is_null()) out += R"(,"o":)" + value::to_json(e.outputs, kCompact);
  append_time(out, R"(,"s":)", e.started_at, at);
  append_time(out, R"(,"f":)", e.finished_at, at);
}

void append_body(std::string& out, const LeafProgress& e, clock::Instant) {
  fmt::format_to(std::back_inserter(out), R"({{"kind":"progress","run":{},"node":{})", e.leaf.run,
                 e.leaf.node);
  append_text(out, "progress", e.progress);
  append_text(out, "waiting", e.waiting);
}

void append_body(std::string& out, const TimerFired& e, clock::Instant) {
  fmt::format_to(std::back_inserter(out), R"({{"kind":"timer","run":{},"node":{},"timer":{})",
                 e.run, e.node, static_cast<int>(e.kind));
}

void append_body(std::string& out, const CacheAnswered& e, clock::Instant) {
  fmt::format_to(std::back_inserter(out), R"({{"kind":"cache","run":{},"ticket":{})", e.run,
                 e.ticket);
  if (!e.entry.is_null()) out += R"(,"entry":)" + value::to_json(e.entry, kCompact);
  append_text(out, "error", e.error);
}

void append_body(std::string& out, const LocksAnswered& e, clock::Instant) {
  fmt::format_to(std::back_inserter(out), R"({{"kind":"locks","run":{},"ticket":{},"acquired":{})",
                 e.run, e.ticket, e.is_acquired);
  append_text(out, "waiting", e.waiting);
  append_text(out, "message", e.message);
  append_text(out, "error", e.error);
}

void append_body(std::string& out, const ArtifactsCollected& e, clock::Instant) {
  fmt::format_to(std::back_inserter(out), R"({{"kind":"artifacts","run":{})", e.run);
  append_text(out, "strategy", e.strategy);
  out += R"(,"results":)" + value::to_json(e.results, kCompact);
}

void append_body(std::string& out, const Control& e, clock::Instant) {
  out += R"({"kind":"control")";
  for (const auto& [word, verb] : kVerbs) {
    if (verb == e.verb) fmt::format_to(std::back_inserter(out), R"(,"verb":"{}")", word);
  }
  if (!e.arguments.is_null()) out += R"(,"arguments":)" + value::to_json(e.arguments, kCompact);
}

// A number that no log of ours holds reads as `otherwise`, which is nobody's.
std::uint32_t number_of(const Value& v, std::uint32_t otherwise = 0) {
  const std::int64_t number = v.int_or(otherwise);
  return std::in_range<std::uint32_t>(number) ? static_cast<std::uint32_t>(number) : otherwise;
}

// The phase in which a leaf has ended.
diag::Result<Phase> end_of(std::string_view word) {
  const auto phase = parse_phase(word);
  if (phase && is_completed(*phase)) return *phase;
  return diag::fail(diag::Code::kInternal, "a leaf of the log has ended in no known phase");
}

// The form of leaves' events since version 4 of the store: {"b": node, ...} begins, {"e": node,
// ...} ends.
LeafId short_leaf_of(const Value& v, std::string_view key) {
  return {.run = number_of(v["r"]), .node = number_of(v[key], kNoNode)};
}

clock::Instant short_time_of(const Value& v, std::string_view key, clock::Instant at) {
  return v[key].is_int() ? at - clock::Duration{v[key].as_int()} : clock::Instant{};
}

diag::Result<LeafFinished> short_finished_of(const Value& v, clock::Instant at) {
  LeafFinished e;
  e.leaf = short_leaf_of(v, "e");
  TRY(e.phase, end_of(v["p"].string_or("Succeeded")));
  e.message = v["m"].string_or("");
  if (v["x"].is_int()) e.exit_code = static_cast<int>(v["x"].as_int());
  e.outputs = v["o"];
  e.started_at = short_time_of(v, "s", at);
  e.finished_at = short_time_of(v, "f", at);
  return e;
}

LeafId leaf_of(const Value& v) {
  return {.run = number_of(v["run"]), .node = number_of(v["node"], kNoNode)};
}

diag::Result<LeafFinished> finished_of(const Value& v) {
  LeafFinished e;
  e.leaf = leaf_of(v);
  TRY(e.phase, end_of(v["phase"].string_or("")));
  e.message = v["message"].string_or("");
  if (v["exitCode"].is_int()) e.exit_code = static_cast<int>(v["exitCode"].as_int());
  e.outputs = v["outputs"];
  e.started_at.ns = v["startedAt"].int_or(0);
  e.finished_at.ns = v["finishedAt"].int_or(0);
  return e;
}

/// Reads a text from its beginning; what was taken is gone.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  [[nodiscard]] std::string_view rest() const { return rest_; }
  /// Takes exactly `text`, or nothing.
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  /// Takes a number of that type, or nothing. (std::from_chars takes three times as long.)
  template <typename Number>
  bool take_number(Number& n) {
    constexpr std::size_t kDigitsMax = 19;  // those of any std::int64_t
    const bool is_negative = rest_.starts_with('-');
    const std::size_t first = is_negative ? 1 : 0;
    std::size_t i = first;
    std::uint64_t v = 0;
    for (; i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9'; ++i) {
      if (i - first == kDigitsMax) return false;
      v = v * 10 + static_cast<std::uint64_t>(rest_[i] - '0');
    }
    if (i == first || !std::in_range<std::int64_t>(v)) return false;
    const auto number = static_cast<std::int64_t>(v);
    if (!std::in_range<Number>(is_negative ? -number : number)) return false;
    n = static_cast<Number>(is_negative ? -number : number);
    rest_.remove_prefix(i);
    return true;
  }

 private:
  std::string_view rest_;
};

bool take_leaf(Cursor& c, LeafId& leaf) {
  return c.take_number(leaf.node) && c.take(R"(,"r":)") && c.take_number(leaf.run);
}

// How long before `at` something was, which becomes its time when `at` is known.
bool take_time(Cursor& c, std::string_view key, std::optional<clock::Duration>& ago) {
  return !c.take(key) || c.take_number(ago.emplace().ns);
}

// Most of a log are leaves that began, or that ended well and left nothing but an exit code. They
// are read as append_body() wrote them, without a JSON value of each; false for any other event.
bool take_plain_event(Cursor& c, Event& event) {
  std::optional<clock::Duration> started;
  std::optional<clock::Duration> finished;
  const auto time_of = [&](const std::optional<clock::Duration>& ago) {
    return ago ? event.at - *ago : clock::Instant{};
  };
  const auto at = [&] {
    return c.take(R"(,"at":)") && c.take_number(event.at.ns) && c.take("}") && event.at.ns >= 0;
  };
  if (c.take(R"({"b":)")) {
    auto& e = event.body.emplace<LeafRunning>();
    if (!take_leaf(c, e.leaf) || !take_time(c, R"(,"s":)", started) || !at()) return false;
    e.started_at = time_of(started);
    return true;
  }
  if (!c.take(R"({"e":)")) return false;
  auto& e = event.body.emplace<LeafFinished>();
  if (!take_leaf(c, e.leaf) || (c.take(R"(,"x":)") && !c.take_number(e.exit_code.emplace())))
    return false;
  if (!take_time(c, R"(,"s":)", started) || !take_time(c, R"(,"f":)", finished)) return false;
  if (!at()) return false;
  e.started_at = time_of(started);
  e.finished_at = time_of(finished);
  return true;
}

// Reads the plain events at the beginning of a list; gives the text of the list of the others.
std::string list_without_plain(std::string_view json, std::vector<Event>& events) {
  constexpr std::size_t kUsualSize = 48;
  Cursor c(json);
  if (!c.take("[")) return std::string(json);
  events.reserve(json.size() / kUsualSize);
  for (;;) {
    const Cursor before = c;
    if (!take_plain_event(c, events.emplace_back())) {
      events.pop_back();
      return '[' + std::string(before.rest());
    }
    if (!c.take(",")) return '[' + std::string(c.rest());
  }
}

diag::Result<Event> event_of(const Value& v) {
  Event event;
  event.at.ns = std::max<std::int64_t>(v["at"].int_or(0), 0);
  const std::string_view kind = v["kind"].string_or("");
  if (v["e"].is_int()) {
    TRY(event.body, short_finished_of(v, event.at));
  } else if (v["b"].is_int()) {
    event.body = LeafRunning{.leaf = short_leaf_of(v, "b"),
                             .started_at = short_time_of(v, "s", event.at),
                             .place = {.host = std::string(v["host"].string_or("")),
                                       .ip = std::string(v["ip"].string_or(""))}};
  } else if (kind == "begin") {
    event.body = Begin{};
  } else if (kind == "running") {
    event.body = LeafRunning{.leaf = leaf_of(v), .started_at = {v["startedAt"].int_or(0)}};
  } else if (kind == "progress") {
    event.body = LeafProgress{.leaf = leaf_of(v),
                              .progress = std::string(v["progress"].string_or("")),
                              .waiting = std::string(v["waiting"].string_or(""))};
  } else if (kind == "finished") {
    TRY(event.body, finished_of(v));
  } else if (kind == "timer") {
    event.body = TimerFired{.run = number_of(v["run"]),
                            .node = number_of(v["node"], kNoNode),
                            .kind = static_cast<TimerKind>(number_of(v["timer"]) & 0xFFU)};
  } else if (kind == "cache") {
    event.body = CacheAnswered{.run = number_of(v["run"]),
                               .ticket = number_of(v["ticket"]),
                               .entry = v["entry"],
                               .error = std::string(v["error"].string_or(""))};
  } else if (kind == "locks") {
    event.body = LocksAnswered{.run = number_of(v["run"]),
                               .ticket = number_of(v["ticket"]),
                               .is_acquired = v["acquired"].bool_or(false),
                               .waiting = std::string(v["waiting"].string_or("")),
                               .message = std::string(v["message"].string_or("")),
                               .error = std::string(v["error"].string_or(""))};
  } else if (kind == "artifacts") {
    event.body = ArtifactsCollected{.run = number_of(v["run"]),
                                    .strategy = std::string(v["strategy"].string_or("")),
                                    .results = v["results"]};
  } else if (auto verb = parse_verb(v["verb"].string_or("")); kind == "control" && verb) {
    event.body = Control{.verb = *verb, .arguments = v["arguments"]};
  } else {
    return diag::fail(diag::Code::kInternal, "an event of the log has no known kind");
  }
  return event;
}

}  // namespace

std::optional<Control::Verb> parse_verb(std::string_view word) {
  for (const auto& [name, verb] : kVerbs) {
    if (name == word) return verb;
  }
  return std::nullopt;
}

void append_json(std::string& out, const Event& event) {
  std::visit([&](const auto& body) { append_body(out, body, event.at); }, event.body);
  append_number(out, R"(,"at":)", event.at.ns);
  out += '}';
}

diag::Result<void> parse_events(std::string_view json, std::vector<Event>& events) {
  events.clear();
  const std::string others = list_without_plain(json, events);
  if (others == "[]" && !events.empty()) return {};
  TRY(const Value v, value::parse_json(others));
  if (!v.is_list()) {
    TRY(Event event, event_of(v));
    events.push_back(std::move(event));
    return {};
  }
  for (const Value& element : v.list()) {
    TRY(Event event, event_of(element));
    events.push_back(std::move(event));
  }
  return {};
}

diag::Result<std::vector<Event>> parse_events(std::string_view json) {
  std::vector<Event> events;
  TRY_VOID(parse_events(json, events));
  return events;
}

}  // namespace tiphys::engine
