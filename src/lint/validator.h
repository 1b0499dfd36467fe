// The state and parts of one validation: which object is looked at, what is in scope, what was
// found. Internal to lint/.
//
// Argo stops at the first fault; here each check reports and goes on, in Argo's order, so that the
// first report is Argo's. After a fault names that depend on it are taken for known, so that one
// mistake is told once. Not shared between threads.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lint/lint.h"
#include "spec/positions.h"
#include "value/value.h"
#include "vars/scope.h"

namespace tiphys::lint {

/// Of more findings nobody reads the suggestions, and each costs a look at all names.
constexpr std::size_t kSuggestionsMax = 20;

/// Templates that lie deeper are looked at later, from the top, so that no depth fills the stack.
constexpr std::size_t kNestingMax = 100;

/// An object that holds templates: the workflow, or a (Cluster)WorkflowTemplate.
struct Base {
  value::Value spec;
  std::string kind;
  std::string name;
  std::string pointer = "/spec";                     // of the spec inside the object
  std::shared_ptr<const spec::Positions> positions;  // null: stored, not from a file
  /// Where each template stands in the list; made by the first find_template().
  mutable std::map<std::string, std::size_t, std::less<>> by_name = {};
  [[nodiscard]] std::string scope() const { return kind + "/" + name; }
  /// The name of a template that looks most like `template_name`; empty when none does.
  [[nodiscard]] std::string nearest_template(std::string_view template_name) const;
  /// Where the template `template_name` stands, and itself; null when there is none.
  [[nodiscard]] const value::Value* find_template(std::string_view template_name,
                                                  std::string& at) const;
};
using BasePointer = std::shared_ptr<const Base>;

/// A place in a base.
struct Place {
  BasePointer base;
  std::string pointer;
  bool is_key = false;
  [[nodiscard]] Place at(std::string_view token) const;
  [[nodiscard]] Place at(std::string_view token, std::size_t index) const;
  [[nodiscard]] diag::Position position() const;
};

/// Names that may stand in tags. A name that ends with '*' stands for all that begin like it.
class Names {
 public:
  Names() = default;
  /// What `parent` has counts, too; it is borrowed. So a step's own names cost no copy.
  explicit Names(const Names* parent) : parent_(parent) {}
  void add(std::string name) { names_.insert(std::move(name)); }
  /// Names that would take too long to list: whether one is among them, and all, for suggestions.
  struct Unlisted {
    std::function<bool(std::string_view)> has;
    std::function<std::vector<std::string>()> all;
  };
  void add_unlisted(Unlisted names) { unlisted_ = std::move(names); }
  [[nodiscard]] bool has(std::string_view name) const;
  /// The known name that looks most like `name`; empty when none does.
  [[nodiscard]] std::string nearest(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> names_;
  Unlisted unlisted_;
  const Names* parent_ = nullptr;
};

/// What a step, task or workflow hands to a template. `is_fake`: any argument, of unknown value.
struct Supplied {
  bool is_fake = false;
  value::Value arguments = {};
};

/// A template that was found.
struct Resolved {
  value::Value body;
  Place place;
};

struct ValidateOptions {
  bool allow_empty_arguments = false;
  bool is_template = false;        // a WorkflowTemplate is looked at in isolation
  bool ignore_entrypoint = false;  // one without entrypoint
  bool is_operated = false;        // by the controller, whose cache has words of its own
};

class Validator {
 public:
  Validator(const FindStored& find_stored, ValidateOptions options)
      : find_stored_(find_stored), options_(options) {}

  /// Validates a workflow; `base` is its spec, `metadata` its metadata.
  void workflow(const BasePointer& base, const value::Value& metadata);

  /// What was found, the first first.
  [[nodiscard]] std::vector<diag::Diagnostic>& findings() { return findings_; }
  /// Where templates of files are found, before stored ones: "kind/name" -> base.
  std::map<std::string, BasePointer> bases;
  std::string name_space;

  /// Tells a fault. `text` is Argo's whole message.
  void report(const Place& at, std::string text, std::string suggestion = "");

 private:
  friend class StepsCheck;
  friend class DagCheck;

  // validate_workflow.cc
  void declare_globals(const BasePointer& base, const value::Value& metadata,
                       const BasePointer& referenced, const value::Value& arguments);
  void validate_exit_handler(const BasePointer& base, const BasePointer& referenced);
  void validate_all_templates(const BasePointer& base, const BasePointer& referenced);
  void validate_spec_rules(const BasePointer& base);
  value::Value merged_arguments(const value::Value& own, const BasePointer& referenced) const;
  void executor_plugins(const value::Value& plugins, const Place& at);
  BasePointer find_base(std::string_view kind, std::string_view name);

  // validate_arguments.cc
  void arguments(const std::string& prefix, const value::Value& arguments, const Place& at,
                 bool allow_empty);
  void argument_parameter(const std::string& prefix, const value::Value& parameter, const Place& at,
                          bool allow_empty);
  bool names(const std::string& prefix, const value::Value& list, const Place& at,
             bool are_parameters);
  std::optional<value::Value> process_arguments(const Resolved& found, const Supplied& supplied,
                                                const std::string& prefix, Names& scope);
  value::Value substituted(const value::Value& body, const vars::MapScope& locals);

