// A node of a running workflow, and what each kind of composite node remembers while it runs.
//
// Nodes are numbered in the order of their creation, which is the same in every replay of the log.
// A workflow can have a million of them, so a finished node is small: what its siblings have in
// common is one Site, what only a running node needs (Live) goes when it has settled, what few
// nodes have (Rare) is made on demand, and its id and display name are worked out from its name
// (names.h). Pure data; owned by one Engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "engine/phase.h"
#include "spec/template.h"
#include "value/value.h"

namespace tiphys::engine {

/// The number of a node within its workflow.
using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;

/// Who started a node, and is told when it has settled (is final, its hooks included).
enum class OwnerKind : std::uint8_t {
  kEntry,         // the workflow: the entrypoint
  kExitHandler,   // the workflow: onExit
  kWorkflowHook,  // the workflow: one of spec.hooks
  kStepGroup,     // a StepGroup node
  kTask,          // a DAG node
  kTaskGroup,     // a TaskGroup node: one item of a loop
  kRetry,         // a Retry node: one attempt
  kHook,          // the node whose hook this is
  kExitHook,      // the node whose exit hook this is
  kNone,          // nobody: a StepGroup, whose Steps node makes it final itself
};

/// Where names of templates are looked up: the workflow itself, or a stored template.
struct TemplateScope {
  std::string label;                        // `local/NAME`, `namespaced/NAME`, `cluster/NAME`
  const struct Library* library = nullptr;  // owned by the Machine
};

/// What nodes that were started from the same place have in common.
struct Site {
  std::string template_name = {};
  spec::TemplateRef template_ref = {};
  std::shared_ptr<const TemplateScope> scope = {};  // where the template's name was looked up
  std::string label = {};  // `steps.a` / `tasks.a`: the place's variables; empty for others
  /// The template's name in its own holder.
  [[nodiscard]] const std::string& own_template_name() const {
    return template_ref.is_set() ? template_ref.template_name : template_name;
  }
};

/// Running state of a composite node; see steps.h, dag.h, retry.h.
struct Frame {
  enum class Kind : std::uint8_t { kSteps, kDag, kRetry };
  explicit Frame(Kind k) : kind(k) {}
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  virtual ~Frame() = default;

  const Kind kind;
};

/// What few nodes have until they have settled.
struct LiveRare {
  std::vector<bool> fired_hooks;  // by index into the caller's hooks
  std::string kill_message;       // what a leaf that was killed will say
  std::string hook_error;         // of a task: it will be Error, whatever it ends with
  std::string waits_for_lock;     // its name; the node has not begun
};

/// What a node needs until it has settled. A loop can begin with a million of them.
struct Live {
  std::shared_ptr<const spec::Step> caller;    // the step or task, with its hooks; null for others
  std::shared_ptr<const spec::Template> body;  // every tag replaced; null for groups
  std::unique_ptr<Frame> frame;                // of a composite
  std::uint32_t open_hooks = 0;                // nodes of its hooks that are not final
  bool exit_hook_decided = false;

  /// Made at the first call.
  [[nodiscard]] LiveRare& rare() {
    if (!rare_) rare_ = std::make_unique<LiveRare>();
    return *rare_;
  }
  /// Null when nobody has asked for it.
  [[nodiscard]] const LiveRare* rare_or_null() const { return rare_.get(); }

 private:
  std::unique_ptr<LiveRare> rare_;
};

/// How much of a leaf is done; 0/1 until it tells something else.
struct Progress {
  std::int64_t done = 0;
  std::int64_t all = 1;
};

/// Where the pod of a leaf runs, when that is not this machine.
struct Place {
  std::string host;  // hostNodeName
  std::string ip;    // of the pod
};

/// What few nodes have.
struct Rare {
  std::string message;
  Place place;
  Progress progress;         // of a leaf that has told it
  std::string display_name;  // given by an annotation
  value::Value memoization;  // {hit, key, cacheName} or null
  std::vector<NodeIndex> outbound;
};

/// A value that is often absent or the same in many nodes: null, or shared.
class SharedValue {
 public:
  SharedValue() = default;
  SharedValue& operator=(value::Value v) {
    v_ = v.is_null() ? nullptr : std::make_shared<const value::Value>(std::move(v));
    return *this;
  }
  SharedValue& operator=(std::shared_ptr<const value::Value> v) {
    v_ = std::move(v);
    return *this;
  }
  [[nodiscard]] const value::Value& get() const;
  operator const value::Value&() const { return get(); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] const value::Value& operator[](std::string_view key) const { return get()[key]; }
  [[nodiscard]] const value::Map& map() const { return get().map(); }
  [[nodiscard]] bool is_null() const { return v_ == nullptr; }

