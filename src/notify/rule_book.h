// All rules, and which of them can match what happens to one workflow.
//
// A workflow's rules are looked up once, when an engine takes it: by the name of its template, its
// labels, its namespace. After that a change of phase costs as much as the rules that are about
// this kind of change of this workflow, however many others there are. Pure.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "diag/error.h"
#include "notify/rule.h"

namespace tiphys::notify {

using RulePtr = std::shared_ptr<const Rule>;

class RuleBook {
 public:
  /// Adds a rule.
  void add(RulePtr rule);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// The rules whose selector holds for a workflow: its metadata and spec.
  [[nodiscard]] std::vector<RulePtr> of(const value::Value& metadata,
                                        const value::Value& spec) const;

 private:
  /// Each rule is in one drawer, of a condition that it has and few workflows fulfil.
  std::unordered_map<std::string, std::vector<RulePtr>> drawers_;  // never iterated
  std::size_t size_ = 0;
};

/// A rule that an event fits.
struct Match {
  RulePtr rule;
  const Trigger* trigger = nullptr;  // a part of the rule; null: it only counts how workflows end
};

/// What one workflow's rules wait for.
class Watch {
 public:
  /// A workflow of these rules. `add_trouble` hears of expressions that fail, once each.
  using Trouble = std::function<void(const Rule& rule, const std::string& error)>;
  Watch() = default;
  explicit Watch(std::vector<RulePtr> rules);

  /// All that rules wait for; nothing else needs to be looked at.
  [[nodiscard]] HappeningSet wanted() const { return wanted_; }
  [[nodiscard]] const std::vector<RulePtr>& rules() const { return rules_; }
  /// The rules that an event fits: by their triggers and expressions. Each rule is told once.
  [[nodiscard]] std::vector<Match> matches(Happening what, const value::Value& event,
                                           clock::Instant now, const Trouble& trouble) const;

 private:
  struct Waiting {
    RulePtr rule;
    std::vector<const Trigger*> triggers;  // about one kind of happening
  };
  std::vector<RulePtr> rules_;
  std::array<std::vector<Waiting>, kHappenings> by_happening_;
  HappeningSet wanted_ = 0;
};

}  // namespace tiphys::notify
