#include "notify/event_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "expr/environment.h"
#include "notify/message_text.h"
#include "spec/schema.h"
#include "tag/scan.h"
#include "tag/substitute.h"

namespace tiphys::notify {

namespace {

using expr::Known;
using value::Map;
using value::Value;

// `0` of a list: `failures.0.log`.
const Value* element(const Value& list, std::string_view index) {
  constexpr std::size_t kDigits = 4;
  if (index.empty() || index.size() > kDigits ||
      index.find_first_not_of("0123456789") != std::string_view::npos) {
    return nullptr;
  }
  const auto at = static_cast<std::size_t>(std::stoul(std::string(index)));
  return at < list.list().size() ? &list.list()[at] : nullptr;
}

// Names with dots of their own (labels) are looked for as a whole first.
const Value* walk(const Value& from, std::string_view path) {
  const Value* at = &from;
  while (true) {
    if (const Value* whole = at->map().find(path)) return whole;
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    at = at->is_list() ? element(*at, name) : at->map().find(name);
    if (at == nullptr || dot == std::string_view::npos) return at;
    path.remove_prefix(dot + 1);
  }
}

struct Field {
  std::string_view path;
  Known known;
};

// Of numbers, bools and lists only that they are there: expressions check them when they run.
constexpr Field kFields[] = {
    {"type", Known::kText},
    {"previousPhase", Known::kText},
    {"attempt", Known::kAnything},
    {"shutdown", Known::kText},
    {"trigger", Known::kText},
    {"consecutiveFailures", Known::kAnything},
    {"failures", Known::kAnything},
    {"workflow", Known::kMembers},
    {"workflow.name", Known::kText},
    {"workflow.namespace", Known::kText},
    {"workflow.uid", Known::kText},
    {"workflow.phase", Known::kText},
    {"workflow.message", Known::kText},
    {"workflow.progress", Known::kText},
    {"workflow.startedAt", Known::kText},
    {"workflow.finishedAt", Known::kText},
    {"workflow.duration", Known::kAnything},
    {"workflow.template", Known::kText},
    {"workflow.cronWorkflow", Known::kText},
    {"workflow.generateName", Known::kText},
    {"workflow.url", Known::kText},
    {"workflow.labels", Known::kMembers},
    {"workflow.annotations", Known::kMembers},
    {"node", Known::kMembers},
    {"node.name", Known::kText},
    {"node.displayName", Known::kText},
    {"node.id", Known::kText},
    {"node.type", Known::kText},
    {"node.templateName", Known::kText},
    {"node.phase", Known::kText},
    {"node.message", Known::kText},
    {"node.startedAt", Known::kText},
    {"node.finishedAt", Known::kText},
    {"node.duration", Known::kAnything},
    {"node.exitCode", Known::kText},
    {"node.attempt", Known::kAnything},
    {"node.isAttempt", Known::kAnything},
    {"node.isHook", Known::kAnything},
    {"actions", Known::kMembers},
    {"actions.resume", Known::kText},
    {"actions.stop", Known::kText},
    {"actions.resumeUrl", Known::kText},
    {"actions.stopUrl", Known::kText},
    {"digest", Known::kMembers},
    {"digest.count", Known::kAnything},
    {"digest.since", Known::kText},
    {"digest.events", Known::kAnything},
};

// Members of these may have any name.
constexpr std::string_view kOpen[] = {"workflow.labels.", "workflow.annotations.", "failures."};

bool closes_all(std::string_view text) {
  while (const auto piece = tag::next_piece(text)) {
    if (!piece->closed) return false;
  }
  return true;
}

void find_problems(const Value& v, const std::string& pointer, std::vector<MessageProblem>& out) {
  if (v.is_string() && tag::has_tags(v.as_string())) {
    for (const tag::Tag& tag : tag::find_tags(v.as_string())) {
      std::string suggestion;
      std::string problem;
      if (tag.is_expression) {
        auto program = expr::Program::parse(tag.name);
        problem = program ? expression_problem(*program, suggestion) : program.error().message;
      } else if (known_event_field(tag.name) == Known::kNothing) {
        problem = fmt::format("'{{{{{}}}}}' is no field of an event", tag.name);
        suggestion = nearest_event_field(tag.name);
      }
      if (!problem.empty()) out.push_back({pointer, std::move(problem), std::move(suggestion)});
    }
    if (!closes_all(v.as_string())) {
      out.push_back({pointer, "'{{' without '}}'", "write {{='{{'}} for the braces themselves"});
    }
  }
  std::size_t i = 0;
  for (const Value& item : v.list()) find_problems(item, fmt::format("{}/{}", pointer, i++), out);
  for (const auto& [key, member] : v.map()) {
    find_problems(member, fmt::format("{}/{}", pointer, key), out);
  }
}

}  // namespace

std::optional<Value> EventScope::find(std::string_view name) const {
  if (name == expr::kClockVariable) return Value(now_.ns);
  const Value* v = walk(event_, name);
  if (v == nullptr) return std::nullopt;
  return Value(plain_text(*v));
}

bool EventScope::has_below(std::string_view name) const {
  const Value* v = walk(event_, name);
  return v != nullptr && v->is_map();
}

const Value* EventScope::find_leaf(std::string_view name, Value&) const {
  const Value* v = walk(event_, name);
  return v == nullptr || v->is_map() ? nullptr : v;
}

void EventScope::each(std::string_view root, const Visit& visit) const {
  for (const auto& [name, v] : event_.map()) {
    if (root.empty() || name == root) visit(name, v);
  }
}

Known known_event_field(std::string_view path) {
  for (const Field& field : kFields) {
    if (field.path == path) return field.known;
  }
  const bool is_open =
      std::ranges::any_of(kOpen, [&](std::string_view above) { return path.starts_with(above); });
  return is_open ? Known::kAnything : Known::kNothing;
}

std::string nearest_event_field(std::string_view path) {
  std::vector<std::string_view> all;
  for (const Field& field : kFields) all.push_back(field.path);
  const std::string near = spec::nearest_name(path, all);
  return near.empty() ? "" : fmt::format("did you mean '{}'?", near);
}

std::string expression_problem(const expr::Program& program, std::string& suggestion) {
  for (const std::string& path : program.reads()) {
    if (path == "sprig" || path.starts_with("sprig.")) continue;
    if (known_event_field(path) != Known::kNothing) continue;
    suggestion = nearest_event_field(path);
    return fmt::format("'{}' is no field of an event", path);
  }
  auto checked = program.check(known_event_field);
  return checked ? "" : checked.error().message;
}

namespace {

/// Replaces the tags of one message after the other text in it.
class Renderer {
 public:
  Renderer(const Value& event, clock::Instant now) : scope_(event, now) {}

