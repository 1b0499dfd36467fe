#include "runtime/hook_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "clock/go_duration.h"
#include "notify/secrets_fill.h"
#include "observe/log.h"
#include "runtime/http_hooks.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;
using Kind = notify::Verdict::Kind;

constexpr std::size_t kAnswerKept = 1024;  // bytes of an answer
constexpr const char* kPrefix = "msg_";
constexpr const char* kGivenUp = "its step was given up";

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

// Whether the node is a hook, an exit handler, or part of one, and no retryStrategy within that
// makes it again when it fails.
bool is_sent_once_by_a_hook(const engine::Engine& engine, engine::NodeIndex i) {
  while (i != engine::kNoNode) {
    const engine::Node& n = engine.node(i);
    if (n.owner_kind == engine::OwnerKind::kRetry) return false;
    if (n.hooked) return true;
    i = n.owner != engine::kNoNode ? n.owner : n.boundary;
  }
  return false;
}

std::string host_of(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) {
    url.remove_prefix(user + 1);
  }
  return std::string(url);
}

value::Value as_value(const notify::Schedule& schedule) {
  List waits;
  for (const clock::Duration wait : schedule.waits) waits.emplace_back(clock::go_duration(wait));
  return waits;
}

notify::Schedule schedule_of(const Value& payload) {
  notify::Schedule schedule;
  for (const Value& wait : payload["retries"].list()) {
    if (auto d = clock::parse_duration(wait.string_or(""))) schedule.waits.push_back(*d);
  }
  return schedule.waits.empty() ? notify::Schedule::standard() : schedule;
}

// What the node's outcome means for the message. The node's own phase is the judge: a
// successCondition may want a 404, and may refuse a 200.
notify::Verdict verdict_of(const executor::Outcome& outcome, clock::Instant now) {
  if (outcome.phase == executor::Outcome::Phase::kSucceeded) return {};
  const std::string why = observe::without_urls(outcome.message);
  if (!outcome.http) return {.kind = Kind::kRefused, .reason = why};  // nothing was sent
  if (outcome.http->status == 0) return {.kind = Kind::kRetry, .reason = why};
  notify::Answer answer{.status = outcome.http->status,
                        .headers = {},
                        .body = std::string(outcome.outputs["result"].string_or("")),
                        .error = {}};
  if (!outcome.http->retry_after.empty()) {
    answer.headers.emplace_back("retry-after", outcome.http->retry_after);
  }
  notify::Verdict verdict = notify::judge_http(answer, now);
  if (verdict.kind == Kind::kDelivered) return {.kind = Kind::kRefused, .reason = why};
  return verdict;
}

// The request under the key that its first attempt had.
Value with_key(const Value& http, const std::string& key) {
  Map request = http.map();
  List headers = http["headers"].list();
  const bool has_own = std::ranges::any_of(headers, [](const Value& header) {
    std::string name(header["name"].string_or(""));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name == "idempotency-key";
  });
  if (!has_own) headers.emplace_back(Map{{"name", "Idempotency-Key"}, {"value", key}});
  request.set("headers", std::move(headers));
  return request;
}

}  // namespace

void HookRequests::add(const WorkflowRun& run, const engine::LeafId& leaf, const engine::Leaf& what,
                       clock::Instant now) {
  const Value metadata = run.engine().metadata();
  HttpHookRules rules = http_hook_rules(what.body, metadata, ports_.config.http_hooks);
  if (rules.mode == HttpHooks::kOnce) return;
  const std::string key = leaf_key(run.uid(), leaf);
  store::DeliveryRow row{.id = kPrefix + key,
                         .uid = run.uid(),
                         .name_space = std::string(metadata["namespace"].string_or("")),
                         .workflow = std::string(metadata["name"].string_or("")),
                         .node = what.node_name,
                         .channel = kKind,
                         .kind = kKind,
                         .destination = host_of(what.body["http"]["url"].string_or("")),
                         .state = "pending",
                         .created_at = now,
                         .next_at = now};
  Map payload{{"http", what.body["http"]}, {"leaf", key}, {"retries", as_value(rules.schedule)}};
  if (rules.mode == HttpHooks::kAwait) payload.set("await", true);
  Value whole(std::move(payload));
  row.payload = value::to_json(whole, kCompact);
  rows_.push_back(row);
  take_in(std::move(row), std::move(whole));
}

void HookRequests::prepare(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                           clock::Instant now) {
  const engine::Engine& engine = run.engine();
  for (const engine::Effect& effect : effects) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr || start->leaf.run != engine.run()) continue;
    if (engine.node(start->leaf.node).type != "HTTP") continue;
    if (!is_sent_once_by_a_hook(engine, start->leaf.node)) continue;
    const engine::Leaf what = engine.leaf(start->leaf.node);
    if (!what.body.is_null()) add(run, start->leaf, what, now);
  }
}

