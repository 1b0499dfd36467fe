// What notification rules would send while a workflow is rehearsed: nothing is sent or remembered.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/inputs.h"
#include "engine/engine.h"
#include "notify/rule_desk.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::cli {

/// A message that would be sent.
struct RehearsedLetter {
  clock::Duration at;  // since the beginning
  std::string rule;
  std::string trigger;
  std::string channel;
  std::string kind;           // of the channel; "" when there is no such channel
  std::string destination;    // "" where the channel has only one
  clock::Instant not_before;  // set in quiet hours
  std::string title;
  std::string text;
  std::string link;
  std::string problem;  // not empty: why it could not be sent
};

/// The rules and channels that a rehearsal knows: those of the files before those of the store.
struct RuleSource {
  std::vector<notify::RulePtr> rules;
  std::map<std::pair<std::string, std::string>, value::Value> channels;  // by namespace, name

  /// Errors: kIo.
  [[nodiscard]] static diag::Result<RuleSource> of(const Documents& documents, store::Store& store,
                                                   const std::string& name_space);
};

class RehearsedRules final : public notify::RuleMemory {
 public:
  /// For the workflow of this definition, which begins at `begins`.
  RehearsedRules(RuleSource source, const engine::Definition& definition, clock::Instant begins,
                 std::string url);

  /// As sim::Rehearsal::Watcher.
  void saw(const engine::Engine& engine, const std::vector<engine::Transition>& transitions,
           clock::Instant at);
  /// It is over: digests are closed.
  void end();
  [[nodiscard]] const std::vector<RehearsedLetter>& letters() const { return letters_; }

  [[nodiscard]] diag::Result<value::Value> recall(const std::string& rule,
                                                  const std::string& key) override;
  void keep(const std::string& rule, const std::string& key, value::Value v,
            clock::Instant due_at) override;

 private:
  void note(notify::Happening what, value::Value event, const std::string& occasion,
            clock::Instant at, const notify::Rule* only);
  void add(const notify::Letter& letter, clock::Instant at);

  RuleSource source_;
  notify::Watch watch_;
  bool is_mute_ = false;
  clock::Instant begins_;
  std::string url_;
  std::set<std::string> told_overdue_;
  std::map<std::pair<std::string, std::string>, std::pair<value::Value, clock::Instant>> memory_;
  std::vector<RehearsedLetter> letters_;
};

}  // namespace tiphys::cli
