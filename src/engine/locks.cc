#include "engine/locks.h"

#include <fmt/format.h>

#include <utility>

#include "engine/control.h"
#include "engine/finish.h"
#include "engine/limits.h"
#include "engine/names.h"
#include "engine/start.h"
#include "engine/transition.h"
#include "spec/node_id.h"

namespace tiphys::engine {

namespace {

using value::List;
using value::Map;
using value::Value;

std::string name_space_of(const Machine& m, const Value& item) {
  const std::string_view own = item["namespace"].string_or("");
  return own.empty() ? m.name_space : std::string(own);
}

diag::Result<Lock> semaphore_of(const Machine& m, const Value& item) {
  const Value& from = item["configMapKeyRef"];
  const Value& database = item["database"];
  if (from.is_map() && database.is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "requested configuration is invalid: invalid semaphore with both "
                      "ConfigMapKeyRef and Database");
  }
  const std::string name_space = name_space_of(m, item);
  if (database.is_map()) {
    return Lock{.name = fmt::format("{}/Database/{}", name_space, database["key"].string_or("")),
                .kind = Lock::Kind::kDatabase,
                .key = "semaphore"};
  }
  if (!from.is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "requested configuration is invalid: cannot get LockName for a Semaphore "
                      "without a ConfigMapRef or Database");
  }
  Lock lock{.kind = Lock::Kind::kSemaphore};
  lock.name_space = name_space;
  lock.config_map = from["name"].string_or("");
  lock.key = from["key"].string_or("");
  lock.name = fmt::format("{}/ConfigMap/{}/{}", name_space, lock.config_map, lock.key);
  return lock;
}

Lock mutex_of(const Machine& m, const Value& item) {
  const std::string name_space = name_space_of(m, item);
  const std::string_view name = item["name"].string_or("");
  if (!item["database"].bool_or(false)) {
    return {.name = fmt::format("{}/Mutex/{}", name_space, name), .kind = Lock::Kind::kMutex};
  }
  return {.name = fmt::format("{}/Database/{}", name_space, name),
          .kind = Lock::Kind::kDatabase,
          .key = "mutex"};
}

diag::Result<std::vector<Lock>> locks_of(const Machine& m, const Value& synchronization) {
  std::vector<Lock> locks;
  for (const Value& item : synchronization["semaphores"].list()) {
    TRY(Lock lock, semaphore_of(m, item));
    locks.push_back(std::move(lock));
  }
  for (const Value& item : synchronization["mutexes"].list()) locks.push_back(mutex_of(m, item));
  for (std::size_t i = 0; i < locks.size(); ++i) {
    for (std::size_t j = i + 1; j < locks.size(); ++j) {
      if (locks[i].name != locks[j].name || locks[i].kind != locks[j].kind) continue;
      return diag::fail(diag::Code::kInvalidManifest,
                        "requested configuration is invalid: duplicate synchronization item found");
    }
  }
  return locks;
}

std::string holder_of(const Machine& m, const std::string& node_id) {
  return node_id.empty() ? fmt::format("{}/{}", m.name_space, m.name)
                         : fmt::format("{}/{}/{}", m.name_space, m.name, node_id);
}

AcquireLocks effect_of(const Machine& m, std::uint32_t ticket, const std::string& holder,
                       const std::vector<Lock>& locks) {
  return {.run = m.run,
          .ticket = ticket,
          .holder = holder,
          .locks = locks,
          .priority = m.spec["priority"].int_or(0),
          .created_at = m.created_at};
}

std::string holder_of(const Machine& m, const Start& start) {
  return holder_of(m, spec::node_id(m.name, start.node_name));
}

// A node that is Pending shows what it waits for; it is the one that runs later.
void show_waiting(Machine& m, Start& start, const LocksAnswered& event) {
  if (start.placeholder == kNoNode) {
    start.placeholder =
        create_node_quietly(m, start, {.type = start.waiting_type, .message = event.message});
    start.waiting_since = m.now;
    if (start.longest_wait) {
      m.set_timer(start.placeholder, TimerKind::kPendingDeadline, m.now + *start.longest_wait);
    }
  }
  Node& n = m.at(start.placeholder);
  n.set_message(event.message);
  n.set_waits_for_lock(event.waiting);
  m.touch(start.placeholder);
}