 private:
  std::shared_ptr<const value::Value> v_;
};

class Node {
 public:
  std::string name;
  const Site* site = nullptr;  // owned by the Machine
  clock::Instant started_at;
  clock::Instant finished_at;
  SharedValue inputs;
  SharedValue outputs;  // {parameters, artifacts, result, exitCode} or null
  std::vector<NodeIndex> children;
  NodeIndex owner = kNoNode;
  NodeIndex boundary = kNoNode;
  std::uint16_t depth = 0;  // of templates around it
  Phase phase = Phase::kPending;
  spec::NodeType type = "Pod";
  OwnerKind owner_kind = OwnerKind::kEntry;
  bool hooked : 1 = false;
  bool retried : 1 = false;
  bool has_flag : 1 = false;      // nodeFlag is written, be it empty
  bool on_exit : 1 = false;       // part of an exit handler: runs on in spite of `stop`
  bool late : 1 = false;          // part of a workflow hook or exit handler: sees the final status
  bool has_run : 1 = false;       // it was Running, however shortly
  bool is_settled : 1 = false;    // final, and its hooks are final, and the owner has been told
  bool is_cancelled : 1 = false;  // its process was told to end
  bool is_daemon : 1 = false;     // a daemon that came up: its owner went on when it did
  bool is_up_told : 1 = false;    // the owner was told that the daemon is up
  bool is_timed_out : 1 = false;  // Pending for too long: killed, or over
  bool is_closing : 1 = false;    // a daemon that is final while its process still ends
  bool counts_parallelism : 1 = false;
  bool is_dirty : 1 = false;  // its row changed during this apply()

  // Of the Live part; each is empty once the node has settled.
  [[nodiscard]] Frame* frame() const { return live_ ? live_->frame.get() : nullptr; }
  [[nodiscard]] const std::shared_ptr<const spec::Step>& caller() const {
    return live_ ? live_->caller : kNoCaller;
  }
  [[nodiscard]] const std::shared_ptr<const spec::Template>& body() const {
    return live_ ? live_->body : kNoBody;
  }
  [[nodiscard]] const std::string& kill_message() const;
  [[nodiscard]] const std::string& hook_error() const;
  [[nodiscard]] const std::string& waits_for_lock() const;
  void set_waits_for_lock(std::string lock);
  [[nodiscard]] std::uint32_t open_hooks() const { return live_ ? live_->open_hooks : 0; }
  /// Requires that the node has not settled.
  [[nodiscard]] Live& live() {
    if (!live_) live_ = std::make_unique<Live>();
    return *live_;
  }
  /// Drops what only a running node needs; its body stays if `keeps_body`.
  void settle_down(bool keeps_body);

  // Of the Rare part.
  [[nodiscard]] const std::string& message() const { return rare().message; }
  [[nodiscard]] const std::string& given_display_name() const { return rare().display_name; }
  [[nodiscard]] const value::Value& memoization() const { return rare().memoization; }
  [[nodiscard]] const std::vector<NodeIndex>& outbound() const { return rare().outbound; }
  [[nodiscard]] const Progress& progress() const { return rare().progress; }
  void set_progress(Progress p) { rare_to_change().progress = p; }
  [[nodiscard]] const Place& place() const { return rare().place; }
  void set_place(Place place) { rare_to_change().place = std::move(place); }
  void set_message(std::string text);
  void set_display_name(std::string text);
  void set_memoization(value::Value v);
  void set_outbound(std::vector<NodeIndex> nodes);

 private:
  static inline const std::shared_ptr<const spec::Step> kNoCaller;
  static inline const std::shared_ptr<const spec::Template> kNoBody;

  [[nodiscard]] const Rare& rare() const;
  [[nodiscard]] Rare& rare_to_change();

  std::unique_ptr<Live> live_;
  std::unique_ptr<Rare> rare_;
};

}  // namespace tiphys::engine
