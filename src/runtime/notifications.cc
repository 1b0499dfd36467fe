#include "runtime/notifications.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "notify/channel.h"
#include "notify/secrets_fill.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "runtime/failure_logs.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr clock::Duration kTurn = clock::Duration::milliseconds(20);
constexpr std::size_t kAnswerKept = 1024;  // bytes of an answer

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

// What find_target() wants to know, of a row.
Value channel_of(const store::DeliveryRow& row, const Value& payload) {
  if (payload["channel"].is_string()) return Map{{"channel", payload["channel"]}};
  return Map{{"kind", row.kind}, {"config", payload["config"]}};
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

Notifications::Notifications(Ports ports)
    : config_(ports.config),
      store_(ports.store),
      inbox_(ports.inbox),
      lookup_(ports.lookup),
      custody_(ports.config, ports.store, std::move(ports.runs_here), std::move(ports.will_run)),
      requests_({ports.config, ports.store, custody_, ports.lookup, std::move(ports.send)}) {}

bool Notifications::is_one(const Value& body) {
  return body["plugin"]["tiphys"]["notify"].is_map();
}

void Notifications::refuse(const std::string& leaf_key, const std::string& why) {
  executor::Outcome outcome;
  outcome.phase = executor::Outcome::Phase::kError;
  outcome.message = why;
  ended_.push_back({.key = leaf_key, .outcome = std::move(outcome)});
}

// One row for each destination; gives their ids.
std::vector<std::string> Notifications::enqueue(const Order& order, const DeliveryTarget& target,
                                                clock::Instant now) {
  const std::vector<std::string> destinations =
      target.how->destinations(target.config, order.notify["message"]);
  std::vector<std::string> ids;
  for (const std::string& destination : destinations) {
    store::DeliveryRow row{
        .id = fmt::format("{}{}", order.id, ids.empty() ? "" : fmt::format(".{}", ids.size())),
        .uid = order.uid,
        .name_space = order.name_space,
        .workflow = order.workflow,
        .node = order.node,
        .channel = target.channel,
        .kind = target.kind,
        .destination = destination,
        .state = "pending",
        .created_at = now,
        .next_at = now};
    Map payload{{"event", order.event}, {"message", order.notify["message"]}};
    if (!order.leaf.empty()) payload.set("leaf", order.leaf);
    const bool is_stored = order.notify["channel"].is_string();
    payload.set(is_stored ? "channel" : "config",
                is_stored ? order.notify["channel"] : target.config);
    if (order.notify["retries"].is_list()) payload.set("retries", order.notify["retries"]);
    const Value whole(std::move(payload));
    row.payload = value::to_json(whole, kCompact);
    rows_.push_back(row);
    ids.push_back(row.id);
    take_in(std::move(row), whole, target, now);
  }
  return ids;
}

void Notifications::add(const WorkflowRun& run, const engine::LeafId& leaf,
                        const engine::Leaf& what, clock::Instant now) {
  const Value& notify = what.body["plugin"]["tiphys"]["notify"];
  const std::string key = leaf_key(run.uid(), leaf);
  Map event = run.engine().facts(leaf.node).map();
  event.set("trigger", what.node_name);
  const Value workflow = *event.find("workflow");
  const std::string name_space(workflow["namespace"].string_or(""));
  auto target = find_target(store_, notify, name_space);
  if (!target) {
    refuse(key, target.error().message);
    return;
  }
  add_failure_logs(config_, run.uid(), event);
  const bool is_awaited = notify["await"].string_or("delivered") != "accepted";
  const std::vector<std::string> ids =
      enqueue({.id = "msg_" + key,
               .uid = run.uid(),
               .name_space = name_space,
               .workflow = std::string(workflow["name"].string_or("")),
               .node = what.node_name,
               .event = std::move(event),
               .notify = notify,
               .leaf = is_awaited ? key : ""},
              *target, now);
  if (ids.empty()) {
    refuse(key, fmt::format("channel '{}': nobody to send to", target->channel));
  } else if (is_awaited) {
    waiting_.insert_or_assign(
        key, Waiting{.open = {ids.begin(), ids.end()}, .failure = {}, .started_at = now});
  } else {
    end_leaf(key, "", now, now);
  }
}

void Notifications::order(store::DeliveryRow row, Value payload, clock::Instant now) {
  row.payload = value::to_json(payload, kCompact);
  rows_.push_back(row);
  if (row.state != "pending") return;
  const DeliveryTarget target = target_now(row, payload);
  take_in(std::move(row), std::move(payload), target, now);
}

void Notifications::prepare(const WorkflowRun& run, const std::vector<engine::Effect>& effects,
                            clock::Instant now) {
  for (const engine::Effect& effect : effects) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr || start->leaf.run != run.engine().run()) continue;
    if (run.engine().node(start->leaf.node).type != "Plugin") continue;
    const engine::Leaf what = run.engine().leaf(start->leaf.node);
    if (is_one(what.body)) add(run, start->leaf, what, now);
  }
  requests_.prepare(run, effects, now);
}