  // validate_template.cc
  /// Finds and validates what a step, task or entrypoint names. nullopt: not found (told) or known
  /// only at run time; `is_known` tells these apart.
  std::optional<Resolved> holder(const value::Value& holder, const Place& at,
                                 const Supplied& supplied, const std::string& prefix,
                                 bool& is_sound);
  std::optional<Resolved> resolve(const value::Value& holder, const Place& at,
                                  const std::string& prefix, bool& is_sound);
  bool template_type(const Resolved& found, const std::string& prefix);
  void validate_template(const Resolved& found, const Supplied& supplied,
                         const std::string& prefix);
  bool pod_resources(const std::string& prefix, const value::Value& resources, const Place& at);
  void inputs(const Resolved& found, const std::string& prefix, Names& scope);
  bool artifact_path(const value::Value& artifact, const std::string& error_prefix,
                     const Place& at);
  void artifact_location(const std::string& error_prefix, const value::Value& artifact,
                         const Place& at);
  void body(const Resolved& processed, const std::string& prefix, Names& scope);
  void bodies(const Resolved& processed, const std::string& prefix, Names& scope);
  void metrics(const Resolved& found, const std::string& prefix);
  void timeouts(const Resolved& found, const std::string& prefix);

  // validate_outputs.cc
  void outputs(const Resolved& found, const std::string& prefix, const Names& scope);
  void output_parameter(const Resolved& found, const value::Value& parameter, const Place& at,
                        const std::string& prefix);
  void output_artifact(const Resolved& found, const value::Value& artifact, const Place& at,
                       const std::string& prefix);
  void add_outputs(const value::Value* body, std::string_view root, std::string_view name,
                   Names& scope, bool is_loop, bool is_ancestor);
  bool items(const value::Value& step, Names& scope, const Place& at, const std::string& prefix);

  // validate_leaf.cc
  void leaf(const Resolved& found, const std::string& prefix, const Names& scope);
  void container_set(const Resolved& found, const std::string& prefix);
  void container_order(const value::Value& set, const std::string& owner, const Place& at);
  void resource(const Resolved& found, const std::string& prefix);
  using MountPaths = std::map<std::string_view, std::string>;
  /// Tells of paths that are mounted twice; what is mounted where is added to `taken`.
  void mounts(const value::Value& list, const std::string& owner, std::string_view inner,
              const Place& at, MountPaths& taken);
  void container_mounts(const Resolved& found, const std::string& prefix);
  void image(const Resolved& found, const std::string& prefix, std::string_view kind);

  // validate_tags.cc
  /// Tells every tag in `v` that has no meaning; `prefix` goes in front of Argo's text.
  void tags(const value::Value& v, const Place& at, const Names& scope, const std::string& prefix);
  void tags_of_text(std::string_view text, const Place& at, const Names& scope,
                    const std::string& prefix);
  [[nodiscard]] bool is_allowed(std::string_view tag, const Names& scope) const;
  void hooks(const value::Value& hooks, const Place& at, const std::string& prefix,
             const std::string& name);

  // validate_steps.cc, validate_dag.cc
  void steps(const Resolved& found, const std::string& prefix, Names& scope);
  void dag(const Resolved& found, const std::string& prefix, Names& scope);

  std::string placeholder();

  const FindStored& find_stored_;
  ValidateOptions options_;
  vars::MapScope globals_;
  Names global_names_;
  std::set<std::string> validated_;  // scope + template name
  struct Deferred {
    Resolved processed;
    Names scope;
  };
  std::deque<Deferred> deferred_;  // bodies that were met too deep
  std::size_t nesting_ = 0;        // of bodies that are looked at
  std::set<std::string> told_;     // place + text, to tell each fault once
  std::map<std::string, BasePointer> stored_;
  std::vector<diag::Diagnostic> findings_;
  int placeholders_ = 0;
};

// Small looks into manifests, shared by the files of lint/.

/// The string at `key`, else empty.
[[nodiscard]] std::string_view text(const value::Value& v, std::string_view key);
/// The kind of a template as Argo names it: "Container", "Steps" ...; empty when none is given.
[[nodiscard]] std::string_view template_type_of(const value::Value& body);
[[nodiscard]] bool is_leaf_type(std::string_view type);
[[nodiscard]] bool is_pod_type(std::string_view type);
/// True if the text holds a tag of the form {{a.b}}.
[[nodiscard]] bool has_simple_tag(std::string_view text);
[[nodiscard]] bool is_placeholder(std::string_view text);
/// The position of a tag inside the scalar at `at`: block scalars go line by line.
[[nodiscard]] diag::Position position_inside(diag::Position start, std::string_view text,
                                             std::size_t offset);

}  // namespace tiphys::lint
