#include "engine/selector.h"

#include <string>

#include "engine/names.h"

namespace tiphys::engine {

namespace {

std::string field_of(const Machine& m, const Node& n, std::string_view key) {
  if (key == "displayName") return display_name_of(m, n);
  if (key == "name") return n.name;
  if (key == "id") return id_of(m, n);
  if (key == "phase") return std::string(to_string(n.phase));
  if (key == "templateName") return n.site->own_template_name();
  if (key == "templateRef.name") return n.site->template_ref.name;
  if (key == "templateRef.template") return n.site->template_ref.template_name;
  constexpr std::string_view kInputs = "inputs.parameters.";
  if (key.starts_with(kInputs) && key.ends_with(".value")) {
    const std::string_view name = key.substr(kInputs.size(), key.size() - kInputs.size() - 6);
    for (const value::Value& p : n.inputs["parameters"].list()) {
      if (p["name"].string_or("") == name) return std::string(p["value"].string_or(""));
    }
  }
  return "";
}

bool matches_term(const Machine& m, const Node& n, std::string_view term) {
  const std::size_t eq = term.find('=');
  if (eq == std::string_view::npos) return true;
  const bool negated = eq > 0 && term[eq - 1] == '!';
  std::string_view wanted = term.substr(eq + 1);
  if (wanted.starts_with('=')) wanted.remove_prefix(1);
  return (field_of(m, n, term.substr(0, negated ? eq - 1 : eq)) == wanted) != negated;
}

}  // namespace

bool matches(const Machine& m, const Node& n, std::string_view selector) {
  while (!selector.empty()) {
    const std::size_t comma = selector.find(',');
    if (!matches_term(m, n, selector.substr(0, comma))) return false;
    selector = comma == std::string_view::npos ? "" : selector.substr(comma + 1);
  }
  return true;
}

}  // namespace tiphys::engine
