#include "runtime/step_executor.h"

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "executor/content_store.h"
#include "executor/pod.h"
#include "kube/executor.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "runtime/new_names.h"
#include "store/open.h"

namespace tiphys::runtime {

namespace {

constexpr const char* kIdentityKind = "KubernetesOwner";
constexpr const char* kIdentityName = "engine";
constexpr const char* kNamespaceKind = "KubernetesNamespace";  // one in which there may be pods

void warn(const std::string& text) { observe::log(observe::LogLevel::kWarn, text); }

// Whose pods they are: all engines of one store are one owner, so that each can go on with what
// another has begun.
diag::Result<std::string> owner_of(store::Store& store) {
  for (int tries = 0;; ++tries) {
    auto found = store.find_object(kIdentityKind, "", kIdentityName);
    if (found) return found->json;
    if (found.error().code != diag::Code::kNotFound || tries > 0) {
      return std::unexpected(found.error());
    }
    TRY_VOID(store.put_object({.kind = kIdentityKind,
                               .name_space = "",
                               .name = kIdentityName,
                               .json = new_uid(),
                               .created_at = wall_now()}));
  }
}

// The store's connection belongs to the loop's thread: another one is opened for the moment.
std::optional<std::map<std::string, bool>> workflows_of(const std::string& address) {
  auto store = store::open(address);
  if (!store) return std::nullopt;
  auto rows = (*store)->list_workflows("", true);
  if (!rows) return std::nullopt;
  std::map<std::string, bool> known;
  for (const store::WorkflowRow& row : *rows) known.emplace(row.uid, row.finished_at.is_set());
  return known;
}

// Written before an engine makes its first pod there. It stays when the workflows have gone.
bool keep_namespace(const std::string& address, const std::string& name) {
  auto store = store::open(address);
  if (!store) return false;
  if ((*store)->find_object(kNamespaceKind, "", name)) return true;
  return (*store)
      ->put_object({.kind = kNamespaceKind,
                    .name_space = "",
                    .name = name,
                    .json = "{}",
                    .created_at = wall_now()})
      .has_value();
}

std::vector<std::string> namespaces_of(const std::string& address) {
  std::vector<std::string> names;
  auto store = store::open(address);
  if (!store) return names;
  auto rows = (*store)->list_objects(kNamespaceKind, "");
  if (!rows) return names;
  for (store::ObjectRow& row : *rows) names.push_back(std::move(row.name));
  return names;
}

}  // namespace

diag::Result<StepExecutors> make_step_executors(const Config& config, store::Store& store,
                                                OwnObjects& own, const executor::Images& images,
                                                const executor::Listener& listener,
                                                const executor::Lookup& lookup) {
  StepExecutors made;
  const std::string artifact_root = config.home + "/artifacts";
  executor::sweep_content(artifact_root);
  const auto leases_hold = [&store] { return store.leases_hold(); };
  kube::ResourceOptions resources{
      .step_image = config.step_image,
      .artifact_root = artifact_root,
      .store = {.answer = [&own](const kube::Request& request) { return own.answer(request); },
                .own = [&own](const kube::OwnedObject& object) { return own.own(object); },
                .orphans = [&own] { return own.orphans(); },
                .disown = [&own](const kube::OwnedObject& object) { own.disown(object); }},
      .leases_hold = leases_hold};
  if (config.executor == executor::ExecutorKind::kKubernetes) {
    TRY(resources.cluster,
        kube::find_cluster({.kubeconfig = config.kubeconfig, .context = config.kube_context}));
    TRY(resources.engine, owner_of(store));
    const std::string address = config.store_address();
    resources.keep_namespace = [address](const std::string& name) {
      return keep_namespace(address, name);
    };
    TRY(const kube::RateLimit limit, kube::rate_limit_from_environment());
    if (limit.per_second > 0) resources.rate = std::make_shared<kube::RequestRate>(limit);
    made.steps =
        kube::make_kubernetes_executor({.cluster = *resources.cluster,
                                        .rate = resources.rate,
                                        .engine = resources.engine,
                                        .step_image = config.step_image,
                                        .artifact_root = artifact_root,
                                        .log_max = config.log_max,
                                        .images = images,
                                        .warn = warn,
                                        .workflows = [address] { return workflows_of(address); },
                                        .keep_namespace = resources.keep_namespace,
                                        .namespaces = [address] { return namespaces_of(address); },
                                        .leases_hold = leases_hold},
                                       listener, lookup);
  } else {
    made.steps = executor::make_pod_executor({.home = config.home,
                                              .steps_max = config.steps_max,
                                              .log_max = config.log_max,
                                              .images = images,
                                              .kind = config.executor,
                                              .image_layouts = config.image_layouts,
                                              .host_paths = config.host_paths,
                                              .launched = config.launched_supervisor,
                                              .warn = warn},
                                             listener, lookup);
  }
  made.resources = kube::make_resource_executor(std::move(resources), listener, lookup);
  return made;
}

}  // namespace tiphys::runtime
