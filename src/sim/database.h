// The store that the engines of a simulated fleet share: logs of workflows, leases, and writers
// whose transactions are numbered, as docs/POSTGRES.md has it.
//
// It checks, independently of the leases' rules, what must hold of what is written: see
// complaint(). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "lease/register.h"
#include "sim/mutations.h"

namespace tiphys::sim {

/// One transaction.
struct Write {
  struct Row {
    std::string uid;
    std::uint64_t sequence = 0;
    std::string events;
    bool is_over = false;  // the workflow ends with it
  };
  std::int64_t writer = 0;
  std::int64_t ticket = 0;
  std::int64_t engine = 0;
  std::string place;
  lease::Epochs epochs;
  std::vector<Row> rows;
};

enum class Written { kYes, kTakenOver, kSealed };

class Database {
 public:
  struct Workflow {
    engine::Definition definition;
    std::map<std::uint64_t, std::string> log;  // by sequence
    bool is_over = false;
  };

  explicit Database(const Mutations& mutations) : mutations_(mutations) {}

  void add(const std::string& uid, engine::Definition definition) {
    workflows_[uid].definition = std::move(definition);
  }
  [[nodiscard]] lease::Register& leases() { return leases_; }
  /// Takes it, if `now` allows.
  [[nodiscard]] std::optional<lease::Register::Taken> take(const std::string& uid,
                                                           std::int64_t engine,
                                                           const std::string& place,
                                                           clock::Instant now,
                                                           clock::Instant judged_at);

  [[nodiscard]] std::int64_t new_writer() { return ++last_writer_; }
  [[nodiscard]] Written commit(const Write& write);
  /// Nothing of the writer comes through any more; gives its last ticket.
  [[nodiscard]] std::int64_t seal(std::int64_t writer) {
    is_sealed_[writer] = true;
    return tickets_[writer];
  }

  [[nodiscard]] const std::map<std::string, Workflow>& workflows() const { return workflows_; }
  [[nodiscard]] std::vector<std::string> unfinished() const;
  /// Whether the end of this leaf is in the log.
  [[nodiscard]] bool knows_end(const std::string& key) const { return ended_.contains(key); }
  /// The engine that has replayed the log.
  [[nodiscard]] std::unique_ptr<engine::Engine> replay(const std::string& uid) const;
  /// What has gone wrong; empty when nothing has.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  /// Commits that were refused since another engine had taken over.
  [[nodiscard]] std::size_t refused() const { return refused_; }
  [[nodiscard]] std::size_t takeovers() const { return takeovers_; }

 private:
  void complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }
  void write(const Write& write, const Write::Row& row);

  const Mutations& mutations_;
  lease::Register leases_;
  std::map<std::string, Workflow> workflows_;
  std::map<std::int64_t, std::int64_t> tickets_;  // by writer
  std::map<std::int64_t, bool> is_sealed_;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> owners_;  // engine, epoch: by take()
  std::set<std::string> ended_;                                          // leaves
  std::int64_t last_writer_ = 0;
  std::size_t refused_ = 0;
  std::size_t takeovers_ = 0;
  std::string complaint_;
};

/// The key of a leaf for executors, as runtime/workflow_run.h makes it.
[[nodiscard]] std::string key_of(const std::string& uid, const engine::LeafId& leaf);

}  // namespace tiphys::sim
