#include "runtime/subscriptions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "notify/actions.h"
#include "notify/channel.h"
#include "notify/hmac.h"
#include "observe/log.h"
#include "runtime/failure_logs.h"
#include "runtime/link_key.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using notify::Happening;
using notify::Letter;
using notify::Rule;
using value::List;
using value::Map;
using value::Value;

constexpr std::size_t kIdBytes = 10;  // of the hash that makes an id

std::string id_of(const Letter& letter) {
  const std::string hash = notify::hmac_sha256(letter.uid, letter.key);
  std::string id = fmt::format("msg_{}.", letter.uid);
  for (std::size_t i = 0; i < kIdBytes; ++i) {
    id += fmt::format("{:02x}", static_cast<unsigned char>(hash[i]));
  }
  return id;
}

}  // namespace

Subscriptions::Subscriptions(const Config& config, store::Store& store,
                             Notifications& notifications)
    : config_(config),
      store_(store),
      notifications_(notifications),
      memory_(store, config.home + "/rules.lock") {
  if (!config.action_url.empty()) {
    links_ = {.base = config.action_url, .key = {}, .valid = config.action_links_valid};
    if (auto key = link_key(config.home)) {
      links_.key = std::move(*key);
    } else {  // commands are told in their place
      links_.base.clear();
      observe::log(observe::LogLevel::kWarn, "no links in notifications",
                   {{"error", key.error().message}});
    }
  }
  load();
}

void Subscriptions::warn(const Rule& rule, const std::string& what) {
  if (!warned_.insert(rule.id() + what).second) return;
  observe::log(observe::LogLevel::kWarn, "a notification rule does not work",
               {{"rule", rule.id()}, {"error", what}});
}

void Subscriptions::load() {
  book_ = {};
  by_id_.clear();
  version_ = store_.objects_version("Notification").value_or(0);
  auto rows = store_.list_objects("Notification", "");
  if (!rows) return;
  for (const store::ObjectRow& row : *rows) {
    auto object = value::parse_json(row.json);
    if (!object) continue;
    std::vector<notify::RuleProblem> problems;
    Rule rule = notify::parse_rule(*object, row.name_space, problems);
    if (!problems.empty()) {
      warn(rule, problems.front().message);
      continue;
    }
    auto shared = std::make_shared<const Rule>(std::move(rule));
    by_id_.emplace(shared->id(), shared);
    book_.add(std::move(shared));
  }
  next_digest_.reset();
  if (auto timed = store_.timed_rule_memory(); timed && !timed->empty()) {
    next_digest_ = timed->front().due_at;
  }
}

void Subscriptions::forget_old(clock::Instant now) {
  constexpr std::int64_t kDays = 90;
  auto forgotten = store_.forget_rule_memory(now - clock::Duration::seconds(kDays * 24 * 3600));
  if (!forgotten) {
    observe::log(observe::LogLevel::kWarn, "the memory of notification rules cannot be cleaned",
                 {{"error", forgotten.error().message}});
  }
}

void Subscriptions::refresh() {
  const auto version = store_.objects_version("Notification");
  if (!version || *version == version_) return;
  load();
  for (auto& [uid, watched] : watched_) choose(watched);
}

// The rules of the manifests, and those of its own annotations.
void Subscriptions::choose(Watched& watched) {
  const engine::Engine& engine = watched.run->engine();
  const Value metadata = engine.metadata();
  std::vector<notify::RulePtr> rules = book_.of(metadata, engine.spec());
  const Value& annotations = metadata["annotations"];
  std::vector<notify::RuleProblem> problems;
  for (Rule& rule :
       notify::parse_subscriptions(annotations, metadata["namespace"].string_or(""), problems)) {
    rules.push_back(std::make_shared<const Rule>(std::move(rule)));
  }
  for (Rule& rule : notify::parse_template_subscriptions(
           engine.spec()["templates"], metadata["namespace"].string_or(""), problems)) {
    rules.push_back(std::make_shared<const Rule>(std::move(rule)));
  }
  for (const notify::RuleProblem& problem : problems) {
    observe::log(observe::LogLevel::kWarn, problem.message,
                 {{"uid", watched.run->uid()}, {"hint", problem.suggestion}});
  }
  watched.is_mute = notify::is_muted_by(annotations);
  watched.watch = notify::Watch(std::move(rules));
  watched.run->watch(watched.watch.wanted() != 0);
  std::erase_if(deadlines_, [&](const auto& d) { return d.second.uid == watched.run->uid(); });
  arm(watched);
}

void Subscriptions::adopt(WorkflowRun& run) {
  Watched& watched = watched_[run.uid()];
  watched.run = &run;
  choose(watched);
}

void Subscriptions::forget(const std::string& uid) {
  watched_.erase(uid);
  std::erase_if(deadlines_, [&](const auto& d) { return d.second.uid == uid; });
}

