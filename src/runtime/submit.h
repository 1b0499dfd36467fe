// Puts a workflow into the store, where an engine finds it.
#pragma once

#include <string>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "metrics/node_template.h"
#include "runtime/config.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::runtime {

/// What is to run. Overrides (-p, --entrypoint, --name, labels ...) are already applied to
/// `workflow`.
struct Submission {
  value::Value workflow;  // a Workflow object
  std::vector<value::Value>
      templates;  // WorkflowTemplates and ClusterWorkflowTemplates given beside it
  std::vector<value::Value> config_maps;            // ConfigMaps given beside it
  std::vector<value::Value> executor_plugins = {};  // ExecutorPlugins given beside it
  std::string invalid =
      {};  // why the spec is invalid: the workflow will be Failed with this, as in Argo
  value::Value workflow_defaults;  // null or a Workflow-shaped object
  value::Value original = {};      // engine::Definition::original
  // A workflowTemplateRef to nothing makes a workflow that is Error at once, as Argo's controller
  // does; else it is an error of submit().
  bool may_be_unresolved = false;
};

/// Names the workflow (generateName + 5 random letters), gives it a uid, collects the templates
/// that it can reach (given beside it, else stored), and creates it in the store with phase "".
/// Returns the row. Errors: kAlreadyExists, kInvalidManifest (no name), kNotFound
/// (workflowTemplateRef), kIo.
[[nodiscard]] diag::Result<store::WorkflowRow> submit(store::Store& store,
                                                      const Submission& submission,
                                                      clock::Instant now);

/// Finds templates among the stored objects. The store is borrowed.
[[nodiscard]] metrics::FindTemplate template_finder(store::Store& store, std::string name_space);

/// The whole Workflow object with status.nodes and what they are counted for, as `get -o json`
/// shows it. Errors: kIo.
[[nodiscard]] diag::Result<value::Value> load_workflow_object(store::Store& store,
                                                              const store::WorkflowRow& row);

/// Asks the engine that owns the workflow, if one runs, to look at its commands now (a datagram to
/// `home`/engine-*.sock).
void poke_engines(const std::string& home);

/// True if an engine process (`tiphys server`, or a `tiphys run` of this workflow) owns the
/// workflow now.
[[nodiscard]] bool is_owned(const Config& config, store::Store& store, const std::string& uid);

}  // namespace tiphys::runtime
