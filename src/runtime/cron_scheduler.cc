#include "runtime/cron_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "clock/rfc3339.h"
#include "cron/conditions.h"
#include "cron/workflow_of.h"
#include "observe/log.h"
#include "runtime/removal.h"
#include "runtime/submit.h"
#include "runtime/workflow_defaults.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using clock::Instant;
using value::Value;

constexpr clock::Duration kSyncEvery = clock::Duration::seconds(10);  // Argo's CRON_SYNC_PERIOD
constexpr clock::Duration kUntilNextTry = clock::Duration::seconds(1);

bool is_transient(const diag::Error& error) {
  return error.code == diag::Code::kIo || error.code == diag::Code::kDamaged;
}

std::string name_of(const Value& object) {
  return std::string(object["metadata"]["name"].string_or(""));
}

void tell(const Value& object, observe::LogLevel level, std::string_view what,
          const std::string& more) {
  observe::log(level, what, {{"cronWorkflow", name_of(object)}, {"detail", more}});
}

}  // namespace

cron::Watch CronScheduler::Entry::watch() const {
  cron::Watch watch{.since = record.since,
                    .last = record.status.last_scheduled,
                    .watched_since = watched_since,
                    .tried = tried};
  const Value& deadline = object["spec"]["startingDeadlineSeconds"];
  if (deadline.is_int()) watch.deadline = clock::Duration::seconds(deadline.as_int());
  return watch;
}

void CronScheduler::workflow_ended(const Value& metadata) {
  if (!cron::owner_of(metadata).empty()) must_sync_ = true;
}

std::optional<Instant> CronScheduler::next() const {
  std::optional<Instant> first = next_try_;
  const auto look_at = [&first](std::optional<Instant> at) {
    if (at && (!first || *at < *first)) first = at;
  };
  look_at(next_sync_);
  for (const auto& [key, entry] : entries_) look_at(entry.next);
  return first;
}

diag::Result<bool> CronScheduler::work(Instant now) {
  if (next_try_ && now < *next_try_ && *next_try_ < now + kSyncEvery) return false;
  if (!lock_) {
    auto lock = Ownership::take(config_.home + "/cron");
    if (!lock) {
      next_try_ = now + kUntilNextTry;
      return false;
    }
    lock_ = std::move(*lock);
  }
  next_try_ = now + kUntilNextTry;  // unless all goes well
  has_acted_ = false;
  if (std::exchange(may_have_changed_, false)) {
    if (auto loaded = load(now); !loaded) {
      may_have_changed_ = true;
      return std::unexpected(loaded.error());
    }
  }
  if (must_sync_ || (next_sync_ && *next_sync_ <= now)) TRY_VOID(sync(now));
  for (auto& [key, entry] : entries_) TRY_VOID(look(entry, now));
  next_try_.reset();
  return has_acted_;
}

diag::Result<void> CronScheduler::load(Instant now) {
  TRY(const std::uint64_t version, store_.objects_version("CronWorkflow"));
  if (version_ == version) return {};
  TRY(const auto rows, store_.list_objects("CronWorkflow", ""));
  std::set<Key> known;
  for (const store::ObjectRow& row : rows) {
    known.emplace(row.name_space, row.name);
    TRY_VOID(take_entry(row, now));
  }
  std::erase_if(entries_, [&](const auto& entry) { return !known.contains(entry.first); });
  version_ = version;
  must_sync_ = true;
  return {};
}

// The record of an entry stays while it is about the same generation; other schedules count from
// now on.
diag::Result<void> CronScheduler::take_entry(const store::ObjectRow& row, Instant now) {
  TRY(Value object, value::parse_json(row.json));
  const auto [it, is_new] = entries_.try_emplace({row.name_space, row.name});
  Entry& entry = it->second;
  if (!is_new && entry.object == object) return {};
  entry.is_changed = true;
  if (is_new) {
    entry.watched_since = now;
    auto stored = store_.find_object(cron::kRecordKind, row.name_space, row.name);
    if (!stored && stored.error().code != diag::Code::kNotFound) {
      entries_.erase(it);
      return std::unexpected(stored.error());
    }
    if (auto record = stored ? cron::parse_record(stored->json)
                             : diag::Result<cron::Record>(std::unexpected(stored.error()))) {
      entry.record = std::move(*record);
    }
  }
  const Value& metadata = object["metadata"];
  const std::string schedules = cron::schedules_text(object["spec"], true);
  const bool is_of_another = entry.record.uid != metadata["uid"].string_or("");
  if (!cron::is_about(entry.record, object)) {
    cron::Record record{.uid = std::string(metadata["uid"].string_or("")),
                        .generation = metadata["generation"].int_or(1),
                        .since = is_of_another ? row.created_at : now,
                        .schedules = schedules};
    if (!is_of_another) record.status.active = entry.record.status.active;
    entry.record = std::move(record);
    entry.tried = {};
  } else if (entry.record.schedules != schedules) {
    entry.record.schedules = schedules;
    entry.record.since = now;
  }
  entry.object = std::move(object);
  entry.table.reset();
  if (auto table = cron::Timetable::of(entry.object["spec"], machine_zone())) {
    entry.table = std::move(*table);
  } else {
    entry.record.status.set_condition(cron::kSpecError, table.error().message);
  }
  return save(entry);
}