// Ids of nodes by kind and name of a lock; "" stands for the workflow.
using LockLists = std::map<Lock::Kind, std::map<std::string, std::vector<std::string>>>;

Value shown_locks(const Machine& m, const std::string& word,
                  const std::map<std::string, std::vector<std::string>>& locks, bool with_holders) {
  List shown;
  for (const auto& [name, ids] : locks) {
    Map one{{word, name}};
    List holders;
    for (const std::string& id : ids) holders.emplace_back(holder_of(m, id));
    if (with_holders && word == "mutex") {
      one.set("holder", holders.front());
    } else if (with_holders) {
      one.set("holders", std::move(holders));
    }
    shown.emplace_back(std::move(one));
  }
  return shown;
}

// A node that was shown while it waited ends without having run.
void fail_before_begin(Machine& m, NodeIndex i, const std::string& message) {
  m.at(i).set_waits_for_lock("");
  take_parallelism(m, i, false);
  const spec::NodeType type = m.at(i).type;
  if (spec::is_leaf(type)) ++m.active_leaves;
  entered(m, i);
  set_phase(m, i, Phase::kFailed, message);
}

bool answer_workflow(Machine& m, const LocksAnswered& event) {
  if (event.ticket != m.workflow_ticket) return false;
  if (!event.error.empty()) {
    m.workflow_ticket = 0;
    m.workflow_locks.clear();
    fail_before_start(m, Phase::kFailed,
                      "Failed to acquire the synchronization lock. " + event.error);
    return true;
  }
  if (!event.is_acquired) {
    m.message = event.message;
    return true;
  }
  m.workflow_ticket = 0;
  m.message.clear();
  enter_workflow(m);
  return true;
}

}  // namespace

bool ask_for_locks(Machine& m, Start& start, const spec::Template& body) {
  if (!body.has_synchronization || start.has_locks) return false;
  auto locks = locks_of(m, body.raw["synchronization"]);
  if (!locks) {
    refuse_start(m, start, locks.error().message);
    return true;
  }
  start.has_locks = true;
  if (locks->empty()) return false;
  if (auto limit = longest_pending(body)) start.longest_wait = *limit;
  start.locks = std::move(*locks);
  start.waiting_type =
      body.has_retry_strategy ? spec::NodeType("Retry") : spec::node_type_of(body.kind);
  const std::uint32_t ticket = ++m.last_ticket;
  m.effects->want(effect_of(m, ticket, holder_of(m, start), start.locks));
  m.locking.emplace(ticket, std::move(start));
  return true;
}

bool ask_for_workflow_locks(Machine& m) {
  const Value& synchronization = m.spec["synchronization"];
  if (!synchronization.is_map()) return false;
  auto locks = locks_of(m, synchronization);
  if (!locks) {
    fail_before_start(m, Phase::kFailed,
                      "Failed to acquire the synchronization lock. " + locks.error().message);
    return true;
  }
  if (locks->empty()) return false;
  m.workflow_locks = std::move(*locks);
  m.workflow_ticket = ++m.last_ticket;
  m.started_at = {};
  set_workflow_phase(m, Phase::kPending);
  m.effects->want(effect_of(m, m.workflow_ticket, holder_of(m, ""), m.workflow_locks));
  return true;
}

bool on_locks_answer(Machine& m, const LocksAnswered& event) {
  if (event.run != m.run || m.is_over) return false;
  auto it = m.locking.find(event.ticket);
  if (it == m.locking.end()) return answer_workflow(m, event);
  Start& waiting = it->second;
  if (event.error.empty() && !event.is_acquired) {
    show_waiting(m, waiting, event);
    const NodeIndex i = waiting.placeholder;
    const bool on_exit = m.at(i).on_exit;
    // A stop may have come while the answer was under way.
    if (const std::string why = shutdown_forbids(m, on_exit); !why.empty()) {
      give_up_lock(m, i, fmt::format("Stopped with strategy '{}'", why));
    } else if (m.deadline_passed && !on_exit) {
      give_up_lock(m, i, "Step exceeded its deadline");
    }
    return true;
  }
  Start start = std::move(waiting);
  m.locking.erase(it);
  if (!event.error.empty()) {
    start.locks.clear();
    refuse_start(m, start, event.error);
    return true;
  }
  if (start.placeholder != kNoNode) set_message(m, start.placeholder, "");
  --start.depth;  // begin_template counts it again
  begin_template(m, std::move(start));
  return true;
}