  [[nodiscard]] Value whole(const Value& v) {
    if (!tag::has_tags(v)) return v;
    if (v.is_string()) return text(v.as_string());
    if (v.is_list()) {
      value::List out;
      for (const Value& item : v.list()) out.push_back(whole(item));
      return out;
    }
    Map out;
    for (const auto& [key, member] : v.map()) out.set(text(key), whole(member));
    return out;
  }
  [[nodiscard]] std::string take_trouble() { return std::move(trouble_); }

 private:
  std::string text(std::string_view rest) {
    std::string out;
    while (const auto piece = tag::next_piece(rest)) {
      out += piece->literal;
      out += piece->closed ? one(piece->inside) : fmt::format("{{{{{}", piece->inside);
      if (!piece->closed) rest = {};
    }
    return out += rest;
  }

  // Tags of the others keep what they cannot resolve, for a later pass; here is none.
  std::string one(std::string_view inside) {
    const std::string whole = fmt::format("{{{{{}}}}}", inside);
    auto result = tag::substitute(whole, scope_, {});
    if (result && *result != whole) return std::move(*result);
    std::string_view name = tag::trim(inside, false);
    if (name.starts_with('=')) name = tag::trim(name.substr(1), false);
    const std::string why = result ? "none" : clean_line(result.error().message);
    if (trouble_.empty()) trouble_ = fmt::format("message: {}: {}", whole, why);
    return fmt::format("({}: {})", name, why);
  }

  EventScope scope_;
  std::string trouble_;
};

}  // namespace

Rendered rendered(const Value& message, const Value& event, clock::Instant now) {
  if (!tag::has_tags(message)) return {.message = message};
  Renderer renderer(event, now);
  Rendered out{.message = renderer.whole(message)};
  out.trouble = renderer.take_trouble();
  return out;
}

bool reads_digest(std::string_view text) {
  const auto is_of_it = [](std::string_view path) {
    return path == "digest" || path.starts_with("digest.") || path.starts_with("digest[");
  };
  return std::ranges::any_of(tag::find_tags(text), [&](const tag::Tag& tag) {
    if (!tag.is_expression) return is_of_it(tag.name);
    const auto program = expr::Program::parse(tag.name);
    return program && std::ranges::any_of(program->reads(), is_of_it);
  });
}

std::vector<MessageProblem> message_problems(const Value& message) {
  std::vector<MessageProblem> out;
  find_problems(message, "", out);
  return out;
}

}  // namespace tiphys::notify
