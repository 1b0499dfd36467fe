#include "view/node_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "value/json.h"

namespace tiphys::view {

namespace {

using value::Value;

// Splits at commas; a backslash takes the meaning from a comma, '=' or backslash after it.
std::vector<std::string_view> terms_of(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '\\') {
      ++i;
    } else if (i == text.size() || text[i] == ',') {
      if (i > begin) out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

std::string field_of(const Value& node, std::string_view key) {
  if (key == "templateName") return std::string(template_of(node));
  if (key == "displayName" || key == "phase" || key == "name" || key == "id") {
    return std::string(node[key].string_or(""));
  }
  if (key == "templateRef.name") return std::string(node["templateRef"]["name"].string_or(""));
  if (key == "templateRef.template") {
    return std::string(node["templateRef"]["template"].string_or(""));
  }
  for (const Value& p : node["inputs"]["parameters"].list()) {
    if (key != fmt::format("inputs.parameters.{}.value", p["name"].string_or(""))) continue;
    const Value& v = p["value"];
    return v.is_string() ? v.as_string() : v.is_null() ? "" : value::to_json(v);
  }
  return "";
}

}  // namespace

std::string_view template_of(const Value& node) {
  const std::string_view other = node["templateRef"]["template"].string_or("");
  return other.empty() ? node["templateName"].string_or("") : other;
}

diag::Result<NodeFilter> NodeFilter::parse(std::string_view status, std::string_view selector) {
  NodeFilter filter;
  if (!status.empty() && !selector.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "cannot use both --status and --node-field-selector");
  }
  if (!status.empty()) filter.terms_.push_back({.key = "phase", .value = std::string(status)});
  for (const std::string_view term : terms_of(selector)) {
    const std::size_t at = term.find('=');
    if (at == std::string_view::npos) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("selector is invalid: invalid selector: '{}'; can't "
                                    "understand '{}'",
                                    selector, term));
    }
    const bool is_not = at > 0 && term[at - 1] == '!';
    const bool is_double = !is_not && at + 1 < term.size() && term[at + 1] == '=';
    filter.terms_.push_back({.key = std::string(term.substr(0, is_not ? at - 1 : at)),
                             .value = unescaped(term.substr(at + (is_double ? 2 : 1))),
                             .is_equal = !is_not});
  }
  return filter;
}

bool NodeFilter::matches(const Value& node) const {
  return std::ranges::all_of(terms_, [&](const Term& term) {
    return (field_of(node, term.key) == term.value) == term.is_equal;
  });
}

}  // namespace tiphys::view
