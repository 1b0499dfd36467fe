#include "tag/substitute.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "expr/program.h"
#include "tag/go_quote.h"
#include "tag/missing.h"
#include "tag/scan.h"
#include "value/json.h"

namespace tiphys::tag {

namespace {

using diag::Code;
using diag::Result;
using vars::Scope;

// An expression that reads one of these while it has no value is left for a later pass; nil would
// hide it.
constexpr std::array<std::string_view, 8> kLateVariables = {
    "item",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "workflow.status",
    "workflow.failures",
};
// So much may all tags of one substitution put into it: more than any object may hold. Parsing a
// document again takes many times its size.
constexpr std::uint64_t kTextMax = 32U << 20U;
constexpr std::uint64_t kDocumentTextMax = 8U << 20U;
constexpr std::string_view kPlaceholder = "__argo__internal__placeholder-";

/// What all tags of one text have in common.
struct Replacer {
  const Scope& scope;
  const Strictness& strictness;
  bool document;  // the text is JSON: values are escaped and expressions unescaped
  mutable expr::Cost used = {};
  mutable std::uint64_t written = 0;  // bytes that tags have put into it

  Result<std::string> replace(std::string_view text) const;
  Result<void> replace_tag(std::string& out, std::string_view inside) const;
  Result<void> replace_simple(std::string& out, std::string_view inside) const;
  Result<bool> replace_nested(std::string& out, std::string_view inside) const;
  Result<void> replace_expression(std::string& out, std::string_view source) const;
  Result<void> evaluate(std::string& out, std::string_view source, const expr::Program& program,
                        bool may_stay) const;
  bool is_strict(std::string_view name) const;
  Result<void> append_value(std::string& out, std::string_view text) const;
  Result<void> count(std::size_t bytes) const;
};

void append_tag(std::string& out, std::string_view inside) {
  out += "{{";
  out += inside;
  out += "}}";
}

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  append_go_quoted(out, text);
  return out + '"';
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The source of an expression as it stood before the document was written as JSON.
Result<std::string> unescape(std::string_view source) {
  auto text = value::parse_json(fmt::format("\"{}\"", source));
  if (!text || !text->is_string()) {
    return diag::fail(Code::kBadExpression,
                      fmt::format("failed to unmarshall JSON expression: {}",
                                  text ? "not a string" : text.error().message));
  }
  return text->as_string();
}

bool is_placeholder(const value::Value& v) {
  if (v.is_string()) return v.as_string().starts_with(kPlaceholder);
  if (v.is_list()) return std::ranges::any_of(v.list(), is_placeholder);
  return std::ranges::any_of(v.map(), [](const auto& e) { return is_placeholder(e.second); });
}

/// True while a manifest is only validated, with stand-ins for what is not known yet.
bool holds_placeholder(const Scope& scope) {
  bool found = false;
  scope.each("",
             [&](std::string_view, const value::Value& v) { found = found || is_placeholder(v); });
  return found;
}

bool Replacer::is_strict(std::string_view name) const {
  if (strictness.all) return true;
  return std::ranges::any_of(strictness.prefixes, [&](std::string_view prefix) {
    if (prefix.ends_with('.')) prefix.remove_suffix(1);
    return name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '.');
  });
}

/// Accounts for what a tag puts into the text. A few bytes may name a large value many times.
Result<void> Replacer::count(std::size_t bytes) const {
  const std::uint64_t most = document ? kDocumentTextMax : kTextMax;
  written += bytes;
  if (written <= most) return {};
  return diag::fail(Code::kInvalidManifest,
                    fmt::format("the tags stand for more than {} MiB of text", most >> 20U));
}

Result<void> Replacer::append_value(std::string& out, std::string_view text) const {
  const std::size_t before = out.size();
  if (document) {
    append_go_quoted(out, text);
  } else {
    out += text;
  }
  return count(out.size() - before);
}

/// Argo looks for open tags before it replaces any. Outside of documents they are plain text where
/// tags may stay: in Argo such a tag would go on in the JSON behind the text, and be unknown.
Result<void> check_closed(std::string_view text) {
  std::string_view rest = text;
  while (const auto piece = next_piece(rest)) {
    if (piece->closed) continue;
    return diag::fail(
        Code::kInvalidManifest,
        fmt::format("Cannot find end tag=\"}}}}\" in the template={} starting from {}",
                    go_quoted(text), go_quoted(piece->inside)));
  }
  return {};
}

Result<std::string> Replacer::replace(std::string_view text) const {
  if (document || strictness.all) TRY_VOID(check_closed(text));
  std::string out;
  out.reserve(text.size());
  std::string_view rest = text;
  while (auto piece = next_piece(rest)) {
    out += piece->literal;
    if (piece->closed) {
      TRY_VOID(replace_tag(out, piece->inside));
    } else {
      out += "{{";
      out += piece->inside;
    }
  }
  out += rest;
  return out;
}

Result<void> Replacer::replace_tag(std::string& out, std::string_view inside) const {
  if (!inside.starts_with('=')) return replace_simple(out, inside);
  if (!document) return replace_expression(out, inside.substr(1));
  std::string source(inside.substr(1));
  replace_all(source, "\\u003c", "<");
  replace_all(source, "\\u003e", ">");
  replace_all(source, "\\u0026", "&");
  return replace_expression(out, source);
}

/// `inside` is `outer-{{inner`: replaces the inner tag and leaves the outer one open. False: not
/// such a tag.
Result<bool> Replacer::replace_nested(std::string& out, std::string_view inside) const {
  const auto begin = inside.rfind("{{");
  if (begin == std::string_view::npos || begin == 0) return false;
  const std::string_view name = inside.substr(begin + 2);
  const auto v = scope.find(name);
  if (!v) return false;
  if (v->is_null()) {
    return diag::fail(
        Code::kInvalidManifest,
        fmt::format("unable to substitute nested tag {{{{{}}}}}: {} is an absent optional", inside,
                    go_quoted(name)));
  }
  if (!v->is_string()) return false;
  out += "{{";
  out += inside.substr(0, begin);
  TRY_VOID(append_value(out, v->as_string()));
  return true;
}

Result<void> Replacer::replace_simple(std::string& out, std::string_view inside) const {
  const std::string_view name = trim(inside, document);
  const auto v = scope.find(name);
  if (!v) {
    TRY(const bool nested, replace_nested(out, inside));
    if (nested) return {};
    // Artifacts are resolved elsewhere and may be optional.
    const bool exempt =
        !strictness.all && name.find(".outputs.artifacts.") != std::string_view::npos;
    if (is_strict(name) && !exempt) {
      return diag::fail(Code::kMissingVariable,
                        fmt::format("failed to resolve {{{{{}}}}}", inside));
    }
    append_tag(out, inside);
    return {};
  }
  if (v->is_null()) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("unable to substitute {{{{{}}}}}: output is an absent optional "
                                  "(skipped/omitted node with no default)",
                                  inside));
  }
  if (!v->is_string()) {
    return diag::fail(Code::kMissingVariable,
                      fmt::format("failed to resolve {{{{{}}}}} to string", inside));
  }
  return append_value(out, v->as_string());
}

