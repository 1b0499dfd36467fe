// Metrics that are never emitted, because a tag in them means nothing.
#include <fmt/format.h>
#include <re2/re2.h>

#include "lint/suspicious.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

/// Looks at the metrics of a template, or of the workflow.
class Inspector {
 public:
  /// `body`: the template; null for the workflow's metrics.
  Inspector(const BasePointer& base, const Value& body, std::vector<Diagnostic>& out)
      : base_(base), is_template_(body.is_map()), out_(out) {
    if (!is_template_) return;
    for (const char* name :
         {"status", "duration", "exitCode", "retries", "outputs.result", "resourcesDuration.cpu",
          "resourcesDuration.memory", "inputs.parameters", "node.name", "pod.name", "steps.name",
          "tasks.name", "item", "item.*", "lastRetry.*", "inputs.artifacts.*",
          "outputs.artifacts.*"}) {
      names_.add(name);
    }
    for (const char* exchange : {"inputs", "outputs"}) {
      for (const Value& p : body[exchange]["parameters"].list()) {
        names_.add(fmt::format("{}.parameters.{}", exchange, text(p, "name")));
      }
    }
  }

  void metrics(const Value& metrics, const Place& at) {
    std::size_t i = 0;
    for (const Value& metric : metrics["prometheus"].list()) {
      const Place place = at.at("prometheus", i++);
      values(metric, place);
      realtime(metric, place);
      misspelt_phase_in(text(metric, "when"), place.at("when"));
    }
  }

 private:
  void realtime(const Value& metric, const Place& at) {
    const Value& gauge = metric["gauge"];
    if (text(metric, "help").empty()) {
      out_.push_back(warning_at(at, "a metric without help is never emitted"));
    }
    if (!gauge["realtime"].bool_or(false)) return;
    static const RE2 kOfAll(R"re(\{\{\s*workflow\.duration\s*\}\})re");
    static const RE2 kOfNodes(R"re(\{\{\s*(?:workflow\.)?duration\s*\}\})re");
    const std::string_view given = text(gauge, "value");
    const re2::StringPiece piece(given.data(), given.size());
    if (RE2::FullMatch(piece, is_template_ ? kOfNodes : kOfAll)) return;
    out_.push_back(warning_at(at.at("gauge").at("value"),
                              fmt::format("a realtime gauge can only be {}: this metric is never "
                                          "emitted",
                                          is_template_ ? "{{duration}} or {{workflow.duration}}"
                                                       : "{{workflow.duration}}")));
  }

  void values(const Value& v, const Place& at) {
    std::size_t i = 0;
    for (const Value& element : v.list()) values(element, at.at(std::to_string(i++)));
    for (const auto& [key, member] : v.map()) values(member, at.at(key));
    if (!v.is_string()) return;
    for (const tag::Tag& found : tag::find_tags(v.as_string())) {
      std::string fix;
      if (found.is_expression || is_known(std::string(found.name), fix)) continue;
      out_.push_back(
          {diag::Severity::kWarning,
           {diag::Code::kMissingVariable,
            fmt::format("unknown variable '{}': this metric is never emitted", found.name),
            position_inside(at.position(), v.as_string(), found.offset)},
           std::move(fix)});
    }
  }

  bool is_known(const std::string& name, std::string& fix) const {
    if (name.starts_with("workflow.")) return is_workflow_variable(name, *base_, fix);
    if (names_.has(name)) return true;
    if (!is_template_ && name == "duration") fix = "did you mean \"workflow.duration\"?";
    if (!is_template_ && name == "status") fix = "did you mean \"workflow.status\"?";
    const std::string near = nearest(name);
    if (fix.empty() && !near.empty()) fix = fmt::format("did you mean \"{}\"?", near);
    return false;
  }

  /// The name that is meant, if any: no input mends an output.
  [[nodiscard]] std::string nearest(const std::string& name) const {
    const std::string near = names_.nearest(name);
    const bool is_of_other_root = name.starts_with("outputs.") && near.starts_with("inputs.");
    return is_of_other_root ? "" : near;
  }

  void misspelt_phase_in(std::string_view when, const Place& at) {
    static const RE2 kCompared(
        R"re(\{\{\s*(?:workflow\.)?status\s*\}\}["']?\s*(?:==|!=)\s*["']?(\w+))re");
    re2::StringPiece rest(when.data(), when.size());
    re2::StringPiece word;
    while (RE2::FindAndConsume(&rest, kCompared, &word)) {
      const std::string_view phase(word.data(), word.size());
      if (is_phase(phase)) continue;
      const std::string near = meant_phase(phase);
      out_.push_back({diag::Severity::kWarning,
                      {diag::Code::kInvalidManifest, fmt::format("there is no phase \"{}\"", phase),
                       position_inside(at.position(), when,
                                       static_cast<std::size_t>(word.data() - when.data()))},
                      near.empty() ? "" : fmt::format("did you mean \"{}\"?", near)});
    }
  }

  const BasePointer& base_;
  bool is_template_;
  std::vector<Diagnostic>& out_;
  Names names_;
};

}  // namespace

void suspicious_metrics(const BasePointer& base, std::vector<Diagnostic>& out) {
  const Place at{base, base->pointer};
  Inspector(base, {}, out).metrics(base->spec["metrics"], at.at("metrics"));
  std::size_t i = 0;
  for (const Value& body : base->spec["templates"].list()) {
    const Place place = at.at("templates", i++);
    Inspector(base, body, out).metrics(body["metrics"], place.at("metrics"));
  }
}

}  // namespace tiphys::lint
