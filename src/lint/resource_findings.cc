// What can be known of resource templates before they run: whether there is somebody to ask for
// their objects, and whether their flags, conditions and paths can be read.
#include <fmt/format.h>

#include <optional>

#include "lint/lint.h"
#include "lint/manifest_text.h"
#include "resource/command.h"
#include "resource/condition.h"
#include "resource/json_path.h"
#include "resource/object_type.h"
#include "spec/yaml_reader.h"

namespace tiphys::lint {
namespace {

using diag::Diagnostic;
using value::Value;

bool has_tag(std::string_view text) { return text.find("{{") != std::string_view::npos; }

/// Looks at one template's `resource`, which stands at `at`.
class ResourceInspector {
 public:
  ResourceInspector(const Value& body, std::string at, const spec::Positions* positions,
                    std::vector<Diagnostic>& out)
      : body_(body), at_(std::move(at)), positions_(positions), out_(out) {}

  void look(bool has_cluster) {
    const Value& what = body_["resource"];
    condition(what, "successCondition");
    condition(what, "failureCondition");
    paths();
    if (what["manifestFrom"].is_map()) return;
    const std::string_view manifest = what["manifest"].string_or("");
    if (!has_cluster) needs_cluster(what, manifest);
    for (const Value& flag : what["flags"].list()) {
      if (has_tag(flag.string_or(""))) return;
    }
    if (has_tag(manifest) || has_tag(what["action"].string_or(""))) return;
    if (auto read = resource::read_command(what, manifest); !read) {
      tell("", fmt::format("this cannot be carried out: {}", read.error().message));
    }
  }

 private:
  void tell(const std::string& below, std::string message) {
    Diagnostic d;
    d.severity = diag::Severity::kError;
    d.error.code = diag::Code::kInvalidManifest;
    d.error.message =
        fmt::format("template '{}': {}", body_["name"].string_or(""), std::move(message));
    if (positions_ != nullptr) d.error.at = positions_->key(at_ + below);
    out_.push_back(std::move(d));
  }

  void condition(const Value& what, std::string_view field) {
    if (has_tag(what[field].string_or(""))) return;
    if (auto read = resource::read_condition(what, field); !read) {
      tell(fmt::format("/{}", field), read.error().message);
    }
  }

  void paths() {
    const auto& parameters = body_["outputs"]["parameters"].list();
    for (const Value& parameter : parameters) {
      const std::string_view text = parameter["valueFrom"]["jsonPath"].string_or("");
      if (text.empty() || has_tag(text)) continue;
      if (auto read = resource::JsonPath::parse(text); !read) {
        tell("", fmt::format("error parsing jsonpath {} of output parameter '{}': {}", text,
                             parameter["name"].string_or(""), read.error().message));
      } else if (text.find('{') == std::string_view::npos) {
        tell("", fmt::format("jsonPath '{}' of output parameter '{}' has no braces, so it stands "
                             "for itself: write '{{{}}}'",
                             text, parameter["name"].string_or(""), text));
        out_.back().severity = diag::Severity::kWarning;  // it runs
      }
    }
  }

  // The type of the object; nullopt when that is only known later.
  std::optional<bool> is_own(const Value& what, std::string_view manifest) const {
    static const resource::ObjectTypes kOwn = resource::own_types(false);
    if (!manifest.empty()) {
      const auto read =
          spec::read_yaml(without_expressions(manifest), {.file = "", .is_strict = false});
      const Value object = read ? read->value : Value();
      const std::string_view version = object["apiVersion"].string_or("");
      const std::string_view kind = object["kind"].string_or("");
      if (has_tag(version) || has_tag(kind)) return std::nullopt;
      if (!version.empty() && !kind.empty()) return kOwn.of_kind(version, kind) != nullptr;
    }
    for (const Value& flag : what["flags"].list()) {
      const std::string_view word = flag.string_or("");
      if (word.starts_with("-")) return std::nullopt;  // it may have a value: who knows
      if (has_tag(word)) return std::nullopt;
      return kOwn.of_word(word.substr(0, word.find('/'))) != nullptr;
    }
    return std::nullopt;
  }

  void needs_cluster(const Value& what, std::string_view manifest) {
    if (is_own(what, manifest).value_or(true)) return;
    tell("",
         "its objects are a Kubernetes cluster's, and there is none here (steps run there with "
         "--executor kubernetes)");
  }

  const Value& body_;
  const std::string at_;
  const spec::Positions* positions_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

std::vector<Diagnostic> resource_findings(const Value& object, const spec::Positions* positions,
                                          bool has_cluster) {
  std::vector<Diagnostic> out;
  const bool is_cron = object["kind"].string_or("") == "CronWorkflow";
  const std::string root = is_cron ? "/spec/workflowSpec" : "/spec";
  const Value& spec = is_cron ? object["spec"]["workflowSpec"] : object["spec"];
  std::size_t i = 0;
  for (const Value& body : spec["templates"].list()) {
    const std::string at = fmt::format("{}/templates/{}/resource", root, i++);
    if (body["resource"].is_map()) {
      ResourceInspector(body, at, positions, out).look(has_cluster);
    }
  }
  return out;
}

}  // namespace tiphys::lint