Result<void> Replacer::replace_expression(std::string& out, std::string_view source) const {
  std::string unescaped;
  if (document) {
    TRY(unescaped, unescape(source));
  }
  const std::string_view expression = document ? std::string_view(unescaped) : source;
  const auto program = expr::Program::parse(expression);
  if (!program) {
    // What does not parse is an error in any mode, unless this is only a rehearsal with
    // placeholders.
    if (holds_placeholder(scope)) {
      append_tag(out, fmt::format("={}", source));
      return {};
    }
    auto error = program.error();
    error.message = "failed to evaluate expression: " + error.message;
    return std::unexpected(std::move(error));
  }
  const std::vector<std::string> missing = missing_variables(*program, scope);
  for (const std::string& name : missing) {
    if (!is_strict(name)) continue;
    return diag::fail(Code::kMissingVariable,
                      fmt::format("failed to evaluate expression: {} is missing", name));
  }
  const bool lenient = !strictness.all && strictness.prefixes.empty();
  const bool may_stay = lenient || !missing.empty();
  const bool is_late = std::ranges::any_of(missing, [](std::string_view name) {
    return std::ranges::find(kLateVariables, name) != kLateVariables.end();
  });
  if (is_late && may_stay) {
    append_tag(out, fmt::format("={}", source));
    return {};
  }
  return evaluate(out, source, *program, may_stay);
}

Result<void> Replacer::evaluate(std::string& out, std::string_view source,
                                const expr::Program& program, bool may_stay) const {
  auto result = program.run_for_tag(scope, used);
  if (used.is_exhausted()) {
    return diag::fail(Code::kBadExpression,
                      "the expressions of one text take too much time or memory" +
                          (result ? std::string() : ": " + result.error().message));
  }
  if (!result) {
    const Code code = std::exchange(result.error().code, Code::kBadExpression);
    const bool is_no_json = code == Code::kInvalidManifest;
    // A stand-in may be what fails, but not what has no JSON.
    if (may_stay || (!is_no_json && holds_placeholder(scope))) {
      append_tag(out, fmt::format("={}", source));
      return {};
    }
    if (code == Code::kMissingVariable) {
      return diag::fail(Code::kBadExpression,
                        fmt::format("failed to evaluate expression {}", go_quoted(source)));
    }
    result.error().message.insert(0, is_no_json ? "failed to marshal evaluated expression: "
                                                : "failed to evaluate expression: ");
    return std::unexpected(std::move(result).error());
  }
  if (!document) {
    return append_value(out, result->is_string() ? result->as_string() : value::to_json(*result));
  }
  const std::string json = value::to_json(*result);
  TRY_VOID(count(json.size()));
  used.text += 4 * json.size();  // it is held several times before the document is done
  if (result->is_string()) {
    out += std::string_view(json).substr(1, json.size() - 2);
  } else {
    append_go_quoted(out, json);
  }
  return {};
}