HookRequests::Item& HookRequests::take_in(store::DeliveryRow row, Value payload) {
  row.payload.clear();
  const std::string id = row.id;
  ports_.custody.open(row.uid);
  notify::Schedule schedule = schedule_of(payload);
  return items_
      .insert_or_assign(id, Item{.row = std::move(row),
                                 .payload = std::move(payload),
                                 .schedule = std::move(schedule)})
      .first->second;
}

// From here on the outbox decides when.
void HookRequests::queue(Item& item, clock::Instant now) {
  item.is_queued = true;
  outbox_.add({.id = item.row.id,
               .lane = item.row.id,
               .endpoint = item.row.destination,
               .schedule = item.schedule,
               .attempts = item.row.attempts,
               .next_at = item.row.next_at},
              now);
}

diag::Result<void> HookRequests::adopt(const WorkflowRun& run,
                                       std::vector<engine::Effect>& outstanding,
                                       clock::Instant now) {
  std::set<std::string> open;
  for (const engine::Effect& effect : outstanding) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start != nullptr) open.insert(leaf_key(run.uid(), start->leaf));
  }
  TRY(const auto rows, ports_.store.load_deliveries({.uid = run.uid(), .state = "pending"}));
  std::set<std::string> held;
  for (const store::DeliveryRow& row : rows) {
    if (row.kind != kKind || items_.contains(row.id)) continue;
    TRY(const std::string text, ports_.store.delivery_payload(row.id));
    TRY(Value payload, value::parse_json(text));
    const std::string key(payload["leaf"].string_or(""));
    Item& item = take_in(row, std::move(payload));
    if (row.attempts > 0) {
      queue(item, now);
      held.insert(key);
    } else if (!open.contains(key)) {
      withdraw(row.id, kGivenUp, now);  // just before the crash
    }
  }
  std::erase_if(outstanding, [&](const engine::Effect& effect) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    return start != nullptr && held.contains(leaf_key(run.uid(), start->leaf));
  });
  return {};
}

bool HookRequests::is_changed(const std::string& id) const {
  return std::ranges::find(rows_, id, &store::DeliveryRow::id) != rows_.end();
}

std::size_t HookRequests::adopt_orphans(Custody::Whose whose, clock::Instant now) {
  auto rows = ports_.store.load_deliveries({.state = "pending"});
  if (!rows) return 0;
  put_soonest_first(*rows);
  std::size_t taken = 0;
  for (const store::DeliveryRow& row : *rows) {
    if (row.kind != kKind || items_.contains(row.id) || is_changed(row.id)) continue;
    if (!ports_.custody.may_send(row.uid, whose)) continue;
    const auto text = ports_.store.delivery_payload(row.id);
    if (!text) continue;
    auto payload = value::parse_json(*text);
    if (!payload) continue;
    queue(take_in(row, std::move(*payload)), now);
    ++taken;
  }
  ports_.custody.drop_unused();
  return taken;
}

void HookRequests::withdraw(const std::string& id, const char* why, clock::Instant now) {
  store::DeliveryRow& row = items_.at(id).row;
  store::discard(row, why, now);
  rows_.push_back(row);
  forget(id);
}

void HookRequests::cancel(const std::string& leaf_key, clock::Instant now) {
  const std::string id = kPrefix + leaf_key;
  const auto found = items_.find(id);
  if (found == items_.end()) return;
  if (found->second.is_queued && !outbox_.discard(id, now)) return;  // under way: it may arrive
  withdraw(id, kGivenUp, now);
}

std::optional<HookRequests::Withdrawn> HookRequests::discard(const std::string& id, const char* why,
                                                             clock::Instant now) {
  const auto found = items_.find(id);
  if (found == items_.end() || !found->second.is_queued || !outbox_.discard(id, now)) {
    return std::nullopt;
  }
  const Item& item = found->second;
  Withdrawn withdrawn{.leaf = item.payload["await"].bool_or(false)
                                  ? std::string(item.payload["leaf"].string_or(""))
                                  : "",
                      .since = item.row.created_at};
  withdraw(id, why, now);
  return withdrawn;
}

void HookRequests::drop(const std::string& uid, clock::Instant now) {
  std::erase_if(items_, [&](const auto& entry) {
    if (entry.second.row.uid != uid) return false;
    if (entry.second.is_queued) outbox_.discard(entry.first, now);
    return true;
  });
  std::erase_if(rows_, [&](const store::DeliveryRow& row) { return row.uid == uid; });
}

