// A Template: what runs when a step, a task or a hook names it.
//
// Pure data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "spec/node_type.h"
#include "spec/step.h"
#include "value/value.h"

namespace tiphys::spec {

/// What a template does: the one kind whose field is set.
enum class TemplateKind {
  kNone,
  kContainer,
  kContainerSet,
  kScript,
  kResource,
  kData,
  kHttp,
  kPlugin,
  kSuspend,
  kSteps,
  kDag,
};

/// Argo's node type for a template of this kind: Pod, Steps, DAG, Suspend, HTTP, Plugin.
[[nodiscard]] NodeType node_type_of(TemplateKind kind);

/// `dag:`.
struct Dag {
  std::vector<Step> tasks;
  std::string target;     // blank-separated names, may hold tags
  bool fail_fast = true;  // Argo's default
};

/// A template; `raw` is the whole of it in Argo's JSON form.
struct Template {
  value::Value raw;
  std::string name;
  TemplateKind kind = TemplateKind::kNone;
  std::vector<std::vector<Step>> steps;  // groups, in order
  Dag dag;

  // What is asked for with each node made of it, so that nobody searches `raw` for it each time.
  std::shared_ptr<const value::Value> inputs;  // null when there are none
  std::string display_name;                    // an annotation; may be empty
  bool is_daemon = false;
  bool has_outputs = false;
  bool has_retry_strategy = false;
  bool has_synchronization = false;
  bool has_memoize = false;
  bool has_deadline = false;  // activeDeadlineSeconds or a timeout

  [[nodiscard]] bool is_leaf() const {
    return kind != TemplateKind::kSteps && kind != TemplateKind::kDag;
  }
};

/// Decodes one entry of `templates:` or an `inline:`; cannot fail, see decode_step().
[[nodiscard]] std::shared_ptr<const Template> decode_template(const value::Value& raw);

}  // namespace tiphys::spec
