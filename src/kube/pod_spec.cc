#include "kube/pod_spec.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "kube/pod_container.h"
#include "spec/merge.h"
#include "spec/node_id.h"
#include "spec/yaml_reader.h"
#include "step/contract.h"

namespace tiphys::kube {
namespace {

using executor::Task;
using value::List;
using value::Map;
using value::Value;

// Of the template, else of the workflow's spec.
constexpr std::array<const char*, 6> kOfEither = {"nodeSelector",
                                                  "affinity",
                                                  "schedulerName",
                                                  "serviceAccountName",
                                                  "automountServiceAccountToken",
                                                  "securityContext"};
// Of the workflow's spec alone.
constexpr std::array<const char*, 4> kOfWorkflow = {"hostNetwork", "dnsPolicy", "dnsConfig",
                                                    "imagePullSecrets"};
// Lists that are joined, the template's first.
constexpr std::array<const char*, 2> kJoined = {"tolerations", "hostAliases"};

// Unless there is one of its name.
void add_named(List& list, const Value& one) {
  for (const Value& other : list) {
    if (other["name"] == one["name"]) return;
  }
  list.push_back(one);
}

void add_pod_fields(const Task& task, Map& spec) {
  const Value& body = task.template_body;
  const Value& workflow = task.workflow_spec;
  for (const char* field : kOfEither) {
    const Value& own = body[field];
    if (const Value& chosen = own.is_null() ? workflow[field] : own; !chosen.is_null()) {
      spec.set(field, chosen);
    }
  }
  for (const char* field : kOfWorkflow) {
    if (!workflow[field].is_null()) spec.set(field, workflow[field]);
  }
  for (const char* field : kJoined) {
    List all = body[field].list();
    all.insert(all.end(), workflow[field].list().begin(), workflow[field].list().end());
    if (!all.empty()) spec.set(field, std::move(all));
  }
  // By name, the template's before the workflow's.
  List claims;
  for (const Value* from : {&body, &workflow}) {
    for (const Value& claim : (*from)["resourceClaims"].list()) add_named(claims, claim);
  }
  if (!claims.empty()) spec.set("resourceClaims", std::move(claims));
  const Value& own_share = body["podResources"];
  const Value& share = own_share.is_null() ? workflow["podResources"] : own_share;
  if (!share.is_null()) spec.set("resources", share);
  const Value& own_class = body["priorityClassName"];
  const Value& class_name = own_class.is_null() ? workflow["podPriorityClassName"] : own_class;
  if (!class_name.is_null()) spec.set("priorityClassName", class_name);
  const Value& deadline = body["activeDeadlineSeconds"];
  std::int64_t seconds = deadline.int_or(0);
  if (const std::string_view text = deadline.string_or(""); !text.empty()) {
    std::from_chars(text.data(), text.data() + text.size(), seconds);
  }
  if (seconds > 0) spec.set("activeDeadlineSeconds", seconds);
}

Map metadata_of(const Task& task, const PodSettings& settings) {
  Map labels;
  Map annotations;
  for (const Value* from : {&task.workflow_spec["podMetadata"], &task.template_body["metadata"]}) {
    for (const auto& [key, text] : (*from)["labels"].map()) labels.set(key, text);
    for (const auto& [key, text] : (*from)["annotations"].map()) annotations.set(key, text);
  }
  labels.set(kWorkflowLabel, task.workflow);
  labels.set(kCompletedLabel, "false");
  labels.set(kEngineLabel, settings.engine);
  annotations.set("workflows.argoproj.io/node-id", spec::node_id(task.workflow, task.node_name));
  annotations.set("workflows.argoproj.io/node-name", task.node_name);
  annotations.set(kKeyAnnotation, task.key);
  annotations.set("kubectl.kubernetes.io/default-container",
                  containers_of(task.template_body).mains.front());
  return Map{{"name", task.pod_name},
             {"namespace", task.name_space},
             {"labels", std::move(labels)},
             {"annotations", std::move(annotations)},
             {"finalizers", List{kFinalizer}}};
}

List volumes_of(const Task& task) {
  List volumes{Map{{"name", step::kVolume}, {"emptyDir", Map{}}}};
  for (const Value* list : {&task.template_body["volumes"], &task.volumes}) {
    for (const Value& volume : list->list()) add_named(volumes, volume);
  }
  for (const Value& claim : task.workflow_spec["volumeClaimTemplates"].list()) {
    add_named(volumes,
              Map{{"name", claim["metadata"]["name"]},
                  {"persistentVolumeClaim", Map{{"claimName", claim_name(task.workflow, claim)}}}});
  }
  return volumes;
}

diag::Result<Value> patched(Value spec, const Task& task) {
  for (const Value* patch :
       {&task.workflow_spec["podSpecPatch"], &task.template_body["podSpecPatch"]}) {
    const std::string_view text = patch->string_or("");
    if (text.empty()) continue;
    auto read = spec::read_yaml(text, {.file = "podSpecPatch", .is_strict = false});
    if (!read || !read->value.is_map()) {
      return diag::fail(diag::Code::kInvalidManifest, "Error applying PodSpecPatch");
    }
    spec = spec::strategic_merge(spec, read->value);
  }
  return spec;
}

}  // namespace

PodContainers containers_of(const Value& body) {
  PodContainers all;
  const auto add = [](const Value& list, std::vector<std::string>& names) {
    for (const Value& c : list.list()) names.emplace_back(c["name"].string_or(""));
  };
  add(body["containerSet"]["containers"], all.mains);
  add(body["initContainers"], all.inits);
  add(body["sidecars"], all.sidecars);
  if (all.mains.empty()) all.mains.emplace_back("main");
  return all;
}

std::string nonce_of(const Task& task) {
  return fmt::format("{:08x}{:08x}", spec::fnv32a(task.key),
                     spec::fnv32a(task.key + task.pod_name));
}

std::string claim_name(std::string_view workflow, const Value& claim) {
  return fmt::format("{}-{}", workflow, claim["metadata"]["name"].string_or(""));
}

Value claim_of(const Task& task, const Value& claim, const std::string& engine) {
  Map metadata = claim["metadata"].map();
  Map labels = claim["metadata"]["labels"].map();
  Map annotations = claim["metadata"]["annotations"].map();
  labels.set(kWorkflowLabel, task.workflow);
  labels.set(kEngineLabel, engine);
  annotations.set(kKeyAnnotation, task.key);
  metadata.set("name", claim_name(task.workflow, claim));
  metadata.set("namespace", task.name_space);
  metadata.set("labels", std::move(labels));
  metadata.set("annotations", std::move(annotations));
  return Map{{"apiVersion", "v1"},
             {"kind", "PersistentVolumeClaim"},
             {"metadata", std::move(metadata)},
             {"spec", claim["spec"]}};
}

diag::Result<Value> make_pod(const Task& task, const std::vector<PodInput>& inputs,
                             const PodSettings& settings) {
  const ContainerFactory factory(task, inputs, settings);
  List init_containers;
  TRY(Value bringer, factory.bringer());
  init_containers.push_back(std::move(bringer));
  for (const Value& c : task.template_body["initContainers"].list()) {
    init_containers.push_back(factory.init_container(c));
  }
  List containers;
  for (const Value& c : task.template_body["containerSet"]["containers"].list()) {
    TRY(Value made, factory.main_of_set(c));
    containers.push_back(std::move(made));
  }
  if (containers.empty()) {
    TRY(Value made, factory.main());
    containers.push_back(std::move(made));
  }
  for (const Value& c : task.template_body["sidecars"].list()) {
    TRY(Value made, factory.sidecar(c));
    containers.push_back(std::move(made));
  }
  Map spec{{"restartPolicy", "Never"},
           {"initContainers", std::move(init_containers)},
           {"containers", std::move(containers)},
           {"volumes", volumes_of(task)}};
  add_pod_fields(task, spec);
  TRY(Value done, patched(std::move(spec), task));
  return Value(Map{{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"metadata", metadata_of(task, settings)},
                   {"spec", std::move(done)}});
}

}  // namespace tiphys::kube