diag::Result<CronScheduler::Children> CronScheduler::children() {
  TRY(auto rows, store_.list_workflows("", true));
  Children all;
  for (store::WorkflowRow& row : rows) {
    if (row.metadata_json.find("\"CronWorkflow\"") == std::string::npos) continue;
    auto metadata = value::parse_json(row.metadata_json);
    if (!metadata) continue;
    const std::string owner(cron::owner_of(*metadata));
    if (owner.empty()) continue;
    all[owner].push_back({.row = std::move(row),
                          .label = std::string((*metadata)["labels"][cron::kLabel].string_or(""))});
  }
  return all;
}

diag::Result<void> CronScheduler::sync(Instant now) {
  TRY(const Children all, children());
  for (auto& [key, entry] : entries_) {
    const auto found = all.find(entry.record.uid);
    const std::vector<Child> none;
    const std::vector<Child>& of_it = found == all.end() ? none : found->second;
    const cron::Status before = entry.record.status;
    count_ended(entry, of_it, now);
    if (entry.record.status != before) {
      entry.is_changed = true;
      if (auto saved = save(entry); !saved) {
        entry.record.status = before;  // it is counted again
        return saved;
      }
    }
    limit_history(entry, of_it);
  }
  TRY_VOID(end_orphans(all));
  must_sync_ = false;
  next_sync_ = entries_.empty() ? std::nullopt : std::optional(now + kSyncEvery);
  return {};
}

void CronScheduler::count_ended(Entry& entry, const std::vector<Child>& of_it, Instant now) {
  cron::Status& status = entry.record.status;
  for (const Child& child : of_it) {
    if (child.row.finished_at.is_set() || status.has_active(child.row.uid)) continue;
    status.active.push_back({child.row.name, child.row.name_space, child.row.uid});
  }
  bool has_counted = false;
  std::erase_if(status.active, [&](const cron::ActiveRun& run) {
    const auto child =
        std::ranges::find_if(of_it, [&](const Child& c) { return c.row.uid == run.uid; });
    if (child == of_it.end()) return true;  // it was deleted
    if (!child->row.finished_at.is_set()) return false;
    ++(child->row.phase == "Succeeded" ? status.succeeded : status.failed);
    has_counted = true;
    return true;
  });
  if (!has_counted) return;
  const auto stops = cron::is_to_stop(entry.object, status, now);
  if (!stops) {
    tell(entry.object, observe::LogLevel::kError, "the stop strategy cannot be evaluated",
         stops.error().message);
  } else if (*stops) {
    status.phase = cron::kStopped;
  }
}

void CronScheduler::limit_history(const Entry& entry, const std::vector<Child>& of_it) {
  std::vector<const store::WorkflowRow*> succeeded;
  std::vector<const store::WorkflowRow*> failed;
  for (const Child& child : of_it) {
    if (!child.row.finished_at.is_set() || child.label != name_of(entry.object)) continue;
    (child.row.phase == "Succeeded" ? succeeded : failed).push_back(&child.row);
  }
  const auto keep_newest = [this](std::vector<const store::WorkflowRow*>& rows, const Value& limit,
                                  std::int64_t otherwise) {
    const std::int64_t given = limit.int_or(-1);
    const auto keep = static_cast<std::size_t>(given >= 0 ? given : otherwise);
    std::ranges::stable_sort(
        rows, [](const auto* a, const auto* b) { return b->finished_at < a->finished_at; });
    for (std::size_t i = keep; i < rows.size(); ++i) deletions_.add(rows[i]->uid);
  };
  const Value& spec = entry.object["spec"];
  keep_newest(succeeded, spec["successfulJobsHistoryLimit"], 3);
  keep_newest(failed, spec["failedJobsHistoryLimit"], 1);
}

// The workflows of a CronWorkflow go with it, as owned objects do in Kubernetes.
diag::Result<void> CronScheduler::end_orphans(const Children& all) {
  for (const auto& [owner, of_it] : all) {
    const bool is_known = std::ranges::any_of(
        entries_, [&](const auto& entry) { return entry.second.record.uid == owner; });
    if (is_known) continue;
    for (const Child& child : of_it) {
      if (child.row.finished_at.is_set()) {
        deletions_.add(child.row.uid);
      } else if (ending_.insert(child.row.uid).second) {
        TRY_VOID(terminate(child.row.uid, child.row.suspended, child.row.created_at));
      }
    }
  }
  return {};
}

diag::Result<void> CronScheduler::look(Entry& entry, Instant now) {
  if (!entry.table) return {};
  const bool is_soon = entry.next && now < *entry.next;
  if (is_soon && !entry.is_changed) return {};
  if (const auto time = cron::due(*entry.table, entry.watch(), now, entry.is_changed)) {
    TRY_VOID(take(entry, *time, now));
    entry.tried = *time;
  }
  entry.is_changed = false;
  const Instant anchor = entry.watch().anchor();
  entry.next = entry.table->next(std::max(now, anchor), anchor);
  return {};
}

