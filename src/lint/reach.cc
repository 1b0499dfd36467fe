#include "lint/reach.h"

#include <fmt/format.h>

#include "lint/suspicious.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using value::Value;

namespace {

constexpr std::size_t kDepthRefused = 100;  // by Argo and the engine, when it runs

/// Names by depth: those of a depth are all known when the depth is looked at.
class Calls {
 public:
  [[nodiscard]] std::size_t depths() const { return names_.size(); }
  [[nodiscard]] std::vector<std::string> take(std::size_t depth) {
    return std::move(names_[depth]);
  }

  /// What a step, task or workflow calls; it lies at `depth`.
  void add(const Value& caller, std::size_t depth) {
    add_name(text(caller, "template"), depth);
    add_name(text(caller, "onExit"), depth);
    for (const auto& [name, hook] : caller["hooks"].map()) add_name(text(hook, "template"), depth);
    if (caller["inline"].is_map()) add_body(caller["inline"], depth);
  }

  /// What a template calls that lies at `depth`.
  void add_body(const Value& t, std::size_t depth) {
    for (const Value& group : t["steps"].list()) {
      for (const Value& step : group.list()) add(step, depth + 1);
    }
    for (const Value& task : t["dag"]["tasks"].list()) add(task, depth + 1);
  }

  void add_name(std::string_view name, std::size_t depth) {
    if (name.empty()) return;
    if (depth >= names_.size()) names_.resize(depth + 1);
    names_[depth].emplace_back(name);
  }

 private:
  std::vector<std::vector<std::string>> names_;
};

}  // namespace

std::optional<std::map<std::string, std::size_t, std::less<>>> depths_of_templates(
    const Base& base) {
  Calls calls;
  calls.add_name(text(base.spec, "entrypoint"), 1);
  calls.add(base.spec, 1);
  std::map<std::string, std::size_t, std::less<>> out;
  for (std::size_t depth = 0; depth < calls.depths(); ++depth) {
    for (const std::string& name : calls.take(depth)) {
      if (tag::has_tags(name)) return std::nullopt;
      if (!out.emplace(name, depth).second) continue;
      std::string pointer;
      if (const Value* t = base.find_template(name, pointer)) calls.add_body(*t, depth);
    }
  }
  return out;
}

void too_deep(const BasePointer& base, std::vector<diag::Diagnostic>& out) {
  if (text(base->spec, "entrypoint").empty()) return;
  const auto depths = depths_of_templates(*base);
  if (!depths) return;
  for (const auto& [name, depth] : *depths) {
    std::string pointer;
    if (depth != kDepthRefused || base->find_template(name, pointer) == nullptr) continue;
    out.push_back(warning_at(
        Place{base, pointer}.at("name"),
        fmt::format(
            "template '{}' never runs: it lies {} templates deep, and a run ends there with "
            "'Maximum recursion depth exceeded'",
            name, depth)));
    return;
  }
}

}  // namespace tiphys::lint
