#include "runtime/locks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "observe/log.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

constexpr const char* kKind = "Lock";

/// The lock file of a home, and the section of its store, held while it lives.
class FileLock {
 public:
  FileLock(const std::string& home, store::Store& store)
      : fd_(::open((home + "/sync.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)),
        store_(store) {
    if (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0) {
      observe::log(observe::LogLevel::kWarn, "sync.lock cannot be locked");
    }
    entered = store_.enter_section();
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (entered) store_.leave_section();
    if (fd_ >= 0) ::close(fd_);
  }
  diag::Result<void> entered;

 private:
  int fd_;
  store::Store& store_;
};

bool is_of(const Value& entry, const std::string& holder) {
  return entry["key"].string_or("") == holder;
}

bool is_held_by(const Value& lock, const std::string& holder) {
  return std::ranges::any_of(lock["holders"].list(),
                             [&](const Value& h) { return is_of(h, holder); });
}

List without(const List& list, const std::string& holder) {
  List left;
  std::ranges::copy_if(list, std::back_inserter(left),
                       [&](const Value& e) { return !is_of(e, holder); });
  return left;
}

List of_living(const List& list, const std::set<std::string, std::less<>>& living) {
  List left;
  std::ranges::copy_if(list, std::back_inserter(left),
                       [&](const Value& e) { return living.contains(e["uid"].string_or("")); });
  return left;
}

// Into the queue, behind those of the same priority and age.
void add_waiting(List& pending, const std::string& uid, const engine::AcquireLocks& what) {
  if (std::ranges::any_of(pending, [&](const Value& e) { return is_of(e, what.holder); })) return;
  pending.push_back(Map{{"key", what.holder},
                        {"uid", uid},
                        {"priority", what.priority},
                        {"created", what.created_at.ns}});
  std::ranges::stable_sort(pending, [](const Value& a, const Value& b) {
    const std::int64_t left = a["priority"].int_or(0);
    const std::int64_t right = b["priority"].int_or(0);
    return left != right ? left > right : a["created"].int_or(0) < b["created"].int_or(0);
  });
}

/// One lock while it is looked at.
struct Open {
  std::string name;
  std::int64_t limit = 1;
  List holders;
  List pending;

  [[nodiscard]] bool is_free_for(const std::string& holder) const {
    if (std::ranges::any_of(holders, [&](const Value& h) { return is_of(h, holder); })) return true;
    const bool is_first = pending.empty() || is_of(pending.front(), holder);
    return is_first && static_cast<std::int64_t>(holders.size()) < limit;
  }
};

}  // namespace

Value with_holders(store::Store& store, const Value& synchronization) {
  Map filled = synchronization.map();
  for (const char* word : {"semaphore", "mutex"}) {
    if (synchronization[word]["waiting"].is_null()) continue;
    List waiting = synchronization[word]["waiting"].list();
    for (Value& wanted : waiting) {
      auto row = store.find_object(kKind, "", std::string(wanted[word].string_or("")));
      auto lock = row ? value::parse_json(row->json) : std::unexpected(row.error());
      if (!lock || (*lock)["holders"].list().empty()) continue;
      List holders;
      for (const Value& holder : (*lock)["holders"].list()) holders.push_back(holder["key"]);
      Map shown = wanted.map();
      if (word == std::string_view("mutex")) {
        shown.set("holder", holders.front());
      } else {
        shown.set("holders", std::move(holders));
      }
      wanted = std::move(shown);
    }
    Map lists = synchronization[word].map();
    lists.set("waiting", std::move(waiting));
    filled.set(word, std::move(lists));
  }
  return filled;
}

diag::Result<std::int64_t> Locks::limit_of(const engine::Lock& lock) {
  if (lock.kind == engine::Lock::Kind::kMutex) return 1;
  if (lock.kind == engine::Lock::Kind::kDatabase) {
    return diag::fail(
        diag::Code::kNotFound,
        fmt::format("database session is not available for {} {}", lock.key, lock.name));
  }
  std::int64_t limit = 0;
  auto row = store_.find_object("ConfigMap", lock.name_space, lock.config_map);
  if (!row && row.error().code != diag::Code::kNotFound) return std::unexpected(row.error());
  if (row) {
    TRY(const Value object, value::parse_json(row->json));
    const std::string_view text = object["data"][lock.key].string_or("");
    std::from_chars(text.data(), text.data() + text.size(), limit);
  }
  if (limit > 0) return limit;
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("failed to initialize semaphore {} with limit", lock.name));
}

diag::Result<Value> Locks::load(const std::string& name) {
  auto row = store_.find_object(kKind, "", name);
  if (!row && row.error().code == diag::Code::kNotFound) return Value();
  if (!row) return std::unexpected(row.error());
  return value::parse_json(row->json);
}

diag::Result<void> Locks::save(const std::string& name, Value lock) {
  return store_.put_object({.kind = kKind,
                            .name_space = "",
                            .name = name,
                            .json = value::to_json(lock),
                            .created_at = {}});
}

diag::Result<engine::LocksAnswered> Locks::try_acquire(const std::string& uid,
                                                       const engine::AcquireLocks& what) {
  engine::LocksAnswered answer{
      .run = what.run, .ticket = what.ticket, .waiting = {}, .message = {}, .error = {}};
  const FileLock guard(home_, store_);
  TRY_VOID(guard.entered);
  TRY(const auto rows, store_.unfinished_workflows());
  std::set<std::string, std::less<>> living = {uid};
  for (const store::WorkflowRow& row : rows) living.insert(row.uid);
  std::vector<Open> locks;
  for (const engine::Lock& lock : what.locks) {
    auto limit = limit_of(lock);
    if (!limit && limit.error().code != diag::Code::kNotFound)
      return std::unexpected(limit.error());
    if (!limit) {
      answer.error = limit.error().message;
      return answer;
    }
    TRY(const Value stored, load(lock.name));
    Open open{.name = lock.name,
              .limit = *limit,
              .holders = of_living(stored["holders"].list(), living),
              .pending = of_living(stored["pending"].list(), living)};
    if (!is_held_by(stored, what.holder)) add_waiting(open.pending, uid, what);
    locks.push_back(std::move(open));
  }
  answer.is_acquired =
      std::ranges::all_of(locks, [&](const Open& lock) { return lock.is_free_for(what.holder); });
  for (Open& lock : locks) {
    if (answer.is_acquired) {
      lock.pending = without(lock.pending, what.holder);
      lock.holders = without(lock.holders, what.holder);
      lock.holders.push_back(Map{{"key", what.holder}, {"uid", uid}});
    } else if (answer.waiting.empty() && !lock.is_free_for(what.holder)) {
      answer.waiting = lock.name;
      answer.message =
          fmt::format("Waiting for {} lock. Lock status: {}/{}", lock.name,
                      lock.limit - static_cast<std::int64_t>(lock.holders.size()), lock.limit);
    }
    TRY_VOID(save(lock.name, Map{{"holders", lock.holders}, {"pending", lock.pending}}));
  }
  return answer;
}

std::optional<engine::LocksAnswered> Locks::acquire(const std::string& uid,
                                                    const engine::AcquireLocks& what) {
  auto answer = look(uid, what);
  if (!answer) {
    waiting_.push_back({uid, what, ""});
    return std::nullopt;
  }
  if (!answer->is_acquired && answer->error.empty()) {
    waiting_.push_back({uid, what, answer->message});
  }
  return *answer;
}

diag::Result<engine::LocksAnswered> Locks::look(const std::string& uid,
                                                const engine::AcquireLocks& what) {
  auto paid = pay_debts();
  auto answer = paid ? try_acquire(uid, what) : std::unexpected(paid.error());
  if (!answer) paid = std::unexpected(answer.error());
  note(paid);
  return answer;
}

void Locks::note(const diag::Result<void>& done) {
  if (!done && !trouble_) {
    observe::log(observe::LogLevel::kError, "locks cannot be looked at; trying again",
                 {{"error", done.error().message}});
  }
  trouble_ = done ? std::nullopt : std::optional(done.error());
}

diag::Result<void> Locks::pay_debts() {
  while (!debts_.empty()) {
    const Debt& debt = debts_.front();
    TRY_VOID(std::visit([&](const auto& what) { return pay(debt.uid, what); }, debt.what));
    debts_.pop_front();
    was_released_ = true;
  }
  return {};
}

void Locks::owe(Debt debt) {
  debts_.push_back(std::move(debt));
  note(pay_debts());
}

void Locks::release(const std::string& uid, const engine::ReleaseLocks& what) {
  std::erase_if(waiting_,
                [&](const Waiting& w) { return w.uid == uid && w.what.holder == what.holder; });
  owe({uid, what});
}

void Locks::reconcile(const std::string& uid, const engine::OwnLocks& own) { owe({uid, own}); }

diag::Result<void> Locks::pay(const std::string&, const engine::ReleaseLocks& what) {
  const FileLock guard(home_, store_);
  TRY_VOID(guard.entered);
  for (const engine::Lock& lock : what.locks) {
    TRY(const Value stored, load(lock.name));
    if (stored.is_null()) continue;
    TRY_VOID(save(lock.name, Map{{"holders", without(stored["holders"].list(), what.holder)},
                                 {"pending", without(stored["pending"].list(), what.holder)}}));
  }
  return {};
}

diag::Result<void> Locks::pay(const std::string& uid, const engine::OwnLocks& own) {
  const FileLock guard(home_, store_);
  TRY_VOID(guard.entered);
  TRY(const std::vector<store::ObjectRow> rows, store_.list_objects(kKind, ""));
  for (const store::ObjectRow& row : rows) {
    auto stored = value::parse_json(row.json);
    if (!stored) continue;
    Map kept;
    bool has_changed = false;
    for (const char* list : {"holders", "pending"}) {
      List left;
      std::ranges::copy_if((*stored)[list].list(), std::back_inserter(left), [&](const Value& e) {
        return e["uid"].string_or("") != uid ||
               std::ranges::any_of(own.holders, [&](const auto& h) { return is_of(e, h); });
      });
      has_changed = has_changed || left.size() != (*stored)[list].list().size();
      kept.set(list, std::move(left));
    }
    if (has_changed) TRY_VOID(save(row.name, std::move(kept)));
  }
  return {};
}

std::vector<Locks::Answer> Locks::retry(bool has_changed) {
  std::vector<Answer> answers;
  const bool had_trouble = trouble_.has_value();
  if (had_trouble) {
    const auto paid = pay_debts();
    if (!paid || waiting_.empty()) note(paid);
    if (!paid) return answers;
  }
  if (waiting_.empty() || !(has_changed || was_released_ || had_trouble)) return answers;
  was_released_ = false;
  std::vector<Waiting> waiting;
  waiting.swap(waiting_);
  // Whose turn it is comes first, so that the others are told what is true after that.
  std::ranges::stable_sort(waiting, [](const Waiting& a, const Waiting& b) {
    if (a.what.priority != b.what.priority) return a.what.priority > b.what.priority;
    return a.what.created_at < b.what.created_at;
  });
  for (Waiting& w : waiting) {
    auto answer = look(w.uid, w.what);
    if (!answer) {
      waiting_.push_back(std::move(w));
      continue;
    }
    const bool is_news =
        answer->is_acquired || !answer->error.empty() || answer->message != w.message;
    if (!answer->is_acquired && answer->error.empty()) {
      w.message = answer->message;
      waiting_.push_back(w);
    }
    if (is_news) answers.emplace_back(w.uid, std::move(*answer));
  }
  return answers;
}

void Locks::forget(const std::string& uid) {
  const auto gone = std::erase_if(waiting_, [&](const Waiting& w) { return w.uid == uid; });
  // Its holders are dropped as it has ended, and reconciled when it comes back.
  std::erase_if(debts_, [&](const Debt& debt) { return debt.uid == uid; });
  was_released_ = was_released_ || gone > 0 || !waiting_.empty();
}

}  // namespace tiphys::runtime