// What the channel of a row is now; of one that has gone or cannot be used, what is known of it.
DeliveryTarget Notifications::target_now(const store::DeliveryRow& row,
                                         const Value& payload) const {
  auto found = find_target(store_, channel_of(row, payload), space_of(row, payload));
  if (found) return std::move(*found);
  return {.channel = row.channel, .kind = row.kind, .config = payload["config"]};
}

// The outbox decides by itself when; the row's payload tells how.
void Notifications::take_in(store::DeliveryRow row, Value payload, const DeliveryTarget& target,
                            clock::Instant now) {
  Item item{.row = std::move(row), .payload = std::move(payload)};
  item.row.payload.clear();
  item.outage_channel = target.outage_channel;
  item.outage_after = target.outage_after;
  if (item.row.attempts == 0 && target.how != nullptr) item.target = target;
  const store::DeliveryRow& r = item.row;
  notify::Parcel parcel{.id = r.id,
                        .lane = target.lane_of(r),
                        .endpoint = target.endpoint(),
                        .schedule = schedule_of(item.payload["retries"], target.retries),
                        .attempts = r.attempts,
                        .next_at = r.next_at,
                        // What quiet hours hold until the morning holds nobody else.
                        .since = r.attempts == 0 ? std::max(r.created_at, r.next_at) : r.created_at,
                        .at_once = target.at_once};
  item.memory = target.memory_of(r);
  item.is_ordered = target.order == DeliveryTarget::Order::kOfDestination;
  const std::string id = r.id;
  custody_.open(r.uid);
  items_.emplace(id, std::move(item));
  outbox_.add(std::move(parcel), now);
}

diag::Result<void> Notifications::adopt(const WorkflowRun& run,
                                        std::vector<engine::Effect>& outstanding,
                                        clock::Instant now) {
  TRY(const std::vector<store::DeliveryRow> rows, store_.load_deliveries({.uid = run.uid()}));
  std::map<std::string, const store::DeliveryRow*> by_id;
  for (const store::DeliveryRow& row : rows) by_id.emplace(row.id, &row);
  for (const store::DeliveryRow& row : rows) {
    if (row.state != "pending" || row.kind == HookRequests::kKind) continue;
    if (items_.contains(row.id)) continue;
    TRY(const std::string text, store_.delivery_payload(row.id));
    TRY(Value payload, value::parse_json(text));
    if (const Value& leaf = payload["leaf"]; leaf.is_string()) {
      Waiting& waiting = waiting_[leaf.as_string()];
      waiting.started_at = row.created_at;
      waiting.open.insert(row.id);
    }
    const DeliveryTarget target = target_now(row, payload);
    take_in(row, std::move(payload), target, now);
  }
  recall(rows);
  for (const engine::Effect& effect : outstanding) {
    const auto* start = std::get_if<engine::StartLeaf>(&effect);
    if (start == nullptr) continue;
    const engine::Leaf what = run.engine().leaf(start->leaf.node);
    const std::string key = leaf_key(run.uid(), start->leaf);
    if (!is_one(what.body) || waiting_.contains(key)) continue;
    const auto known = by_id.find("msg_" + key);
    if (known == by_id.end()) {
      add(run, start->leaf, what, now);
    } else {
      const bool is_good = known->second->state == "delivered" || known->second->state == "pending";
      end_leaf(key, is_good ? "" : known->second->reason, known->second->created_at, now);
    }
  }
  return requests_.adopt(run, outstanding, now);
}

