#include "engine/memoize.h"

#include <utility>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "engine/names.h"
#include "engine/start.h"
#include "engine/transition.h"

namespace tiphys::engine {

namespace {

using value::Map;
using value::Value;

struct Question {
  std::string cache;
  std::string key;
  std::string max_age;
};

Question question_of(const spec::Template& body) {
  const Value& memoize = body.raw["memoize"];
  return {.cache = std::string(memoize["cache"]["configMap"]["name"].string_or("")),
          .key = std::string(memoize["key"].string_or("")),
          .max_age = std::string(memoize["maxAge"].string_or(""))};
}

LookUpCache effect_of(const Machine& m, std::uint32_t ticket, const Value& asked) {
  return {.run = m.run,
          .ticket = ticket,
          .cache = std::string(asked["cacheName"].string_or("")),
          .key = std::string(asked["key"].string_or(""))};
}

// Whether an entry is young enough. Errors: kBadDuration of a maxAge that is no duration.
diag::Result<bool> is_fresh(const Machine& m, const Value& entry, const std::string& max_age) {
  if (max_age.empty()) return true;
  auto limit = clock::parse_go_duration(max_age);  // here Argo takes no bare number of seconds
  if (!limit) {
    return diag::fail(limit.error().code, "invalid maxAge: " + limit.error().message);
  }
  const auto made = clock::parse_rfc3339(entry["creationTimestamp"].string_or(""));
  return made && m.now - *made <= *limit;
}

}  // namespace

bool ask_cache(Machine& m, Start& start, const spec::Template& body) {
  if (!body.has_memoize || start.memoization["hit"].is_bool()) return false;
  const Question q = question_of(body);
  start.memoization = Map{{"key", q.key}, {"cacheName", q.cache}, {"maxAge", q.max_age}};
  const std::uint32_t ticket = ++m.last_ticket;
  m.effects->want(effect_of(m, ticket, start.memoization));
  m.asking.emplace(ticket, std::move(start));
  return true;
}

bool on_cache_answer(Machine& m, const CacheAnswered& event) {
  if (event.run != m.run) return false;
  auto it = m.asking.find(event.ticket);
  if (it == m.asking.end()) return false;
  Start start = std::move(it->second);
  m.asking.erase(it);
  const std::string max_age(start.memoization["maxAge"].string_or(""));
  auto fresh = is_fresh(m, event.entry, max_age);
  std::string error = event.error;
  if (error.empty() && !fresh) error = fresh.error().message;
  const bool is_hit = !event.entry["nodeID"].string_or("").empty() && fresh && *fresh;
  Map status{{"hit", is_hit}};
  status.set("key", start.memoization["key"]);
  status.set("cacheName", start.memoization["cacheName"]);
  start.memoization = std::move(status);
  if (is_hit) start.cached = event.entry["outputs"];
  if (!error.empty()) {
    start.memoization = Value();
    refuse_start(m, start, error);
  } else {
    --start.depth;  // begin_template counts it again
    begin_template(m, std::move(start));
  }
  return true;
}

void begin_cache_hit(Machine& m, const Start& start, const spec::Template& body) {
  const bool is_retried = body.has_retry_strategy;
  const NodeIndex n = create_node_quietly(
      m, start, {.type = is_retried ? spec::NodeType("Retry") : spec::node_type_of(body.kind)});
  Node& node = m.at(n);
  node.inputs = body.inputs;
  node.outputs = start.cached;
  node.phase = Phase::kSucceeded;
  node.finished_at = m.now;
  entered(m, n);
}

void save_to_cache(Machine& m, const Node& n) {
  if (!n.memoization().is_map() || is_cache_hit(n)) return;
  m.effects->want(SaveToCache{.cache = std::string(n.memoization()["cacheName"].string_or("")),
                              .key = std::string(n.memoization()["key"].string_or("")),
                              .node_id = id_of(m, n),
                              .outputs = n.outputs});
}

bool is_cache_hit(const Node& n) {
  return !n.memoization().is_null() && n.memoization()["hit"].bool_or(false);
}

void ask_again(const Machine& m, std::vector<Effect>& effects) {
  for (const auto& [ticket, start] : m.asking) {
    effects.emplace_back(effect_of(m, ticket, start.memoization));
  }
}

}  // namespace tiphys::engine