// A deadline follows from when the workflow began; that it was told is remembered.
void Subscriptions::arm(const Watched& watched) {
  const engine::Engine& engine = watched.run->engine();
  if (engine.is_finished() || engine.phase() != "Running" || !engine.started_at().is_set()) return;
  for (const notify::RulePtr& rule : watched.watch.rules()) {
    if (rule->overdue_after.ns <= 0) continue;
    deadlines_.emplace(engine.started_at() + rule->overdue_after,
                       Deadline{watched.run->uid(), engine.run(), rule});
  }
}

void Subscriptions::note(const Watched& watched, Happening what, Value event,
                         const std::string& occasion, clock::Instant at) {
  event = notify::with_actions(event, config_.url, links_, at);
  const auto trouble = [this](const Rule& rule, const std::string& error) { warn(rule, error); };
  // A rule's message may read them; the workflow may be forgotten by then.
  const auto with_logs = [this, uid = watched.run->uid()](const Value& whole) {
    if (whole["failures"].list().empty()) return whole;
    Map with = whole.map();
    add_failure_logs(config_, uid, with);
    return Value(std::move(with));
  };
  for (notify::Match& match : watched.watch.matches(what, event, at, trouble)) {
    if (watched.is_mute) match.trigger = nullptr;
    if (match.trigger == nullptr && !match.rule->counts_streaks()) continue;
    candidates_.push_back({.match = std::move(match),
                           .what = what,
                           .event = event,
                           .uid = watched.run->uid(),
                           .occasion = occasion,
                           .at = at,
                           .complete = with_logs});
  }
}

// It is over: nobody asks any more whether it was told that it is overdue.
void Subscriptions::end_overdue(const Watched& watched) {
  const engine::Engine& engine = watched.run->engine();
  for (const notify::RulePtr& rule : watched.watch.rules()) {
    if (rule->overdue_after.ns <= 0) continue;
    memory_.keep(rule->id(), notify::overdue_key(watched.run->uid(), engine.run()), {}, {});
  }
}

void Subscriptions::saw(WorkflowRun& run, clock::Instant at) {
  const auto found = watched_.find(run.uid());
  if (found == watched_.end()) return;
  const Watched& watched = found->second;
  const notify::HappeningSet wanted = watched.watch.wanted();
  const engine::Engine& engine = run.engine();
  for (const engine::Transition& t : run.take_transitions()) {
    const bool is_of_node = t.node != engine::kNoNode;
    if ((wanted & (is_of_node ? notify::kOfNodes : notify::kOfWorkflows)) == 0) continue;
    if (is_of_node) {
      const spec::NodeType type = engine.node(t.node).type;
      if (type == "StepGroup" || type == "TaskGroup") continue;
    } else if (t.after == engine::Phase::kRunning && !t.waits) {
      arm(watched);
    }
    if (is_of_node &&
        !notify::contains(wanted, notify::happening_of(engine::to_string(t.after), t.waits))) {
      continue;
    }
    Value event = engine.facts(t);
    const auto what = notify::parse_happening(event["type"].string_or(""));
    if (!what) continue;
    if (notify::contains(notify::kEndings, *what)) end_overdue(watched);
    if (!notify::contains(wanted, *what)) continue;
    // A workflow may be suspended several times.
    std::string occasion =
        fmt::format("{}.{}.{}", engine.run(), is_of_node ? t.node : 0, event["type"].string_or(""));
    if (t.waits) occasion += fmt::format(".{}", at.ns);
    note(watched, *what, std::move(event), occasion, at);
  }
}

bool Subscriptions::has_work(clock::Instant now) const {
  const auto due = next();
  return !candidates_.empty() || (due && *due <= now);
}

std::optional<clock::Instant> Subscriptions::next() const {
  std::optional<clock::Instant> out = next_digest_;
  if (!deadlines_.empty() && (!out || deadlines_.begin()->first < *out)) {
    out = deadlines_.begin()->first;
  }
  return out;
}

diag::Result<void> Subscriptions::take_deadlines(clock::Instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const Deadline due = std::move(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    const auto found = watched_.find(due.uid);
    if (found == watched_.end() || found->second.run->engine().run() != due.run) continue;
    const std::string key = notify::overdue_key(due.uid, due.run);
    TRY(const Value told, memory_.recall(due.rule->id(), key));
    if (!told.is_null()) continue;
    memory_.keep(due.rule->id(), key, Value(Map{{"at", now.ns}}), {});
    const std::size_t before = candidates_.size();
    note(found->second, Happening::kWorkflowOverdue, found->second.run->engine().overdue_facts(now),
         fmt::format("{}.overdue", due.run), now);
    // Each rule has a deadline of its own.
    const auto others =
        std::remove_if(candidates_.begin() + static_cast<std::ptrdiff_t>(before), candidates_.end(),
                       [&](const notify::Candidate& c) { return c.match.rule != due.rule; });
    candidates_.erase(others, candidates_.end());
  }
  return {};
}