// What an earlier engine has learned of destinations, of which the newest row knows most. `rows`
// are oldest first.
void Notifications::recall(const std::vector<store::DeliveryRow>& rows) {
  std::map<std::string, std::string> learned;
  for (const store::DeliveryRow& row : rows) {
    if (row.memory.empty()) continue;
    auto text = store_.delivery_payload(row.id);
    auto payload =
        text ? value::parse_json(*text) : diag::Result<Value>(std::unexpected(text.error()));
    if (payload) learned[target_now(row, *payload).memory_of(row)] = row.memory;
  }
  memory_.insert(learned.begin(), learned.end());
}

// What is old goes, an engine that serves all looks for it now and then.
void Notifications::prune(clock::Instant now) {
  constexpr clock::Duration kBetween = clock::Duration::seconds(3600);
  if (now < prune_at_) return;
  prune_at_ = now + kBetween;
  const store::Retention retention{.delivered_before = now - config_.keep_delivered,
                                   .dead_before = now - config_.keep_dead};
  for (;;) {
    const auto pruned = store_.prune_deliveries(retention);
    if (!pruned || *pruned == 0) return;
  }
}

// Every change of the store by somebody else may have brought one. Looking takes as long as much is
// pending, so it is done for a small part of the time only.
std::size_t Notifications::adopt_orphans(Custody::Whose whose, clock::Instant now) {
  constexpr std::int64_t kPart = 20;
  const clock::Instant begun = steady_now();
  missed_ = whose;
  if (begun < looked_next_) return 0;
  missed_.reset();
  custody_.look_elsewhere();
  if (whose == Custody::Whose::kNobodys) prune(now);
  const std::size_t taken = take_orphans(whose, now) + requests_.adopt_orphans(whose, now);
  looked_next_ = begun + clock::Duration{(steady_now() - begun).ns * kPart};
  return taken;
}

bool Notifications::may_end(clock::Instant now) {
  if (is_busy(now)) return false;
  if (!missed_) return true;
  looked_next_ = {};
  return adopt_orphans(*missed_, now) == 0;
}

std::size_t Notifications::take_orphans(Custody::Whose whose, clock::Instant now) {
  auto rows = store_.load_deliveries({.state = "pending"});
  if (!rows) return 0;
  put_soonest_first(*rows);
  std::size_t taken = 0;
  std::set<std::string> recalled;
  coming_.clear();
  for (const store::DeliveryRow& row : *rows) {
    if (row.kind == HookRequests::kKind || items_.contains(row.id)) continue;
    // What is done with here may not be in the store yet.
    if (std::ranges::find(rows_, row.id, &store::DeliveryRow::id) != rows_.end()) continue;
    if (!custody_.may_send(row.uid, whose)) {
      if (custody_.will_run(row.uid)) coming_[row.channel].emplace_back(row.created_at, row.uid);
      continue;
    }
    auto text = store_.delivery_payload(row.id);
    auto payload =
        text ? value::parse_json(*text) : diag::Result<Value>(std::unexpected(text.error()));
    if (!payload) continue;
    const DeliveryTarget target = target_now(row, *payload);
    take_in(row, std::move(*payload), target, now);
    ++taken;
    if (recalled.insert(row.uid).second) {
      if (auto of_it = store_.load_deliveries({.uid = row.uid})) recall(*of_it);
    }
  }
  custody_.drop_unused();
  return taken;
}

