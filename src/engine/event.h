// Everything that can happen to a workflow. Events are data: the log of a workflow is the list of
// its events, and applying them again gives the same state.
//
// Pure data and its JSON form, which is kept in the store (docs/STORE.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "engine/node.h"
#include "value/value.h"

namespace tiphys::engine {

/// The workflow begins: its entrypoint starts.
struct Begin {};

/// Names a leaf node in a certain run of the workflow: a `retry` by hand begins a new run.
struct LeafId {
  std::uint32_t run = 0;
  NodeIndex node = kNoNode;
  friend bool operator==(const LeafId&, const LeafId&) = default;
};

/// The process, request or pod of a leaf node has begun.
struct LeafRunning {
  LeafId leaf;
  clock::Instant started_at;
  Place place = {};
};

/// Its process has told how far it is, or what holds up one that has not begun.
struct LeafProgress {
  LeafId leaf;
  std::string progress;      // `done/all`; empty: nothing new
  std::string waiting = {};  // the message of a leaf that is Pending; empty: nothing new
};

/// It has ended.
struct LeafFinished {
  LeafId leaf;
  Phase phase = Phase::kSucceeded;
  std::string message;
  std::optional<int> exit_code;
  value::Value outputs;  // {result, parameters, artifacts}
  clock::Instant started_at;
  clock::Instant finished_at;
};

/// What a timer is for.
enum class TimerKind : std::uint8_t {
  kSuspend,           // a suspend template's duration is over
  kBackoff,           // a retry's waiting time is over
  kTemplateDeadline,  // activeDeadlineSeconds or timeout of a template
  kWorkflowDeadline,  // spec.activeDeadlineSeconds
  kPendingDeadline,   // timeout or pendingTimeout of a template that is still Pending
};

struct TimerFired {
  std::uint32_t run = 0;
  NodeIndex node = kNoNode;  // kNoNode for the workflow's deadline
  TimerKind kind = TimerKind::kSuspend;
};

/// What the cache of a memoized template holds for a key.
struct CacheAnswered {
  std::uint32_t run = 0;
  std::uint32_t ticket = 0;  // of the LookUpCache
  value::Value entry;        // {nodeID, outputs, creationTimestamp}, or null
  std::string error;
};

/// Whether the locks of a workflow or template are acquired.
struct LocksAnswered {
  std::uint32_t run = 0;
  std::uint32_t ticket = 0;  // of the AcquireLocks
  bool is_acquired = false;
  std::string waiting;  // the lock that is not free
  std::string message;  // Argo's text about that
  std::string error;    // not empty: they will never be acquired
};

/// What has become of artifacts that the workflow gives up.
struct ArtifactsCollected {
  std::uint32_t run = 0;
  std::string strategy;  // OnWorkflowCompletion or OnWorkflowDeletion
  value::Value results;  // a list of {node, name, error}; without an error it is gone
};

/// A person's command.
struct Control {
  enum class Verb : std::uint8_t { kStop, kTerminate, kSuspend, kResume, kSet, kRetry, kRelabel };
  Verb verb = Verb::kStop;
  value::Value arguments;  // see control.h
};

/// One event, with the time at which the runtime took it in.
struct Event {
  clock::Instant at;
  std::variant<Begin, LeafRunning, LeafProgress, LeafFinished, TimerFired, CacheAnswered,
               LocksAnswered, ArtifactsCollected, Control>
      body;
};

/// Appends the JSON form of an event.
void append_json(std::string& out, const Event& event);
/// Reads one event, or a list of them. Errors: kInternal (the log is damaged or of another
/// version).
[[nodiscard]] diag::Result<std::vector<Event>> parse_events(std::string_view json);
/// The same, in the place of what `events` held: for many texts, whose memory is then one.
[[nodiscard]] diag::Result<void> parse_events(std::string_view json, std::vector<Event>& events);

/// `stop`, `terminate` ... to a verb; nullopt for any other word.
[[nodiscard]] std::optional<Control::Verb> parse_verb(std::string_view word);

}  // namespace tiphys::engine
