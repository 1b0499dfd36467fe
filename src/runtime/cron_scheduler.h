// Starts the workflows of CronWorkflows, counts how they end, and deletes those beyond the limits
// of their history.
//
// One engine of a state folder does so at a time: it holds a lock. The name of a workflow follows
// from its time, so that a crash between its creation and the note that the time was taken makes no
// second one: the note is then made with the workflow that is there. Used by the loop's thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cron/due.h"
#include "cron/record.h"
#include "runtime/deletions.h"
#include "runtime/ownership.h"
#include "store/store.h"

namespace tiphys::runtime {

/// The machine's time zone, as Go's time.Local finds it: TZ, else /etc/localtime; null: UTC.
[[nodiscard]] const date::time_zone* machine_zone();
/// Its name; "UTC" when there is none.
[[nodiscard]] std::string machine_zone_name();

class CronScheduler {
 public:
  /// Tells what is wrong with a CronWorkflow (kInvalidManifest, in Argo's words).
  using Check = std::function<diag::Result<void>(const value::Value& cron)>;

  CronScheduler(const Config& config, store::Store& store, Deletions& deletions, Check check)
      : config_(config), store_(store), deletions_(deletions), check_(std::move(check)) {}

  /// Somebody else has changed the store.
  void store_changed() { may_have_changed_ = true; }
  /// A workflow with this metadata has ended here.
  void workflow_ended(const value::Value& metadata);
  /// When there is something to do, unless something happens before; nullopt for never.
  [[nodiscard]] std::optional<clock::Instant> next() const;
  /// Does what is due. Gives whether it has created workflows or commands. Errors: kIo (what could
  /// not be written is tried again in a second), kDamaged.
  [[nodiscard]] diag::Result<bool> work(clock::Instant now);

 private:
  struct Entry {
    value::Value object;
    std::optional<cron::Timetable> table;  // none: its schedules are malformed
    cron::Record record;
    clock::Instant watched_since;
    clock::Instant tried;
    bool is_changed = true;
    std::optional<clock::Instant> next;

    [[nodiscard]] cron::Watch watch() const;
  };
  struct Child {
    store::WorkflowRow row;
    std::string label;  // the name of the CronWorkflow
  };
  using Key = std::pair<std::string, std::string>;             // namespace, name
  using Children = std::map<std::string, std::vector<Child>>;  // by the owner's uid

  [[nodiscard]] diag::Result<void> load(clock::Instant now);
  [[nodiscard]] diag::Result<void> take_entry(const store::ObjectRow& row, clock::Instant now);
  [[nodiscard]] diag::Result<Children> children();
  [[nodiscard]] diag::Result<void> sync(clock::Instant now);
  void count_ended(Entry& entry, const std::vector<Child>& of_it, clock::Instant now);
  void limit_history(const Entry& entry, const std::vector<Child>& of_it);
  [[nodiscard]] diag::Result<void> end_orphans(const Children& all);
  [[nodiscard]] diag::Result<void> look(Entry& entry, clock::Instant now);
  [[nodiscard]] diag::Result<void> take(Entry& entry, clock::Instant time, clock::Instant now);
  [[nodiscard]] diag::Result<bool> may_begin(Entry& entry, clock::Instant now);
  [[nodiscard]] diag::Result<void> start(Entry& entry, clock::Instant time, clock::Instant now);
  [[nodiscard]] diag::Result<void> terminate(const std::string& uid, bool is_suspended,
                                             clock::Instant now);
  [[nodiscard]] diag::Result<void> save(const Entry& entry);

  const Config& config_;
  store::Store& store_;
  Deletions& deletions_;
  Check check_;
  std::optional<Ownership> lock_;
  std::map<Key, Entry> entries_;
  std::optional<std::uint64_t> version_;  // of the CronWorkflows that were read
  std::set<std::string> ending_;          // orphans that were told to terminate
  bool may_have_changed_ = true;
  bool must_sync_ = true;
  bool has_acted_ = false;
  std::optional<clock::Instant> next_sync_;
  std::optional<clock::Instant> next_try_;  // after a failure, or for the lock
};

}  // namespace tiphys::runtime