diag::Result<void> Subscriptions::take_digests(clock::Instant now) {
  if (!next_digest_ || *next_digest_ > now) return {};
  TRY_VOID(memory_.lock());  // several engines may see that it is time
  TRY(const auto timed, store_.timed_rule_memory());
  next_digest_.reset();
  for (const store::RuleMemoryRow& row : timed) {
    if (row.due_at > now) {
      next_digest_ = row.due_at;
      break;
    }
    const auto rule = by_id_.find(row.rule);
    TRY(const Value gathered, value::parse_json(row.json));
    if (rule == by_id_.end()) {
      memory_.keep(row.rule, row.key, {}, {});
      continue;
    }
    send(notify::close_digest(rule->second, row.key, gathered, now, memory_), now);
  }
  return {};
}

diag::Result<void> Subscriptions::prepare(store::Batch& batch, clock::Instant now) {
  TRY_VOID(take_deadlines(now));
  TRY_VOID(take_digests(now));
  for (const notify::Candidate& c : std::exchange(candidates_, {})) {
    TRY(auto letters, notify::decide(c, memory_));
    send(std::move(letters), now);
  }
  const std::size_t before = batch.rule_memory.size();
  memory_.collect(batch, now);
  for (std::size_t i = before; i < batch.rule_memory.size(); ++i) {
    const clock::Instant due = batch.rule_memory[i].due_at;
    if (due.is_set() && (!next_digest_ || due < *next_digest_)) next_digest_ = due;
  }
  return {};
}

void Subscriptions::send(std::vector<Letter> letters, clock::Instant now) {
  for (Letter& letter : letters) send_one(letter, now);
}

void Subscriptions::send_one(Letter& letter, clock::Instant now) {
  const Rule& rule = *letter.rule;
  const notify::Address& address = rule.send[letter.address];
  if (!letter.trouble.empty()) warn(rule, letter.trouble);
  const Value& workflow = letter.event["workflow"];
  const bool is_digest = letter.event["digest"].is_map();
  store::DeliveryRow row{
      .id = id_of(letter),
      .uid = letter.uid,
      .name_space = std::string(workflow["namespace"].string_or(rule.name_space)),
      .workflow = is_digest ? "" : std::string(workflow["name"].string_or("")),
      .node = std::string(letter.event["node"]["name"].string_or("")),
      .channel = address.channel,
      .kind = {},
      .destination = {},
      .state = "pending",
      .created_at = now,
      .next_at = std::max(now, letter.not_before)};
  auto object = store_.find_object("NotificationChannel", rule.name_space, address.channel);
  auto manifest = object ? value::parse_json(object->json)
                         : diag::Result<Value>(std::unexpected(object.error()));
  std::string refusal;
  if (!manifest) {
    refusal =
        fmt::format("there is no channel '{}' in namespace '{}'", address.channel, rule.name_space);
  } else {
    row.kind = (*manifest)["spec"]["kind"].string_or("");
  }
  const notify::Channel* how = notify::find_channel(row.kind);
  if (how == nullptr || !refusal.empty()) {
    // Nobody hears of it, but it is seen: somebody may mend the channel and replay it.
    row.state = "dead";
    row.reason = refusal.empty() ? fmt::format("no channel of kind '{}'", row.kind) : refusal;
    row.finished_at = now;
    warn(rule, row.reason);
    post(letter, std::move(row), letter.message, now);
    return;
  }
  const Value message = notify::with_recipients(address, letter.message, row.kind);
  std::size_t i = 0;
  for (const std::string& destination : how->destinations((*manifest)["spec"]["config"], message)) {
    store::DeliveryRow one = row;
    if (i > 0) one.id += fmt::format(".{}", i);
    one.destination = destination;
    post(letter, std::move(one), message, now);
    ++i;
  }
}

// A digest belongs to no workflow: the engine that makes it takes its lock, or leaves it to the one
// that has it.
void Subscriptions::post(const Letter& letter, store::DeliveryRow row, const Value& message,
                         clock::Instant now) {
  Map payload{{"event", letter.event},
              {"message", message},
              {"channel", row.channel},
              {"space", letter.rule->name_space}};
  if (row.state != "pending") {  // whoever replays it has to know who was meant
    List recipients;
    for (const std::string& r : letter.rule->send[letter.address].recipients) {
      recipients.emplace_back(r);
    }
    payload.set("recipients", std::move(recipients));
  }
  const std::string uid = row.uid;
  if (watched_.contains(uid) || notifications_.has_open(uid) || row.state != "pending") {
    notifications_.order(std::move(row), Value(std::move(payload)), now);
    return;
  }
  auto lock = Ownership::take(config_, store_, uid);
  notifications_.order(std::move(row), Value(std::move(payload)), now);
  if (lock) notifications_.keep(uid, std::move(*lock));
}

}  // namespace tiphys::runtime