void HookRequests::forget(const std::string& id) {
  const std::string uid = items_.at(id).row.uid;
  items_.erase(id);
  ports_.custody.close(uid);
}

void HookRequests::note_attempt(const Item& item, const executor::Outcome& outcome) {
  // The text of what failed may repeat what was sent.
  const auto secret = [&](const std::string& name, const std::string& key) {
    return ports_.lookup.secret(item.row.name_space, name, key);
  };
  std::vector<std::string> secrets;
  if (auto filled = notify::fill_secrets(item.payload["http"]["headers"], secret)) {
    secrets = std::move(filled->secrets);
  }
  notify::add_literal_secrets("", item.payload["http"], secrets);
  const bool has_answer = outcome.http && outcome.http->status != 0;
  const std::string_view body = outcome.outputs["result"].string_or("");
  attempts_.push_back(
      {.delivery = item.row.id,
       .number = item.row.attempts,
       .at = outcome.started_at,
       .latency = outcome.finished_at - outcome.started_at,
       .status = item.row.status,
       .answer = notify::redacted(std::string(body), secrets).substr(0, kAnswerKept),
       .error = has_answer || outcome.message.empty()
                    ? ""
                    : notify::redacted(observe::without_urls(outcome.message), secrets)});
}

void HookRequests::note_outage(const store::DeliveryRow& row, bool is_delivered) {
  constexpr std::uint32_t kAfter = 3;
  const auto turn = outages_.note(row.destination, is_delivered, kAfter);
  if (turn == notify::Outages::Turn::kBegins) {
    observe::log(observe::LogLevel::kError, "notifications fail",
                 {{"channel", kKind}, {"host", row.destination}, {"error", row.reason}});
  } else if (turn == notify::Outages::Turn::kEnds) {
    observe::log(observe::LogLevel::kInfo, "notifications arrive again",
                 {{"channel", kKind}, {"host", row.destination}});
  }
}

std::optional<Ended> HookRequests::settle(Ended ended, clock::Instant now) {
  const bool is_repeated = ended.key.starts_with(kPrefix);
  const auto found = items_.find(is_repeated ? ended.key : kPrefix + ended.key);
  if (found == items_.end()) {
    const std::string id = is_repeated ? ended.key : kPrefix + ended.key;
    if (outbox_.contains(id)) {  // another engine has it now
      (void)outbox_.settle(id, {.kind = Kind::kRefused}, now);
    }
    if (is_repeated) return std::nullopt;
    return ended;
  }
  Item& item = found->second;
  const notify::Verdict verdict = verdict_of(ended.outcome, now);
  store::DeliveryRow& row = item.row;
  const notify::Ruling ruling =
      item.is_queued ? outbox_.settle(row.id, verdict, now)
                     : notify::rule(row.id, item.schedule, row.attempts, verdict, now);
  row.attempts = ruling.attempts;
  row.status = ended.outcome.http ? ended.outcome.http->status : 0;
  row.reason = verdict.reason;
  row.next_at = ruling.next_at;
  note_attempt(item, ended.outcome);
  note_outage(row, verdict.kind == Kind::kDelivered);
  if (ruling.state != notify::Ruling::State::kPending) {
    row.state = ruling.state == notify::Ruling::State::kDelivered ? "delivered" : "dead";
    row.finished_at = now;
  }
  rows_.push_back(row);
  const bool is_over = row.state != "pending";
  if (!is_over && !item.is_queued) queue(item, now);
  const bool is_awaited = item.payload["await"].bool_or(false);
  const bool ends_leaf = is_awaited ? is_over : !is_repeated;
  std::string key(item.payload["leaf"].string_or(""));
  if (is_over) forget(row.id);
  if (!ends_leaf) return std::nullopt;
  return Ended{.key = std::move(key), .outcome = std::move(ended.outcome)};
}

void HookRequests::collect(store::Batch& batch) {
  std::ranges::move(std::exchange(rows_, {}), std::back_inserter(batch.deliveries));
  std::ranges::move(std::exchange(attempts_, {}), std::back_inserter(batch.attempts));
}

void HookRequests::carry_out(clock::Instant now) {
  for (const std::string& id : outbox_.take_due(now)) {
    const Item& item = items_.at(id);
    executor::Task task;
    task.key = id;
    task.workflow = item.row.workflow;
    task.name_space = item.row.name_space;
    task.node_name = item.row.node;
    task.template_body = Map{
        {"http", with_key(item.payload["http"], std::string(item.payload["leaf"].string_or("")))}};
    ports_.send(std::move(task));
  }
}

}  // namespace tiphys::runtime