void release_locks(Machine& m, NodeIndex n) {
  auto it = m.held_locks.find(n);
  if (it == m.held_locks.end()) return;
  m.effects->want(
      ReleaseLocks{.holder = holder_of(m, id_of(m, n)), .locks = std::move(it->second)});
  m.held_locks.erase(it);
}

void release_workflow_locks(Machine& m) {
  if (m.workflow_locks.empty()) return;
  m.effects->want(
      ReleaseLocks{.holder = holder_of(m, ""), .locks = std::exchange(m.workflow_locks, {})});
}

bool give_up_lock(Machine& m, NodeIndex i, const std::string& message) {
  if (m.at(i).waits_for_lock().empty()) return false;
  std::erase_if(m.locking, [i](const auto& entry) { return entry.second.placeholder == i; });
  fail_before_begin(m, i, message);
  return true;
}

void return_locks(Machine& m, Start& start) {
  if (start.locks.empty()) return;
  m.effects->want(
      ReleaseLocks{.holder = holder_of(m, start), .locks = std::exchange(start.locks, {})});
  start.has_locks = false;
  if (start.placeholder != kNoNode) m.held_locks.erase(start.placeholder);
}

void give_up_start(Machine& m, Start& start, const std::string& message) {
  return_locks(m, start);
  if (start.placeholder != kNoNode) fail_before_begin(m, start.placeholder, message);
}

bool give_up_workflow_locks(Machine& m) {
  if (m.workflow_ticket == 0) return false;
  m.workflow_ticket = 0;
  release_workflow_locks(m);
  const char* how = m.shutdown == Shutdown::kTerminate ? "Terminate" : "Stop";
  fail_before_start(m, Phase::kFailed, fmt::format("Stopped with strategy '{}'", how));
  return true;
}

value::Value synchronization_status(const Machine& m) {
  LockLists holding;
  LockLists waiting;
  LockLists& of_workflow = m.workflow_ticket == 0 ? holding : waiting;
  for (const Lock& lock : m.workflow_locks) of_workflow[lock.kind][lock.name].push_back("");
  for (const auto& [n, locks] : m.held_locks) {
    if (!m.at(n).waits_for_lock().empty()) continue;
    for (const Lock& lock : locks) holding[lock.kind][lock.name].push_back(id_of(m, n));
  }
  for (const auto& [ticket, start] : m.locking) {
    if (start.placeholder == kNoNode) continue;  // the answer is under way
    for (const Lock& lock : start.locks) waiting[lock.kind][lock.name].push_back("");
  }
  Map status;
  for (const auto& [kind, word] :
       {std::pair(Lock::Kind::kSemaphore, "semaphore"), std::pair(Lock::Kind::kMutex, "mutex")}) {
    Map lists;
    if (holding.contains(kind)) lists.set("holding", shown_locks(m, word, holding[kind], true));
    if (waiting.contains(kind)) lists.set("waiting", shown_locks(m, word, waiting[kind], false));
    if (!lists.empty()) status.set(word, std::move(lists));
  }
  return status.empty() ? Value() : Value(std::move(status));
}

void ask_for_locks_again(const Machine& m, std::vector<Effect>& effects) {
  if (m.last_ticket == 0) return;
  OwnLocks own;
  if (!m.workflow_locks.empty()) own.holders.push_back(holder_of(m, ""));
  for (const auto& [n, locks] : m.held_locks) own.holders.push_back(holder_of(m, id_of(m, n)));
  for (const auto& [ticket, start] : m.locking) own.holders.push_back(holder_of(m, start));
  // What has its locks may still wait for a cache.
  for (const auto& [ticket, start] : m.asking) {
    if (!start.locks.empty()) own.holders.push_back(holder_of(m, start));
  }
  effects.emplace_back(std::move(own));
  if (m.workflow_ticket != 0) {
    effects.emplace_back(effect_of(m, m.workflow_ticket, holder_of(m, ""), m.workflow_locks));
  }
  for (const auto& [ticket, start] : m.locking) {
    effects.emplace_back(effect_of(m, ticket, holder_of(m, start), start.locks));
  }
}

}  // namespace tiphys::engine
