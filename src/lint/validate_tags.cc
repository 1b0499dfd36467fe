// Tags `{{name}}` that nothing can resolve, and hooks without expression.
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "lint/validator.h"
#include "spec/lines.h"
#include "tag/substitute.h"

namespace tiphys::lint {

using value::Value;

namespace {

bool begins_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

/// The tag at `offset` with its braces, as it was written.
std::string_view whole_tag(std::string_view given, std::size_t offset) {
  const std::size_t end = given.find("}}", offset);
  return given.substr(offset, end == std::string_view::npos ? end : end + 2 - offset);
}

/// The text of the manifest at a place, or empty.
std::string_view written_text(const Place& at) {
  if (!at.base || !at.pointer.starts_with(at.base->pointer)) return {};
  const Value* v = &at.base->spec;
  std::string_view rest = std::string_view(at.pointer).substr(at.base->pointer.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    if (v->is_list()) {
      std::size_t index = 0;
      std::from_chars(token.data(), token.data() + token.size(), index);
      if (index >= v->list().size()) return {};
      v = &v->list()[index];
    } else {
      v = &(*v)[token];
    }
  }
  return v->string_or("");
}

/// The tags as they stand in the manifest: the text that is looked at may have values in place of
/// others. They are asked for in their order, so each is looked for behind the one before.
class WrittenTags {
 public:
  explicit WrittenTags(std::string_view text) : text_(text), lines_(text, 0) {}

  /// Moves the text's position to the tag, if it is there.
  void move_to(std::string_view tag, diag::Position& position) {
    if (!position.is_known() || from_ == std::string_view::npos) return;
    from_ = text_.find(tag, from_);
    if (from_ == std::string_view::npos) return;  // nor will those behind it be found
    const auto [line, column] = lines_.place_of(from_);
    position.line += line;
    position.column += column - 1;
  }

 private:
  std::string_view text_;
  spec::Lines lines_;
  std::size_t from_ = 0;
};

}  // namespace

bool Validator::is_allowed(std::string_view tag, const Names& scope) const {
  // Argo looks only at these; other words in double braces are left as they are.
  if (!begins_with_any(tag,
                       {"item.", "steps.", "inputs.", "outputs.", "pod.", "workflow.", "tasks."})) {
    return true;
  }
  if (scope.has(tag) || global_names_.has(tag)) return true;
  // Known only when the workflow runs.
  if (begins_with_any(tag, {"outputs.", "workflow.creationTimestamp", "workflow.scheduledTime",
                            "workflow.duration", "tasks.name", "steps.name"})) {
    return true;
  }
  return options_.is_template && tag.starts_with("workflow.parameters");
}

void Validator::tags_of_text(std::string_view given, const Place& at, const Names& scope,
                             const std::string& prefix) {
  if (!tag::has_tags(given)) return;
  std::optional<WrittenTags> written;
  for (const tag::Tag& found : tag::find_tags(given)) {
    if (found.is_expression || is_allowed(found.name, scope)) continue;
    std::string near;
    if (findings_.size() < kSuggestionsMax) {
      near = scope.nearest(found.name);
      if (near.empty()) near = global_names_.nearest(found.name);
    }
    std::string fix = near.empty() ? "" : fmt::format("did you mean \"{}\"?", near);
    if (found.name == "workflow.failures") fix = "it is known in the templates of spec.onExit only";
    const std::size_t before = findings_.size();
    const std::string_view whole = whole_tag(given, found.offset);
    report(at, fmt::format("{}failed to resolve {}", prefix, whole), std::move(fix));
    if (findings_.size() == before) continue;
    if (!written) written.emplace(written_text(at));
    written->move_to(whole, findings_.back().error.at);
  }
}

void Validator::tags(const Value& v, const Place& at, const Names& scope,
                     const std::string& prefix) {
  switch (v.kind()) {
    case Value::Kind::kString:
      tags_of_text(v.as_string(), at, scope, prefix);
      return;
    case Value::Kind::kList: {
      std::size_t i = 0;
      for (const Value& element : v.list()) {
        tags(element, at.at(std::to_string(i++)), scope, prefix);
      }
      return;
    }
    case Value::Kind::kMap:
      for (const auto& [key, member] : v.map()) {
        Place place = at.at(key);
        place.is_key = true;
        tags_of_text(key, place, scope, prefix);
        place.is_key = false;
        tags(member, place, scope, prefix);
      }
      return;
    case Value::Kind::kNull:
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kFloat:
      return;
  }
}

void Validator::hooks(const Value& hooks, const Place& at, const std::string& prefix,
                      const std::string& name) {
  for (const auto& [hook, body] : hooks.map()) {
    if (hook == "exit" || !text(body, "expression").empty()) continue;
    Place place = at.at(hook);
    place.is_key = true;
    report(place, fmt::format("{}{}.{} Expression required", prefix, name, hook));
  }
}

}  // namespace tiphys::lint
