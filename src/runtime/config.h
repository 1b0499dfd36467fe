// Every limit and folder of the engine, with its default, in one place.
//
// Pure data, except from_environment().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "clock/instant.h"
#include "diag/error.h"
#include "executor/executor_kind.h"
#include "executor/step_log.h"
#include "runtime/http_hooks.h"
#include "value/value.h"

namespace tiphys::store {
class Store;
}

namespace tiphys::runtime {

/// Where state lives and how much is done at once.
struct Config {
  std::string home;  // $TIPHYS_HOME, else $XDG_STATE_HOME/tiphys, else ~/.local/state/tiphys
  int steps_max =
      0;  // processes at once on this machine, over all workflows; 0: 4 x cores, 16 at least
  clock::Duration grace = clock::Duration::seconds(10);             // SIGTERM to SIGKILL
  std::string trace_path = {};                                      // a timeline is written there
  clock::Duration stats_every = clock::Duration::seconds(60);       // in the log of a server
  executor::ExecutorKind executor = executor::ExecutorKind::kAuto;  // where steps run
  std::string image_layouts = {};  // a folder of OCI image layouts; default: HOME/oci
  std::string host_paths = {};     // what hostPath volumes may show: folders with colons between
  std::string kubeconfig = {};     // of --executor kubernetes; empty: as kubectl finds one
  std::string kube_context = {};
  std::string step_image = "tiphys-step:dev";  // brings tiphys-step into pods
  bool refuses_private = false;                // notifications to private addresses of the network
  HttpHooks http_hooks = HttpHooks::kRetry;    // where no annotation says more
  clock::Duration keep_delivered = clock::Duration::seconds(7 * 24 * 3600);  // in the outbox
  clock::Duration keep_dead = clock::Duration::seconds(30 * 24 * 3600);
  std::string url = {};         // of a user interface: notifications link to it
  std::string action_url = {};  // where people reach a server: links to resume and stop
  clock::Duration action_links_valid = clock::Duration::seconds(7 * 24 * 3600);
  std::int64_t log_max = executor::kLogMax;  // bytes of output that are kept of each step
  pid_t launched_supervisor = -1;  // what executor::launch_supervisor() gave to this process

  std::string store = {};  // postgresql://...; empty: a file in the home folder
  clock::Duration lease = clock::Duration::seconds(10);  // of workflows in a store that is shared

  /// What Argo's controller would say of a workflow that a template creates; "" when it is valid.
  /// Null: nothing is said before it runs.
  std::function<std::string(const value::Value& workflow, const value::Value& defaults,
                            store::Store& store)>
      check_workflow = {};

  /// What store::open() takes. It may hold a password: not for messages.
  [[nodiscard]] std::string store_address() const {
    return store.empty() ? home + "/tiphys.db" : store;
  }
  [[nodiscard]] std::string run_path(const std::string& uid) const { return home + "/runs/" + uid; }
  /// The log file of one pod.
  [[nodiscard]] std::string log_path(const std::string& uid, const std::string& pod) const {
    return run_path(uid) + "/logs/" + pod + ".log";
  }
  [[nodiscard]] std::string secrets_path() const { return home + "/secrets.json"; }

  /// Reads the environment and makes the home folder (mode 0700). Errors: kIo.
  [[nodiscard]] static diag::Result<Config> from_environment();
};

/// Errors: kInvalidManifest with the words that there are.
[[nodiscard]] diag::Result<executor::ExecutorKind> executor_named(const std::string& word);

}  // namespace tiphys::runtime
