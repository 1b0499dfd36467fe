#include "runtime/notifications.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "clock/go_duration.h"
#include "notify/channel.h"
#include "notify/secrets_fill.h"
#include "runtime/failure_logs.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr std::size_t kAnswerKept = 1024;  // bytes of an answer

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

// What lanes to one server have in common: the channel, or the kind and the host.
std::string endpoint_of(const std::string& channel, const std::string& kind, const Value& config) {
  if (channel != kind) return channel;
  std::string_view url = config["url"].string_or(config["host"].string_or(""));
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    url.remove_prefix(scheme + 3);
  }
  return fmt::format("{} {}", kind, url.substr(0, url.find('/')));
}

// `retries: [0s, 5s, ...]`, the waits before each attempt.
notify::Schedule schedule_of(const Value& holder) {
  const Value& given = holder["retries"];
  if (!given.is_list()) return notify::Schedule::standard();
  notify::Schedule schedule;
  for (const Value& wait : given.list()) {
    if (auto d = clock::parse_duration(wait.string_or("0s"))) schedule.waits.push_back(*d);
  }
  if (schedule.waits.empty()) schedule.waits.emplace_back();
  return schedule;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

/// Where a notification goes.
struct Notifications::Target {
  std::string channel;  // its name, or its kind
  std::string kind;
  Value config;  // references to secrets and all
  const notify::Channel* how = nullptr;
};

Notifications::Notifications(const Config& config, store::Store& store, Inbox& inbox,
                             executor::Lookup lookup)
    : config_(config), store_(store), inbox_(inbox), lookup_(std::move(lookup)) {}

bool Notifications::is_one(const Value& body) {
  return body["plugin"]["tiphys"]["notify"].is_map();
}

diag::Result<Notifications::Target> Notifications::target_of(const Value& notify,
                                                             const std::string& name_space) const {
  Target target;
  if (const std::string name(notify["channel"].string_or("")); !name.empty()) {
    TRY(const store::ObjectRow row, store_.find_object("NotificationChannel", name_space, name));
    TRY(const Value object, value::parse_json(row.json));
    target.channel = name;
    target.kind = object["spec"]["kind"].string_or("");
    target.config = object["spec"]["config"];
  } else {
    target.kind = notify["kind"].string_or("");
    target.channel = target.kind;
    target.config = notify["config"];
  }
  target.how = notify::find_channel(target.kind);
  if (target.how == nullptr) {
    std::string kinds;
    for (const std::string_view kind : notify::channel_kinds()) {
      kinds += fmt::format("{}{}", kinds.empty() ? "" : ", ", kind);
    }
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("no channel of kind '{}': use one of {}", target.kind, kinds));
  }
  if (const auto problems = target.how->problems(target.config); !problems.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("channel '{}': {}", target.channel, problems.front()));
  }
  return target;
}

void Notifications::refuse(const std::string& leaf_key, const std::string& why) {
  executor::Outcome outcome;
  outcome.phase = executor::Outcome::Phase::kError;
  outcome.message = why;
  ended_.push_back({.key = leaf_key, .outcome = std::move(outcome)});
}