// The delivery is done with; the lock of a workflow that is over goes with its last one.
Notifications::Item Notifications::forget(const std::string& id) {
  Item item = std::move(items_.extract(id).mapped());
  custody_.close(item.row.uid);
  return item;
}

diag::Result<notify::Request> Notifications::request_of(Item& item, clock::Instant now) {
  const std::string name_space = space_of(item.row, item.payload);
  // A channel that was mended meanwhile is to be used as it is now.
  if (!item.target) {
    TRY(item.target, find_target(store_, channel_of(item.row, item.payload), name_space));
  }
  const DeliveryTarget target = *std::exchange(item.target, std::nullopt);
  item.row.kind = target.kind;  // it may have been unknown, when there was no such channel
  const auto secret = [&](const std::string& name, const std::string& key) {
    return lookup_.secret(name_space, name, key);
  };
  TRY(const notify::Filled filled, notify::fill_secrets(target.config, secret));
  item.secrets = filled.secrets;
  notify::add_literal_secrets(target.kind, target.config, item.secrets);
  const Value& message = item.payload["message"];
  notify::Notice notice{
      .id = item.row.id, .at = item.row.created_at, .event = item.payload["event"]};
  if (target.how->wants_logs(target.config, message)) {
    Map event = notice.event.map();
    add_whole_logs(config_, item.row.uid, event);
    notice.event = std::move(event);
  }
  Value memory;
  if (const auto kept = memory_.find(item.memory); kept != memory_.end()) {
    if (auto parsed = value::parse_json(kept->second)) memory = std::move(*parsed);
  }
  auto request = target.how->request({.notice = notice,
                                      .config = filled.config,
                                      .message = message,
                                      .destination = item.row.destination,
                                      .memory = memory,
                                      .now = now});
  if (request) notify::add_credentials_of(*request, item.secrets);
  return request;
}

// An engine takes up what it finds a part at a time: what goes in the order of all workflows does
// not overtake those that are still to come.
bool Notifications::waits_for_older(const Item& item) const {
  const auto coming = coming_.find(item.row.channel);
  if (!item.is_ordered || coming == coming_.end()) return false;
  return std::ranges::any_of(coming->second, [&](const auto& older) {
    return older.first < item.row.created_at && custody_.will_run(older.second);
  });
}

void Notifications::try_to_send(const std::string& id, clock::Instant now) {
  Item& item = items_.at(id);
  if (waits_for_older(item)) {
    outbox_.put_back(id, now + kTurn);
    return;
  }
  auto request = request_of(item, now);
  if (request) {
    if (!courier_) {
      courier_ =
          notify::make_courier({.refuses_private = config_.refuses_private},
                               [this](notify::Report report) { inbox_.post(std::move(report)); });
    }
    courier_->send(id, std::move(*request));
    return;
  }
  // Nothing can be sent: somebody may mend the channel or the secret and replay it.
  notify::Report report{.id = id, .answer = {}, .at = now, .latency = {}};
  report.answer.error = request.error().message;
  report.answer.status = -1;
  inbox_.post(std::move(report));
}

