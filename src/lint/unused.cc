// What stands in a manifest and is never used, and what should not stand there: templates that
// nothing reaches, parameters that nothing reads, fields on their way out, secrets in the clear.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "lint/reach.h"
#include "lint/suspicious.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

/// Every text inside `v`, keys included.
void add_texts(const Value& v, std::vector<std::string_view>& texts) {
  if (v.is_string()) texts.push_back(v.as_string());
  for (const Value& element : v.list()) add_texts(element, texts);
  for (const auto& [key, member] : v.map()) {
    texts.push_back(key);
    add_texts(member, texts);
  }
}

bool is_of_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
}

/// What the expressions and tags of a part of the manifest name of one list: of
/// `inputs.parameters.p` and the list `inputs.parameters` it is `p`.
class Reads {
 public:
  Reads(const Value& v, std::string_view list) {
    std::vector<std::string_view> texts;
    add_texts(v, texts);
    for (const std::string_view text : texts) {
      for (std::size_t at = text.find(list); at != std::string_view::npos;
           at = text.find(list, at + 1)) {
        add(text.substr(at + list.size()));
      }
    }
  }

  /// True if this element is read, or any may be.
  [[nodiscard]] bool has(std::string_view name) const { return is_any_ || names_.contains(name); }

 private:
  void add(std::string_view rest) {
    is_any_ = is_any_ || !rest.starts_with('.');  // the whole list, or an index into it
    if (is_any_) return;
    rest.remove_prefix(1);
    is_any_ = rest.starts_with("json") || rest.starts_with("{{");
    names_.emplace(rest.begin(), std::ranges::find_if_not(rest, is_of_name));
  }

  bool is_any_ = false;
  std::set<std::string, std::less<>> names_;
};

class Inspector {
 public:
  Inspector(const BasePointer& base, std::vector<Diagnostic>& out) : base_(base), out_(out) {}

  void spec() {
    const Place at{base_, base_->pointer};
    const Value& spec = base_->spec;
    if (spec["workflowTemplateRef"].is_map()) return;  // the names belong to the other object
    secrets(spec["arguments"]["parameters"], at.at("arguments").at("parameters"));
    std::size_t i = 0;
    for (const Value& t : spec["templates"].list()) body(t, at.at("templates", i++));
    if (base_->kind != "Workflow") return;  // others may call and read what is here
    arguments(at.at("arguments").at("parameters"));
    unreachable(at.at("templates"));
  }

 private:
  void warn(const Place& at, std::string message, std::string fix = "") {
    out_.push_back(warning_at(at, std::move(message), std::move(fix)));
  }

  void body(const Value& t, const Place& at) {
    inputs(t, at.at("inputs").at("parameters"));
    std::size_t i = 0;
    for (const Value& group : t["steps"].list()) {
      const Place place = at.at("steps", i++);
      std::size_t k = 0;
      for (const Value& step : group.list()) caller(step, place.at(std::to_string(k++)), "steps");
    }
    i = 0;
    for (const Value& task : t["dag"]["tasks"].list()) {
      caller(task, at.at("dag").at("tasks", i++), "tasks");
    }
  }

  void inputs(const Value& t, const Place& at) {
    if (t["suspend"].is_map()) return;  // they are for the person who looks at it
    value::Map rest = t.map();
    rest.erase("inputs");
    value::List readers{value::Value(std::move(rest)), t["inputs"]["artifacts"]};
    for (const Value& input : t["inputs"]["parameters"].list()) {
      for (const char* field : {"value", "default", "valueFrom"}) readers.push_back(input[field]);
    }
    const Reads reads(Value(std::move(readers)), "inputs.parameters");
    std::size_t i = 0;
    for (const Value& input : t["inputs"]["parameters"].list()) {
      const Place place = at.at(std::to_string(i++)).at("name");
      const std::string_view name = text(input, "name");
      if (name.empty() || reads.has(name)) continue;
      warn(place, fmt::format("input parameter '{}' of template '{}' is never read", name,
                              text(t, "name")));
    }
  }

  void caller(const Value& step, const Place& at, std::string_view root) {
    secrets(step["arguments"]["parameters"], at.at("arguments").at("parameters"));
    if (step["inline"].is_map()) body(step["inline"], at.at("inline"));
    if (text(step, "onExit").empty()) return;
    Place place = at.at("onExit");
    place.is_key = true;
    warn(place, fmt::format("onExit of {} is deprecated", root),
         fmt::format("write hooks: {{exit: {{template: {}}}}}", text(step, "onExit")));
  }

  /// The workflow's arguments that nothing reads.
  void arguments(const Place& at) {
    value::Map rest = base_->spec.map();
    rest.erase("arguments");
    const Reads reads(Value(std::move(rest)), "workflow.parameters");
    std::set<std::string_view> inputs;  // the entrypoint and exit handler get them by name
    for (const Value& t : base_->spec["templates"].list()) {
      for (const Value& input : t["inputs"]["parameters"].list())
        inputs.insert(text(input, "name"));
    }
    std::size_t i = 0;
    for (const Value& p : base_->spec["arguments"]["parameters"].list()) {
      const Place place = at.at(std::to_string(i++)).at("name");
      const std::string_view name = text(p, "name");
      if (name.empty() || inputs.contains(name) || reads.has(name)) continue;
      warn(place, fmt::format("workflow parameter '{}' is never read", name));
    }
  }

  /// A value that looks like a secret, in the clear: it is stored and shown with the workflow.
  void secrets(const Value& parameters, const Place& at) {
    static const RE2 kSecret(
        R"((?i)^(.*[-_])?(password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key)$)");
    std::size_t i = 0;
    for (const Value& p : parameters.list()) {
      const Place place = at.at(std::to_string(i++)).at("value");
      const std::string_view value = text(p, "value");
      if (value.empty() || tag::has_tags(value)) continue;
      if (!RE2::FullMatch(std::string(text(p, "name")), kSecret)) continue;
      warn(place,
           fmt::format("the value of '{}' is stored and shown with the workflow", text(p, "name")),
           "keep it in a Secret and read it with env.valueFrom.secretKeyRef");
    }
  }

  void unreachable(const Place& at) {
    const auto reached = depths_of_templates(*base_);
    if (!reached) return;  // any template may be meant
    std::size_t i = 0;
    for (const Value& t : base_->spec["templates"].list()) {
      const Place place = at.at(std::to_string(i++)).at("name");
      const std::string_view name = text(t, "name");
      if (name.empty() || reached->contains(name)) continue;
      warn(place, fmt::format("template '{}' is never reached", name));
    }
  }

  const BasePointer& base_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

void unused(const BasePointer& base, std::vector<Diagnostic>& out) { Inspector(base, out).spec(); }

}  // namespace tiphys::lint
