// Runs leaf nodes: the interface behind which processes, HTTP requests, containers and pods live.
//
// An executor owns its threads. It is told to start a Task after the commit that decided it, so
// after a crash the same Task may be handed over again: start() with a key that is known attaches
// to what runs, or reports what has ended.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::executor {

/// One leaf node to run.
struct Task {
  std::string key;  // `<workflow uid>.<node id>`: the same after a restart; a retry is another node
  std::string workflow;  // metadata.name
  std::string name_space;
  std::string node_name;       // full node name
  std::string pod_name;        // for the log file and messages
  value::Value template_body;  // the Template in Argo's JSON form, every tag replaced, inputs with
                               // their values
  value::Value volumes;        // spec.volumes plus the template's, or null
  std::string
      log_path;  // stdout and stderr go here, a line each: RFC 3339 nanoseconds, blank, text
  std::string work_path;           // a folder that belongs to this node alone
  std::string volumes_path = {};   // of emptyDirs and the like; work_path/volumes when empty
  std::string container = "main";  // its name in messages, ARGO_CONTAINER_NAME and log artifacts
  bool is_recovery = false;        // handed over again after a restart of the engine
  bool wants_result = true;        // outputs.result (stdout) is read by someone
  value::Value plugins = {};       // spec.executorPlugins, for a plugin template
  value::Value workflow_spec =
      {};  // for what is a pod of a cluster: what the spec says of all pods
};

/// How one container of a containerSet ended.
struct ContainerOutcome {
  std::string name;
  std::string phase;  // Succeeded, Failed or Error
  std::string message;
};

/// What came back of an http template's request.
struct HttpAnswer {
  int status = 0;           // 0: it was sent, or was to be, and no answer came
  std::string retry_after;  // the header, as it is
};

/// How a Task ended.
struct Outcome {
  enum class Phase { kSucceeded, kFailed, kError };
  Phase phase = Phase::kSucceeded;
  std::string message;  // Argo's text: `main: Error (exit code 1)`
  std::optional<int> exit_code;
  // {"result": string, "parameters": [{"name":..,"value":..}], "artifacts": [..]}, members absent
  // when there are none.
  value::Value outputs;
  clock::Instant started_at;
  clock::Instant finished_at;
  std::vector<ContainerOutcome> containers = {};
  std::optional<HttpAnswer> http = {};  // of a request that could be made and was not cancelled
};

/// Calls back from any thread; the functions must be quick and must not call the executor.
struct Listener {
  std::function<void(const std::string& key, clock::Instant at)> on_running;
  /// The same of a step on another machine: its name, and the address of the step's pod.
  std::function<void(const std::string& key, clock::Instant at, std::string host, std::string ip)>
      on_placed = {};
  /// Why it has not begun: no node has room for its pod, its image cannot be had.
  std::function<void(const std::string& key, std::string why)> on_waiting = {};
  std::function<void(const std::string& key, Outcome outcome)> on_finished;
  /// A process has written another progress (`done/all`, unchecked) into its ARGO_PROGRESS_FILE.
  std::function<void(const std::string& key, std::string progress)> on_progress = {};
  /// A request has its connection and is written to it now; redirects are not told.
  /// Told again when a connection that was kept turns out to be dead.
  std::function<void(const std::string& key, clock::Instant at)> on_sent = {};
};

/// Finds secrets and config maps; called from executor threads. Errors: kNotFound.
struct Lookup {
  std::function<diag::Result<std::string>(const std::string& name_space, const std::string& name,
                                          const std::string& key)>
      secret;
  std::function<diag::Result<std::string>(const std::string& name_space, const std::string& name,
                                          const std::string& key)>
      config_map;
  /// All keys and values of one object, for `envFrom` and volumes; may be empty functions, then
  /// those are refused.
  using Entries = std::vector<std::pair<std::string, std::string>>;
  std::function<diag::Result<Entries>(const std::string& name_space, const std::string& name)>
      secret_entries = {};
  std::function<diag::Result<Entries>(const std::string& name_space, const std::string& name)>
      config_map_entries = {};
};

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// Starts the tasks, or attaches to those whose key is known. Exactly one on_finished follows for
  /// each, also when it cannot be started (phase Error). on_running comes before it when the step's
  /// process has begun. Does not block long.
  virtual void start(std::vector<Task> tasks) = 0;
  /// Ends a task: SIGTERM to all of its processes, SIGKILL after `grace`. Its on_finished still
  /// follows. Unknown keys are ignored. The outcome's message is that of the ended process (`main:
  /// Error (exit code 143)`).
  virtual void cancel(const std::string& key, clock::Duration grace) = 0;
  /// Another engine has taken over the workflow of the task, and goes on with it where it can:
  /// there nothing more is done or told here. What only this executor reaches is ended, as by
  /// cancel().
  virtual void hand_over(const std::string& key, clock::Duration grace) { cancel(key, grace); }
  /// Whether executors of other engines go on with what this one has begun.
  [[nodiscard]] virtual bool is_shared() const { return false; }
  /// The outcome is committed: what is kept for the key (exit status, scratch files) can go.
  virtual void acknowledge(const std::string& key) = 0;
  /// podGC: what a cluster keeps of a pod that has ended is to go. Executors without pods have
  /// nothing to do.
  virtual void remove_pod(const std::string& /*name_space*/, const std::string& /*pod*/) {}
  /// volumeClaimGC: a claim that was made for a workflow is to go.
  virtual void remove_claim(const std::string& /*name_space*/, const std::string& /*claim*/) {}
  /// A workflow is over, and all of its tasks are acknowledged: what is left in the folder that
  /// holds their work_paths can go.
  virtual void forget_workflow(const std::string& work_folder) = 0;
};

}  // namespace tiphys::executor