void Notifications::settle(notify::Report report, clock::Instant now) {
  const auto found = items_.find(report.id);
  if (found == items_.end()) {  // another engine has it now
    if (outbox_.contains(report.id)) {
      (void)outbox_.settle(report.id, {.kind = notify::Verdict::Kind::kRefused}, now);
    }
    return;
  }
  Item& item = found->second;
  store::DeliveryRow& row = item.row;
  const notify::Channel* how = notify::find_channel(row.kind);
  // Before anything is cut off: half a secret is not found any more.
  report.answer.body = notify::redacted(std::move(report.answer.body), item.secrets);
  report.answer.error = notify::redacted(one_line(report.answer.error), item.secrets);
  notify::Verdict verdict{.kind = notify::Verdict::Kind::kRefused, .reason = report.answer.error};
  if (report.answer.status < 0) {
    report.answer.status = 0;
  } else if (how != nullptr) {
    verdict = how->judge(report.answer, now);
  }
  const notify::Ruling ruling = outbox_.settle(row.id, verdict, now);
  row.attempts = ruling.attempts;
  row.status = report.answer.status;
  row.reason = notify::redacted(one_line(verdict.reason), item.secrets);
  row.next_at = ruling.next_at;
  attempts_.push_back({.delivery = row.id,
                       .number = ruling.attempts,
                       .at = report.at,
                       .latency = report.latency,
                       .status = report.answer.status,
                       .answer = report.answer.body.substr(0, kAnswerKept),
                       .error = report.answer.error});
  item.secrets.clear();
  std::string failure;
  if (ruling.state == notify::Ruling::State::kDelivered) {
    row.state = "delivered";
    if (!verdict.memory.is_null()) {
      row.memory = value::to_json(verdict.memory, kCompact);
      memory_[item.memory] = row.memory;
    }
  } else if (ruling.state == notify::Ruling::State::kDead) {
    row.state = "dead";
    failure = fmt::format("not delivered after {} attempt{}: {}", row.attempts,
                          row.attempts == 1 ? "" : "s", row.reason);
  }
  if (row.state != "pending") row.finished_at = now;
  rows_.push_back(row);
  note_outage(item, verdict.kind == notify::Verdict::Kind::kDelivered, now);
  if (row.state != "pending") finish(row.id, failure, now);
}

// A delivery is done with: its leaf, if one waits, has one less to wait for.
void Notifications::finish(std::string id, const std::string& failure, clock::Instant now) {
  const Item item = forget(id);  // `id` is a copy: it was a part of this
  if (const Value& leaf = item.payload["leaf"]; leaf.is_string()) {
    const auto found = waiting_.find(leaf.as_string());
    if (found != waiting_.end()) {
      Waiting& waiting = found->second;
      waiting.open.erase(id);
      if (waiting.failure.empty()) waiting.failure = failure;
      if (waiting.open.empty()) {
        end_leaf(leaf.as_string(), waiting.failure, waiting.started_at, now);
        waiting_.erase(found);
      }
    }
  }
}

void Notifications::end_leaf(const std::string& leaf_key, const std::string& failure,
                             clock::Instant started_at, clock::Instant now) {
  executor::Outcome outcome;
  outcome.phase =
      failure.empty() ? executor::Outcome::Phase::kSucceeded : executor::Outcome::Phase::kFailed;
  outcome.message = failure;
  outcome.started_at = started_at;
  outcome.finished_at = now;
  ended_.push_back({.key = leaf_key, .outcome = std::move(outcome)});
}

void Notifications::collect(store::Batch& batch) {
  std::ranges::move(std::exchange(rows_, {}), std::back_inserter(batch.deliveries));
  std::ranges::move(std::exchange(attempts_, {}), std::back_inserter(batch.attempts));
  requests_.collect(batch);
}

void Notifications::carry_out(clock::Instant now) {
  for (Ended& ended : std::exchange(ended_, {})) inbox_.post(std::move(ended));
  for (const std::string& id : outbox_.take_due(now)) try_to_send(id, now);
  requests_.carry_out(now);
  if (custody_.has_regained_room()) missed_ = Custody::Whose::kNobodys;
  if (missed_ && looked_next_ <= steady_now()) adopt_orphans(*missed_, now);
}

std::optional<clock::Instant> Notifications::next() const {
  const auto own = outbox_.next();
  const auto of_requests = requests_.next();
  return own && of_requests ? std::min(own, of_requests) : own ? own : of_requests;
}

}  // namespace tiphys::runtime
