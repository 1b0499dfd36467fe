#include "resource/condition.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "value/json.h"

namespace tiphys::resource {
namespace {

using spec::Requirement;
using value::Value;

const Value* element_of(const Value& list, std::string_view place) {
  std::size_t i = 0;
  const auto [end, error] = std::from_chars(place.data(), place.data() + place.size(), i);
  if (error != std::errc() || end != place.data() + place.size()) return nullptr;
  return i < list.list().size() ? &list.list()[i] : nullptr;
}

// The text at a path; nullopt when there is nothing.
std::optional<std::string> text_at(const Value& object, std::string_view path) {
  const Value* at = &object;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    const std::string_view name = path.substr(begin, dot - begin);
    at = at->is_list() ? element_of(*at, name) : at->map().find(name);
    if (at == nullptr) return std::nullopt;
    begin = dot + 1;
  }
  if (at->is_null()) return "";
  return at->is_string() ? at->as_string() : value::to_json(*at, {.escape_html = false});
}

bool holds(const Requirement& requirement, const Value& object) {
  spec::Labels seen;
  if (auto text = text_at(object, requirement.key)) {
    seen.emplace(requirement.key, std::move(*text));
  }
  return requirement.matches(seen);
}

std::string_view sign_of(Requirement::Operator op) {
  switch (op) {
    case Requirement::Operator::kIn:
      return "in";
    case Requirement::Operator::kNotIn:
      return "notin";
    case Requirement::Operator::kEquals:
      return "=";
    case Requirement::Operator::kDoubleEquals:
      return "==";
    case Requirement::Operator::kNotEquals:
      return "!=";
    case Requirement::Operator::kExists:
      return "exists";
    case Requirement::Operator::kDoesNotExist:
      return "!";
    case Requirement::Operator::kGreaterThan:
      return "gt";
    case Requirement::Operator::kLessThan:
      return "lt";
  }
  return "";
}

}  // namespace

diag::Result<Condition> Condition::parse(std::string_view text) {
  TRY(const spec::Selector selector, spec::Selector::parse(text));
  Condition condition;
  condition.requirements_ = selector.requirements();
  return condition;
}

bool Condition::holds(const Value& object) const {
  return std::ranges::all_of(requirements_,
                             [&](const auto& r) { return resource::holds(r, object); });
}

std::optional<std::string> Condition::first_that_holds(const Value& object) const {
  const auto found = std::ranges::find_if(
      requirements_, [&](const auto& r) { return resource::holds(r, object); });
  if (found == requirements_.end()) return std::nullopt;
  return fmt::format("{{{} {} [{}]}}", found->key, sign_of(found->op),
                     fmt::join(found->values, " "));
}

diag::Result<std::optional<Condition>> read_condition(const Value& resource,
                                                      std::string_view field) {
  const std::string_view text = resource[field].string_or("");
  if (text.empty()) return std::nullopt;
  auto condition = Condition::parse(text);
  if (condition) return std::move(*condition);
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("{} condition '{}' failed to parse: {}",
                                field == "successCondition" ? "success" : "fail", text,
                                condition.error().message));
}

}  // namespace tiphys::resource