Result<std::optional<value::Value>> replace_in_map(const value::Map& map, const Replacer& replacer);

/// The value with its tags replaced; nullopt when there are none, so that unchanged parts can be
/// shared.
Result<std::optional<value::Value>> replace_in(const value::Value& v, const Replacer& replacer) {
  if (v.is_string()) {
    if (!has_tags(v.as_string())) return std::nullopt;
    TRY(std::string text, replacer.replace(v.as_string()));
    return value::Value(std::move(text));
  }
  if (v.is_list()) {
    std::optional<value::List> copy;
    for (std::size_t i = 0; i < v.list().size(); ++i) {
      TRY(auto item, replace_in(v.list()[i], replacer));
      if (!item) continue;
      if (!copy) copy = v.list();
      (*copy)[i] = std::move(*item);
    }
    if (!copy) return std::nullopt;
    return value::Value(std::move(*copy));
  }
  return replace_in_map(v.map(), replacer);
}

Result<std::optional<value::Value>> replace_in_map(const value::Map& map,
                                                   const Replacer& replacer) {
  std::optional<value::Map> copy;
  bool keys_changed = false;
  std::size_t i = 0;
  for (const auto& [key, member] : map) {
    keys_changed = keys_changed || has_tags(key);
    TRY(auto changed, replace_in(member, replacer));
    if (changed) {
      if (!copy) copy = map;
      copy->entries()[i].second = std::move(*changed);
    }
    ++i;
  }
  if (keys_changed) {
    value::Map renamed;
    for (const auto& [key, member] : copy ? *copy : map) {
      TRY(std::string name, replacer.replace(key));
      renamed.set(std::move(name), member);
    }
    copy = std::move(renamed);
  }
  if (!copy) return std::nullopt;
  return value::Value(std::move(*copy));
}

}  // namespace

bool has_tags(std::string_view text) { return text.find("{{") != std::string_view::npos; }

bool has_tags(const value::Value& v) {
  if (v.is_string()) return has_tags(v.as_string());
  if (v.is_list()) {
    return std::ranges::any_of(v.list(), [](const value::Value& item) { return has_tags(item); });
  }
  if (!v.is_map()) return false;
  return std::ranges::any_of(
      v.map(), [](const auto& entry) { return has_tags(entry.first) || has_tags(entry.second); });
}

Result<std::string> substitute(std::string_view text, const Scope& scope,
                               const Strictness& strictness) {
  if (!has_tags(text)) return std::string(text);
  return Replacer{scope, strictness, false}.replace(text);
}

Result<value::Value> substitute(const value::Value& v, const Scope& scope,
                                const Strictness& strictness) {
  const Replacer replacer{scope, strictness, false};
  TRY(auto changed, replace_in(v, replacer));
  return changed ? std::move(*changed) : v;
}

Result<std::string> substitute_document(std::string_view json, const Scope& scope,
                                        const Strictness& strictness) {
  if (!value::parse_json(json)) {
    return diag::fail(Code::kInvalidManifest, "cannot do template replacements with invalid JSON");
  }
  if (!has_tags(json)) return std::string(json);
  const Replacer replacer{scope, strictness, true};
  TRY(std::string text, replacer.replace(json));
  if (!value::parse_json(text)) {
    return diag::fail(Code::kInvalidManifest,
                      "cannot finish template replacement because the result was invalid JSON");
  }
  return text;
}

std::vector<Tag> find_tags(std::string_view text) {
  std::vector<Tag> tags;
  std::string_view rest = text;
  while (auto piece = next_piece(rest)) {
    if (!piece->closed) break;
    const auto offset = static_cast<std::size_t>(piece->inside.data() - text.data()) - 2;
    const bool is_expression = piece->inside.starts_with('=');
    std::string_view name = trim(piece->inside.substr(is_expression ? 1 : 0), false);
    tags.push_back({std::string(name), is_expression, offset});
  }
  return tags;
}

}  // namespace tiphys::tag
