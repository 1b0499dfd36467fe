// From an event that fits a rule to what is sent: streaks of failures, what is told only once,
// quiet hours, digests.
//
// Whatever has to be remembered for that goes through RuleMemory, so that the runtime can commit it
// together with what is sent, and `simulate` can forget it. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "diag/error.h"
#include "notify/rule_book.h"

namespace tiphys::notify {

/// What rules remember; see store/rule_memory.h.
class RuleMemory {
 public:
  RuleMemory() = default;
  RuleMemory(const RuleMemory&) = delete;
  RuleMemory& operator=(const RuleMemory&) = delete;
  virtual ~RuleMemory() = default;
  /// Null when there is nothing. Errors: kIo.
  [[nodiscard]] virtual diag::Result<value::Value> recall(const std::string& rule,
                                                          const std::string& key) = 0;
  /// Null forgets. `due_at`, if set: close_digest() is to be called then.
  virtual void keep(const std::string& rule, const std::string& key, value::Value v,
                    clock::Instant due_at) = 0;
};

/// An event that fits a rule.
struct Candidate {
  Match match;
  Happening what = Happening::kWorkflowRunning;
  value::Value event = {};
  std::string uid = {};       // of the workflow
  std::string occasion = {};  // names the event among those of the workflow
  clock::Instant at = {};
  /// If set, gives the event with what is read only when it is told: the ends of logs.
  std::function<value::Value(const value::Value& event)> complete = {};
};

/// What one address is to be sent.
struct Letter {
  RulePtr rule;
  std::size_t address = 0;  // of rule->send
  std::string uid = {};     // of the workflow, or of a digest
  std::string key = {};     // constant and unique for the event and address: makes the id
  value::Value event = {};
  value::Value message = {};       // rendered
  clock::Instant not_before = {};  // the end of the quiet hours, or not set
  std::string trouble = {};        // what in its message gave nothing
};

/// What is to be sent of a candidate, if anything. Errors: those of the memory.
[[nodiscard]] diag::Result<std::vector<Letter>> decide(const Candidate& candidate,
                                                       RuleMemory& memory);

/// The window of a digest is over: what was gathered under `key` becomes letters, and is forgotten.
/// In quiet hours it is put off. The title and text of a rule's own message are a line for each
/// event, unless they read `digest`: then they are about all. Its other fields are of the digest.
[[nodiscard]] std::vector<Letter> close_digest(const RulePtr& rule, const std::string& key,
                                               const value::Value& gathered, clock::Instant now,
                                               RuleMemory& memory);

/// The key under which it is remembered that a workflow's run was overdue.
[[nodiscard]] std::string overdue_key(const std::string& uid, std::uint32_t run);

}  // namespace tiphys::notify