void Notifications::add(const WorkflowRun& run, const engine::LeafId& leaf,
                        const engine::Leaf& what, clock::Instant now) {
  const Value& notify = what.body["plugin"]["tiphys"]["notify"];
  const std::string key = leaf_key(run.uid(), leaf);
  Map event = run.engine().facts(leaf.node).map();
  event.set("trigger", what.node_name);
  const Value& workflow = *event.find("workflow");
  const std::string name_space(workflow["namespace"].string_or(""));
  auto target = target_of(notify, name_space);
  if (!target) {
    refuse(key, target.error().message);
    return;
  }
  add_failure_logs(config_, run.uid(), event);
  const std::vector<std::string> destinations =
      target->how->destinations(target->config, notify["message"]);
  if (destinations.empty()) {
    refuse(key, fmt::format("channel '{}': nobody to send to", target->channel));
    return;
  }
  const bool is_awaited = notify["await"].string_or("delivered") != "accepted";
  Waiting waiting{.open = {}, .failure = {}, .started_at = now};
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    store::DeliveryRow row{.id = fmt::format("msg_{}{}", key, i == 0 ? "" : fmt::format(".{}", i)),
                           .uid = run.uid(),
                           .name_space = name_space,
                           .workflow = std::string(workflow["name"].string_or("")),
                           .node = what.node_name,
                           .channel = target->channel,
                           .kind = target->kind,
                           .destination = destinations[i],
                           .state = "pending",
                           .created_at = now,
                           .next_at = now};
    Map payload{{"event", Value(event)}, {"message", notify["message"]}, {"leaf", key}};
    payload.set(notify["channel"].is_string() ? "channel" : "config",
                notify["channel"].is_string() ? notify["channel"] : target->config);
    if (!is_awaited) payload.erase("leaf");
    if (notify["retries"].is_list()) payload.set("retries", notify["retries"]);
    const Value whole(std::move(payload));
    row.payload = value::to_json(whole, kCompact);
    rows_.push_back(row);
    waiting.open.insert(row.id);
    take_in(std::move(row), whole, now);
  }
  if (is_awaited) {
    waiting_.insert_or_assign(key, std::move(waiting));
  } else {
    end_leaf(key, "", now, now);
  }
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
}

// The outbox decides by itself when; the row's payload tells how.
void Notifications::take_in(store::DeliveryRow row, Value payload, clock::Instant now) {
  Item item{.row = std::move(row), .payload = std::move(payload), .lane = {}, .secrets = {}};
  item.row.payload.clear();
  const store::DeliveryRow& r = item.row;
  notify::Parcel parcel{.id = r.id,
                        .lane = {},
                        .endpoint = endpoint_of(r.channel, r.kind, item.payload["config"]),
                        .schedule = schedule_of(item.payload),
                        .attempts = r.attempts,
                        .next_at = r.next_at};
  if (item.payload["channel"].is_string()) {
    auto object = store_.find_object("NotificationChannel", r.name_space, r.channel);
    auto spec = object ? value::parse_json(object->json)
                       : diag::Result<Value>(std::unexpected(object.error()));
    if (spec && !item.payload["retries"].is_list()) {
      parcel.schedule = schedule_of((*spec)["spec"]);
    }
  }
  item.lane = fmt::format("{}|{}|{}", parcel.endpoint, r.destination, r.uid);
  parcel.lane = item.lane;
  const std::string id = r.id;
  ++open_of_[r.uid];
  items_.emplace(id, std::move(item));
  outbox_.add(std::move(parcel), now);
}

diag::Result<void> Notifications::adopt(const WorkflowRun& run,
                                        const std::vector<engine::Effect>& outstanding,
                                        clock::Instant now) {
  TRY(const std::vector<store::DeliveryRow> rows, store_.load_deliveries({.uid = run.uid()}));
  std::map<std::string, const store::DeliveryRow*> by_id;
  for (const store::DeliveryRow& row : rows) by_id.emplace(row.id, &row);
  for (const store::DeliveryRow& row : rows) {
    if (row.state != "pending" || items_.contains(row.id)) continue;
    TRY(const std::string text, store_.delivery_payload(row.id));
    TRY(Value payload, value::parse_json(text));
    if (const Value& leaf = payload["leaf"]; leaf.is_string()) {
      Waiting& waiting = waiting_[leaf.as_string()];
      waiting.started_at = row.created_at;
      waiting.open.insert(row.id);
    }
    take_in(row, std::move(payload), now);
    if (!row.memory.empty()) memory_[items_.at(row.id).lane] = row.memory;
  }
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
  return {};
}

std::size_t Notifications::adopt_orphans(clock::Instant now) {
  auto rows = store_.load_deliveries({.state = "pending"});
  if (!rows) return 0;
  std::size_t taken = 0;
  for (const store::DeliveryRow& row : *rows) {
    if (items_.contains(row.id)) continue;
    if (!kept_.contains(row.uid)) {
      auto lock = Ownership::take(config_.run_path(row.uid));
      if (!lock) continue;  // an engine has it
      kept_.emplace(row.uid, std::move(*lock));
    }
    auto text = store_.delivery_payload(row.id);
    auto payload =
        text ? value::parse_json(*text) : diag::Result<Value>(std::unexpected(text.error()));
    if (!payload) continue;
    take_in(row, std::move(*payload), now);
    ++taken;
  }
  return taken;
}

