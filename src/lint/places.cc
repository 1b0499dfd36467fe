// Places, names in scope and small looks into manifests.
#include <re2/re2.h>

#include "lint/validator.h"
#include "spec/json_pointer.h"
#include "spec/schema.h"

namespace tiphys::lint {

using value::Value;

const Value* Base::find_template(std::string_view template_name, std::string& at) const {
  const value::List& templates = spec["templates"].list();
  if (by_name.empty()) {
    for (std::size_t i = 0; i < templates.size(); ++i) {
      by_name.emplace(text(templates[i], "name"), i);  // the first one of a name is meant
    }
  }
  const auto it = by_name.find(template_name);
  if (it == by_name.end()) return nullptr;
  at = spec::pointer_to(pointer + "/templates", it->second);
  return &templates[it->second];
}

std::string Base::nearest_template(std::string_view template_name) const {
  Names known;
  for (const Value& t : spec["templates"].list()) known.add(std::string(text(t, "name")));
  return known.nearest(template_name);
}

Place Place::at(std::string_view token) const { return {base, spec::pointer_to(pointer, token)}; }

Place Place::at(std::string_view token, std::size_t index) const {
  return {base, spec::pointer_to(spec::pointer_to(pointer, token), index)};
}

diag::Position Place::position() const {
  if (!base || !base->positions) return {};
  return is_key ? base->positions->key(pointer) : base->positions->value(pointer);
}

bool Names::has(std::string_view name) const {
  if (names_.contains(name)) return true;
  // A wildcard sorts in front of what it stands for.
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos;
       dot = name.find('.', dot + 1)) {
    if (names_.contains(std::string(name.substr(0, dot + 1)) + "*")) return true;
  }
  if (unlisted_.has && unlisted_.has(name)) return true;
  return parent_ != nullptr && parent_->has(name);
}

std::string Names::nearest(std::string_view name) const {
  std::vector<std::string_view> candidates;
  std::deque<std::vector<std::string>> listed;
  for (const Names* names = this; names != nullptr; names = names->parent_) {
    for (const std::string& known : names->names_) {
      if (!known.ends_with('*')) candidates.push_back(known);
    }
    if (!names->unlisted_.all) continue;
    listed.push_back(names->unlisted_.all());
    candidates.insert(candidates.end(), listed.back().begin(), listed.back().end());
  }
  return spec::nearest_name(name, candidates);
}

std::string_view text(const Value& v, std::string_view key) { return v[key].string_or(""); }

std::string_view template_type_of(const Value& body) {
  // In the order in which Argo looks.
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"container", "Container"}, {"containerSet", "ContainerSet"},
      {"steps", "Steps"},         {"dag", "DAG"},
      {"script", "Script"},       {"resource", "Resource"},
      {"data", "Data"},           {"suspend", "Suspend"},
      {"http", "HTTP"},           {"plugin", "Plugin"}};
  for (const auto& [field, type] : kTypes) {
    if (!body[field].is_null()) return type;
  }
  return {};
}

bool is_pod_type(std::string_view type) {
  return type == "Container" || type == "ContainerSet" || type == "Script" || type == "Resource" ||
         type == "Data";
}

bool is_leaf_type(std::string_view type) {
  return is_pod_type(type) || type == "HTTP" || type == "Plugin";
}

bool has_simple_tag(std::string_view text) {
  static const RE2 kTag(R"(\{\{[-a-zA-Z0-9]+(\.[-a-zA-Z0-9_]+)*\}\})");
  return RE2::PartialMatch(text, kTag);
}

bool is_placeholder(std::string_view text) {
  return text.starts_with("__argo__internal__placeholder-");
}

diag::Position position_inside(diag::Position start, std::string_view text, std::size_t offset) {
  if (!start.is_known()) return start;
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_break = before.rfind('\n');
  for (const char c : before) start.line += c == '\n' ? 1 : 0;
  const std::size_t in_line =
      line_break == std::string_view::npos ? offset : offset - line_break - 1;
  start.column += static_cast<int>(in_line);
  return start;
}

}  // namespace tiphys::lint
