// One resource template: which requests it takes, one after another, and how it ends.
//
// A state machine without threads or clocks: the executor (resource_executor.h) sends what it asks
// for and tells it the answers. The API is asked as kubectl asks it, and messages are kubectl's, as
// Argo's executor passes them on (measured: `main: Error (exit code 64): no more retries error:
// ...`). What it creates has a name that follows from its task and carries the task's key, so a
// create that is repeated after a crash finds its object. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clock/instant.h"
#include "executor/executor.h"
#include "kube/client.h"
#include "resource/command.h"
#include "resource/condition.h"
#include "resource/object_type.h"

namespace tiphys::kube {

/// Send it; answered() follows.
struct Ask {
  Request request;
  bool is_own = false;      // the engine's store answers, not the cluster
  bool is_owned = false;    // what it makes goes with the workflow: to be written down before
  std::string owned = {};   // where that will be
  std::string pod_in = {};  // it makes a pod of the engine in this namespace: to be kept before
};
/// Wait; rested() follows.
struct Rest {
  clock::Duration time;
};
/// The cluster's kinds are to be asked for; discovered() follows.
struct Discover {};
/// It has ended; times are the caller's to set.
using ResourceStep = std::variant<Ask, Rest, Discover, executor::Outcome>;

struct ResourcePorts {
  std::string engine;      // value of the owner label
  std::string step_image;  // for the pod of a template that acts on its own pod
  bool has_cluster = false;
  /// A jq filter's results, as Argo has them; `folder` is the task's. Errors: the node's message.
  std::function<diag::Result<std::string>(const value::Value& object, const std::string& filter,
                                          const std::string& folder)>
      filter = {};
};

[[nodiscard]] std::string workflow_uid_of(const executor::Task& task);

class ResourceRun {
 public:
  /// `manifest`: the text of the template's manifest or of the artifact that it names.
  ResourceRun(executor::Task task, std::string manifest, const ResourcePorts& ports)
      : task_(std::move(task)), manifest_(std::move(manifest)), ports_(ports) {}

  // Each gives what is to be done next. `types` are those that are known.
  [[nodiscard]] ResourceStep begin(const resource::ObjectTypes& types);
  [[nodiscard]] ResourceStep discovered(const resource::ObjectTypes& types);
  [[nodiscard]] ResourceStep answered(const Answer& answer);
  [[nodiscard]] ResourceStep rested();

  /// Where its own pod was made; "" when it has none. It goes when the end is committed.
  [[nodiscard]] const std::string& own_pod() const { return own_pod_; }
  [[nodiscard]] const executor::Task& task() const { return task_; }
  /// Lines for the node's log, since the last call.
  [[nodiscard]] std::vector<std::string> take_lines() { return std::exchange(lines_, {}); }

 private:
  using Next = ResourceStep (ResourceRun::*)(const Answer&);
  struct Found {
    resource::Target target;
    resource::ObjectType type;
    std::string name_space;
  };

  ResourceStep ask(Request request, Next next);
  ResourceStep ask_again();
  ResourceStep look();
  ResourceStep rest(clock::Duration time, ResourceStep (ResourceRun::*then)());
  ResourceStep failed(const std::string& message);
  ResourceStep refused(const Answer& answer);

  ResourceStep resolve(const resource::ObjectTypes& types, bool is_last);
  [[nodiscard]] diag::Result<void> place(Found& found) const;
  [[nodiscard]] std::string unknown_type(const resource::Target& target) const;
  ResourceStep act();
  ResourceStep make_own_pod();
  ResourceStep own_pod_made(const Answer& answer);
  [[nodiscard]] bool acts_on_own_pod() const;
  [[nodiscard]] bool owns_object() const;  // it goes with the workflow
  ResourceStep write();
  [[nodiscard]] value::Value body() const;
  ResourceStep acted(const Answer& answer);
  ResourceStep found_taken(const Answer& answer);
  ResourceStep take_object(const Answer& answer);
  ResourceStep check();
  ResourceStep looked(const Answer& answer);
  ResourceStep take_outputs();
  [[nodiscard]] diag::Result<std::string> output(const value::Value& source) const;

  // resource_patch.cc
  ResourceStep patch(const std::string& query);
  /// ask(), as a part of the try that is being made: they are counted on.
  ResourceStep ask_within_try(Request request, Next next);
  ResourceStep find_mark();
  ResourceStep mark_sought(const Answer& answer);
  [[nodiscard]] bool is_patching() const;
  void mark_request();

  // resource_deletion.cc
  ResourceStep list_doomed();
  ResourceStep listed(const Answer& answer);
  ResourceStep delete_next();
  ResourceStep deleted(const Answer& answer);
  ResourceStep go_on_deleting();
  ResourceStep await_gone();
  ResourceStep is_gone(const Answer& answer);
  ResourceStep succeeded();

  const executor::Task task_;
  const std::string manifest_;
  const ResourcePorts& ports_;
  std::vector<std::string> lines_;

  resource::Command command_;
  std::optional<resource::Condition> success_;
  std::optional<resource::Condition> failure_;
  std::vector<Found> found_;
  std::size_t at_ = 0;  // of found_: what is being deleted
  std::string own_pod_;

  Ask asked_;
  Next next_ = nullptr;
  ResourceStep (ResourceRun::*then_)() = nullptr;
  int tries_ = 0;
  bool is_patient_ = false;  // a server that cannot be reached is waited for
  clock::Duration retry_pause_;
  clock::Duration look_pause_;

  Request patch_;           // as it is sent
  std::string mark_;        // of a patch: the name that it gives; "" when it cannot be known by it
  value::Value object_;     // as it was seen last
  std::string path_;        // where it is
  int names_taken_ = 0;     // of those that were generated, by others
  std::string refusal_;     // of a create whose name is taken
  std::string doomed_uid_;  // of what is being deleted
};

}  // namespace tiphys::kube