diag::Result<void> CronScheduler::take(Entry& entry, Instant time, Instant now) {
  cron::Status& status = entry.record.status;
  const cron::Status before = status;
  if (auto fine = check_(entry.object); !fine) {
    if (is_transient(fine.error())) return fine;
    status.set_condition(cron::kSpecError, fine.error().message);
    tell(entry.object, observe::LogLevel::kError, "the CronWorkflow is not valid",
         fine.error().message);
    return status == before ? diag::Result<void>() : save(entry);
  }
  status.remove_condition(cron::kSpecError);
  auto begins = may_begin(entry, now);
  if (begins && *begins) {
    if (auto started = start(entry, time, now); !started) {
      begins = std::unexpected(std::move(started).error());
    }
  }
  if (!begins) {
    if (is_transient(begins.error())) {
      status = before;
      return std::unexpected(begins.error());
    }
    tell(entry.object, observe::LogLevel::kError, "no workflow was started",
         begins.error().message);
  }
  return status == before ? diag::Result<void>() : save(entry);
}

// The rules in Argo's order: what was to stop, then suspend, `when` and the concurrency policy.
diag::Result<bool> CronScheduler::may_begin(Entry& entry, Instant now) {
  cron::Status& status = entry.record.status;
  const Value& spec = entry.object["spec"];
  auto stops = cron::is_to_stop(entry.object, status, now);
  if (!stops) {
    status.set_condition(cron::kSpecError,
                         fmt::format("failed to check CronWorkflow '{}' stopping condition: {}",
                                     name_of(entry.object), stops.error().message));
    return stops;
  }
  if (*stops) status.phase = cron::kStopped;
  if (spec["suspend"].bool_or(false) || status.phase == cron::kStopped) return false;
  auto begins = cron::may_begin(entry.object, status, now);
  if (!begins) {
    status.set_condition(cron::kSubmissionError, "run policy error: " + begins.error().message);
    ++status.failed;
    return begins;
  }
  const std::string_view policy = spec["concurrencyPolicy"].string_or("");
  if (!*begins || status.active.empty() || policy.empty() || policy == "Allow") return begins;
  if (policy == "Forbid") {
    tell(entry.object, observe::LogLevel::kInfo, "not run: one is active and the policy is Forbid",
         status.active.front().name);
    return false;
  }
  for (const cron::ActiveRun& run : status.active) {
    auto row = store_.find_workflow(run.name_space, run.name);
    if (!row || row->finished_at.is_set()) continue;
    TRY_VOID(terminate(run.uid, row->suspended, now));
  }
  return true;
}

diag::Result<void> CronScheduler::start(Entry& entry, Instant time, Instant now) {
  cron::Status& status = entry.record.status;
  Submission submission;
  submission.workflow = cron::workflow_of(entry.object, status, time);
  const std::string space(entry.object["metadata"]["namespace"].string_or(""));
  auto defaults = find_workflow_defaults(store_, {}, space);
  if (defaults) submission.workflow_defaults = std::move(*defaults);
  auto row = defaults ? submit(store_, submission, now)
                      : diag::Result<store::WorkflowRow>(std::unexpected(defaults.error()));
  if (!row && row.error().code == diag::Code::kAlreadyExists) {
    // This time was taken before a crash; a stranger of this name is an error.
    auto have = store_.find_workflow(space, cron::name_of_run(name_of(entry.object), time));
    auto metadata = have ? value::parse_json(have->metadata_json)
                         : diag::Result<Value>(std::unexpected(have.error()));
    if (metadata && cron::owner_of(*metadata) == entry.record.uid) row = std::move(have);
  }
  if (!row) {
    if (is_transient(row.error())) return std::unexpected(row.error());
    status.set_condition(cron::kSubmissionError,
                         "Failed to submit Workflow: " + row.error().message);
    ++status.failed;
    return std::unexpected(row.error());
  }
  if (!status.has_active(row->uid)) {
    status.active.push_back({row->name, row->name_space, row->uid});
  }
  status.phase = cron::kActive;
  status.last_scheduled = time;
  status.remove_condition(cron::kSubmissionError);
  has_acted_ = true;
  must_sync_ = true;
  tell(entry.object, observe::LogLevel::kInfo, "started", row->name);
  return {};
}

diag::Result<void> CronScheduler::terminate(const std::string& uid, bool is_suspended,
                                            Instant now) {
  has_acted_ = true;
  return order_end(store_, uid, is_suspended, now);
}

diag::Result<void> CronScheduler::save(const Entry& entry) {
  const Value& metadata = entry.object["metadata"];
  return store_.put_object({.kind = cron::kRecordKind,
                            .name_space = std::string(metadata["namespace"].string_or("")),
                            .name = name_of(entry.object),
                            .json = cron::to_json(entry.record),
                            .created_at = entry.record.since});
}

}  // namespace tiphys::runtime