void Notifications::keep(const std::string& uid, Ownership lock) {
  if (open_of_.contains(uid)) kept_.insert_or_assign(uid, std::move(lock));
}

void Notifications::cancel(const std::string& leaf_key, clock::Instant now) {
  const auto found = waiting_.find(leaf_key);
  if (found == waiting_.end()) return;
  const std::set<std::string> open = std::move(found->second.open);
  waiting_.erase(found);
  for (const std::string& id : open) {
    if (!outbox_.discard(id, now)) continue;  // under way: it may arrive
    store::DeliveryRow& row = items_.at(id).row;
    row.state = "discarded";
    row.reason = "its workflow was stopped";
    row.finished_at = now;
    rows_.push_back(row);
    forget(id);
  }
}

// The delivery is done with; the lock of a workflow that is over goes with its last one.
Notifications::Item Notifications::forget(const std::string& id) {
  Item item = std::move(items_.extract(id).mapped());
  const auto open = open_of_.find(item.row.uid);
  if (--open->second == 0) {
    kept_.erase(item.row.uid);
    open_of_.erase(open);
  }
  return item;
}

diag::Result<notify::Request> Notifications::request_of(Item& item, clock::Instant now) {
  Value notify = item.payload["channel"].is_string()
                     ? Value(Map{{"channel", item.payload["channel"]}})
                     : Value(Map{{"kind", item.row.kind}, {"config", item.payload["config"]}});
  const std::string& name_space = item.row.name_space;
  TRY(const Target target, target_of(notify, name_space));
  const auto secret = [&](const std::string& name, const std::string& key) {
    return lookup_.secret(name_space, name, key);
  };
  TRY(const notify::Filled filled, notify::fill_secrets(target.config, secret));
  item.secrets = filled.secrets;
  const notify::Notice notice{
      .id = item.row.id, .at = item.row.created_at, .event = item.payload["event"]};
  Value memory;
  if (const auto kept = memory_.find(item.lane); kept != memory_.end()) {
    if (auto parsed = value::parse_json(kept->second)) memory = std::move(*parsed);
  }
  return target.how->request({.notice = notice,
                              .config = filled.config,
                              .message = item.payload["message"],
                              .destination = item.row.destination,
                              .memory = memory,
                              .now = now});
}

void Notifications::try_to_send(const std::string& id, clock::Instant now) {
  Item& item = items_.at(id);
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
  if (found == items_.end()) return;
  Item& item = found->second;
  store::DeliveryRow& row = item.row;
  const notify::Channel* how = notify::find_channel(row.kind);
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
  attempts_.push_back(
      {.delivery = row.id,
       .number = ruling.attempts,
       .at = report.at,
       .latency = report.latency,
       .status = report.answer.status,
       .answer = notify::redacted(report.answer.body, item.secrets).substr(0, kAnswerKept),
       .error = notify::redacted(one_line(report.answer.error), item.secrets)});
  item.secrets.clear();
  std::string failure;
  if (ruling.state == notify::Ruling::State::kDelivered) {
    row.state = "delivered";
    if (!verdict.memory.is_null()) {
      row.memory = value::to_json(verdict.memory, kCompact);
      memory_[item.lane] = row.memory;
    }
  } else if (ruling.state == notify::Ruling::State::kDead) {
    row.state = "dead";
    failure = fmt::format("not delivered after {} attempt{}: {}", row.attempts,
                          row.attempts == 1 ? "" : "s", row.reason);
  }
  if (row.state != "pending") row.finished_at = now;
  rows_.push_back(row);
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
  batch.deliveries = std::exchange(rows_, {});
  batch.attempts = std::exchange(attempts_, {});
}

void Notifications::carry_out(clock::Instant now) {
  for (Ended& ended : std::exchange(ended_, {})) inbox_.post(std::move(ended));
  for (const std::string& id : outbox_.take_due(now)) try_to_send(id, now);
}

}  // namespace tiphys::runtime
