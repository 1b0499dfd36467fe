// The pods of a cluster and the tasks that they run: see executor.h.
//
// All but post() and the functions of Executor, which post, is the thread's own. pod_creation.cc
// makes pods, pod_end.cc follows them to their ends, pod_sweep.cc removes what nobody needs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "executor/path_words.h"
#include "kube/client.h"
#include "kube/clocks.h"
#include "kube/executor.h"
#include "kube/image_configs.h"
#include "kube/mandate.h"
#include "kube/order_queue.h"
#include "kube/pod_log.h"
#include "kube/pod_spec.h"
#include "kube/pod_view.h"
#include "kube/watch.h"

namespace tiphys::kube {

/// Where the API has a pod.
[[nodiscard]] std::string pod_path(std::string_view name_space, std::string_view pod);

inline constexpr const char* kMergePatch = "application/merge-patch+json";

class KubernetesExecutor final : public executor::Executor {
 public:
  KubernetesExecutor(KubernetesOptions options, executor::Listener listener,
                     executor::Lookup lookup);
  ~KubernetesExecutor() override;

  void start(std::vector<executor::Task> tasks) override;
  void cancel(const std::string& key, clock::Duration grace) override;
  void hand_over(const std::string& key, clock::Duration grace) override;
  /// All engines of a store are one owner of pods.
  [[nodiscard]] bool is_shared() const override { return true; }
  void acknowledge(const std::string& key) override;
  void remove_pod(const std::string& name_space, const std::string& pod) override;
  void remove_claim(const std::string& name_space, const std::string& claim) override;
  void forget_workflow(const std::string& work_folder) override {
    executor::remove_tree(work_folder);
  }

 private:
  /// A task and its pod.
  struct Pod {
    executor::Task task;
    Mandate::Lost lost = std::make_shared<std::atomic<bool>>(false);
    PodContainers names;
    value::Value seen = {};  // the pod as it was seen last; null before
    PodView view = {};
    std::map<std::string, std::unique_ptr<PodLog>> logs = {};  // by container
    std::set<std::string> open_logs = {};
    std::string report = {};  // of tiphys-step, from the log
    std::size_t report_lines = 0;
    std::optional<executor::Images> images = {};  // with what registries have told
    int image_tries = 0;
    std::size_t claims_made = 0;  // of the workflow's volumeClaimTemplates
    bool is_asking = false;       // registries, or for a claim
    bool is_creating = false;
    bool is_running_told = false;
    std::string waiting_told = {};
    bool is_told = false;
    bool is_acknowledged = false;
    bool is_released = false;  // the API has been asked to forget our finalizer
    bool is_cancelled = false;
    clock::Duration grace = {};
    std::int64_t pause = 0;
  };
  struct Space {
    std::unique_ptr<PodWatch> watch;
    bool is_kept = false;  // its name, in the store
    bool is_listed = false;
    int refusals = 0;                 // of the list, one after another
    std::set<std::string> seen = {};  // keys, since the list began
    std::map<std::string, value::Value> unclaimed =
        {};                                 // pods of ours by key, without a task as yet
    std::vector<std::string> waiting = {};  // keys of tasks for which nothing is known
  };

  // Any thread.
  void post(OrderQueue::Order order) { queue_.post(std::move(order)); }
  void post_at(std::int64_t at, OrderQueue::Order order) { queue_.post_at(at, std::move(order)); }

  // The executor's thread.
  void run();
  void begin(executor::Task task);
  Space& space(const std::string& name);
  void on_listed(const std::string& name_space);
  void on_trouble(const std::string& name_space, const Answer& answer);
  void on_pod(const std::string& name_space, const value::Value& pod);
  void on_gone(const value::Value& pod);
  void place(Pod& pod);
  void create(Pod& pod);
  void ask_images(Pod& pod, std::vector<std::string> images);
  void on_images(const std::string& key, const ImageConfigs::Answer& answer);
  void make_claim(Pod& pod, const value::Value& claim);
  void on_claim(const std::string& key, const std::string& path, const Answer& answer);
  void send_waiting();
  void on_created(const std::string& key, const Answer& answer);
  void resolve_conflict(Pod& pod);
  void on_conflict(const std::string& key, const Answer& answer);
  void retry(Pod& pod, clock::Duration at_least, void (KubernetesExecutor::*what)(Pod&));
  void take(Pod& pod, const value::Value& object);
  void follow_logs(Pod& pod);
  void on_log_over(const std::string& key, const std::string& container, std::string report,
                   std::size_t lines);
  void decide(Pod& pod);
  void finish(Pod& pod, executor::Outcome outcome);
  void finish_deleted(Pod& pod);
  void do_cancel(const std::string& key, clock::Duration grace);
  void remove(Pod& pod);
  void do_acknowledge(const std::string& key);
  void release(Pod& pod);
  // Of pods that no task here asks for.
  using Workflows = std::map<std::string, bool>;  // as KubernetesOptions::workflows tells them
  using Judge = bool (KubernetesExecutor::*)(const std::string& path, const value::Value& object,
                                             const Workflows& workflows);
  void sweep();
  void sweep_unclaimed(Space& space, const Workflows& workflows);
  void sweep_list(const std::string& path, const std::string& from, bool is_metadata, Judge judge,
                  std::shared_ptr<const Workflows> workflows);
  void sweep_page(const std::string& folder, const value::List& objects, Judge judge,
                  const Workflows& workflows);
  bool sweep_pod(const std::string& path, const value::Value& pod, const Workflows& workflows);
  bool sweep_rest(const std::string& path, const value::Value& object, const Workflows& workflows);
  void delete_at(const std::string& path, int grace_seconds, std::int64_t pause);
  void forget(const Pod& pod);
  void free_pod(const std::string& path);
  /// Whether the cluster keeps a pod whose end is committed, or one that is to go.
  [[nodiscard]] bool has_unreleased() const;
  [[nodiscard]] Pod* find(const std::string& key);
  [[nodiscard]] static std::string path_of(const Pod& pod);
  [[nodiscard]] bool needs_log(const Pod& pod) const;

  const KubernetesOptions options_;
  const executor::Listener listener_;
  const executor::Lookup lookup_;

  OrderQueue queue_;
  Mandate mandate_;
  std::map<std::string, std::unique_ptr<Pod>> pods_;  // by key
  std::map<std::string, Space> spaces_;
  std::vector<std::pair<std::string, std::string>> to_create_;  // key and body
  std::size_t creating_ = 0;
  std::map<std::string, bool> releasing_;  // by path; whether podGC wants the pod gone after it
  std::size_t deleting_ = 0;
  std::set<std::string> claims_;  // paths of those that are known to be there
  std::unique_ptr<Client> client_;
  std::unique_ptr<ImageConfigs> image_configs_;
  std::thread thread_;
};

}  // namespace tiphys::kube
