#include "plan/expand.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "clock/go_duration.h"
#include "expr/when.h"
#include "plan/go_format.h"
#include "plan/raw_json.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "value/json_fault.h"

namespace tiphys::plan {

namespace {

using diag::Code;
using diag::Result;
using value::Value;

// Argo has no limit and dies of it; a list that long cannot be run anyway.
constexpr std::uint64_t kMostItems = 10'000'000;
constexpr std::array<std::string_view, 3> kLoops = {"withItems", "withParam", "withSequence"};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Argo's Item.String(): compact JSON; a string without its quotes, but with its escapes.
std::string item_text(std::string_view raw) {
  std::string text = compact(raw, true);
  if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
  replace_all(text, "\\u003c", "<");
  replace_all(text, "\\u003e", ">");
  replace_all(text, "\\u0026", "&");
  return text;
}

std::string string_of(std::string_view raw) {
  const auto v = value::parse_json(raw);
  return v ? std::string(v->string_or("")) : std::string();
}

/// A scope without its null values: nothing will run, so that missing outputs of skipped steps do
/// not matter.
class WithoutNulls final : public vars::Scope {
 public:
  explicit WithoutNulls(const vars::Scope& scope) : scope_(scope) {}

  [[nodiscard]] std::optional<Value> find(std::string_view name) const override {
    auto v = scope_.find(name);
    return v && v->is_null() ? std::nullopt : std::move(v);
  }
  void each(std::string_view root, const Visit& visit) const override {
    scope_.each(root, [&](std::string_view name, const Value& v) {
      if (!v.is_null()) visit(name, v);
    });
  }

 private:
  const vars::Scope& scope_;
};

/// What an item is called, and what its tags stand for.
struct Variables {
  std::string text;  // for the name
  std::map<std::string, std::string> values;
};

Variables variables_of_map(std::string_view raw) {
  Variables v;
  std::map<std::string, std::string_view> members;  // the last one of a key counts
  for (const auto& [key, member] : raw_members(raw)) {
    members.insert_or_assign(string_of(key), member);
  }
  std::vector<std::string> parts;
  std::string json;
  for (const auto& [key, member] : members) {
    const std::string text = item_text(member);
    parts.push_back(fmt::format("{}:{}", key, text));
    v.values["item." + key] = text;
    json += json.empty() ? '{' : ',';
    value::append_json_string(json, key);
    json += ':' + compact(member, true);
  }
  std::ranges::sort(parts);
  v.text = fmt::format("{}", fmt::join(parts, ","));
  v.values["item"] = json.empty() ? "{}" : json + '}';
  return v;
}

Variables variables_of(std::string_view raw) {
  if (raw.starts_with('{')) return variables_of_map(raw);
  if (raw.starts_with('"')) return {item_text(raw), {{"item", string_of(raw)}}};
  if (raw == "null") return {"[]", {{"item", "null"}}};  // Go reads it as a list that is not there
  if (!raw.starts_with('[')) return {item_text(raw), {{"item", item_text(raw)}}};
  std::vector<std::string> parts;
  std::vector<std::string> json;
  for (const std::string_view element : raw_elements(raw)) {
    parts.push_back(item_text(element));
    json.push_back(compact(element, true));
  }
  return {fmt::format("[{}]", fmt::join(parts, " ")),
          {{"item", fmt::format("[{}]", fmt::join(json, ","))}}};
}

/// The text of an item as its name shows it.
std::string shown(std::string_view raw) {
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~' && c != '\\' && c != '"'; };
  if (raw.size() >= 2 && raw.front() == '"') {
    const std::string_view inner = raw.substr(1, raw.size() - 2);
    if (std::ranges::all_of(inner, is_plain)) return std::string(inner);
  }
  return variables_of(raw).text;
}

void append_number(std::string& out, std::int64_t v) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), v);
  out.append(digits.data(), end);
}

std::string suffix_of(std::size_t index, std::string_view text) {
  std::string suffix(1, '(');
  append_number(suffix, static_cast<std::int64_t>(index));
  suffix += ':';
  for (const char c : text) {
    if (c != '(' && c != ')') suffix += c;
  }
  suffix += ')';
  return suffix;
}

bool is_given(const Value& v) {
  return !v.is_null() && !(v.is_string() && v.as_string().empty()) &&
         !(v.is_list() && v.list().empty());
}

// What Go says of a text that is no list.
std::string list_fault(std::string_view text, const Result<Value>& parsed) {
  if (!parsed) {
    const std::string fault = value::json_fault(text);
    return fault.empty() ? parsed.error().message : fault;
  }
  const char* kind = parsed->is_map()      ? "object"
                     : parsed->is_string() ? "string"
                     : parsed->is_bool()   ? "bool"
                                           : "number";
  return fmt::format("json: cannot unmarshal {} into Go value of type []v1alpha1.Item", kind);
}

Result<std::vector<std::string>> param_items(const Value& param) {
  const std::string text = param.is_string() ? param.as_string() : value::to_json(param);
  const auto parsed = value::parse_json(text);
  if (!parsed || !(parsed->is_list() || parsed->is_null())) {
    const auto begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    const auto end = text.find_last_not_of(" \t\r\n");
    return diag::fail(
        Code::kInvalidManifest,
        fmt::format("withParam value could not be parsed as a JSON list: {}: {}",
                    text.substr(begin, end == std::string::npos ? 0 : end + 1 - begin),
                    list_fault(text, parsed)));
  }
  std::vector<std::string> items;
  for (const std::string_view raw : raw_elements(text)) items.emplace_back(raw);
  return items;
}

Result<std::vector<std::string>> items_of(const Value& step) {
  if (is_given(step["withItems"])) {
    std::vector<std::string> items;
    for (const Value& item : step["withItems"].list()) items.push_back(value::to_json(item));
    return items;
  }
  if (is_given(step["withParam"])) return param_items(step["withParam"]);
  return sequence_items(step["withSequence"]);
}

/// True if the condition is false as it stands, before items are known.
bool never_runs(const Value& step) {
  const std::string_view when = step["when"].string_or("");
  if (when.empty()) return false;
  const auto runs = expr::evaluate_when(when);
  return runs && !*runs;
}

/// An integer or its text, as Kubernetes' IntOrString; nullopt when it is not given.
Result<std::optional<std::int64_t>> int_or_string(const Value& v) {
  if (v.is_null()) return std::nullopt;
  if (v.is_int()) return v.as_int();
  TRY(const std::int64_t n, clock::parse_go_int(v.string_or("")));
  return n;
}

}  // namespace

Result<std::vector<std::string>> sequence_items(const Value& sequence) {
  TRY(const auto start, int_or_string(sequence["start"]));
  TRY(auto last, int_or_string(sequence["end"]));
  const std::int64_t first = start.value_or(0);
  if (!last) {
    TRY(const auto count, int_or_string(sequence["count"]));
    if (!count) {
      return diag::fail(Code::kInvalidManifest,
                        "neither end nor count was specified in withSequence");
    }
    if (*count == 0) return std::vector<std::string>{};
    last = static_cast<std::int64_t>(static_cast<std::uint64_t>(first) +
                                     static_cast<std::uint64_t>(*count) - 1);  // wraps, as in Go
  }
  const auto length = static_cast<std::uint64_t>(std::max(first, *last)) -
                      static_cast<std::uint64_t>(std::min(first, *last));
  if (length >= kMostItems) {
    return diag::fail(Code::kInvalidManifest,
                      fmt::format("withSequence from {} to {} is longer than {} items", first,
                                  *last, kMostItems));
  }
  const std::string_view given = sequence["format"].string_or("");
  const std::string_view format = given.empty() ? "%d" : given;
  std::vector<std::string> items;
  items.reserve(length + 1);
  for (std::int64_t i = first;; i += first <= *last ? 1 : -1) {
    if (format == "%d") {
      std::string& item = items.emplace_back(1, '"');
      append_number(item, i);
      item += '"';
    } else {
      items.push_back('"' + go_format(format, i) + '"');
      if (auto parsed = value::parse_json(items.back()); !parsed) {
        return std::unexpected(std::move(parsed).error());
      }
    }
    if (i == *last) return items;
  }
}

Result<std::vector<Item>> expand(const Value& step_or_task, const vars::Scope& scope,
                                 Caller caller) {
  const bool skipped = never_runs(step_or_task);
  auto raw_items = items_of(step_or_task);
  if (!raw_items) {
    if (skipped) return std::vector<Item>{};
    return std::unexpected(std::move(raw_items).error());
  }
  value::Map body = step_or_task.map();
  value::Map loop;
  for (const std::string_view name : kLoops) {
    if (caller == Caller::kTask && body.find(name) != nullptr) {
      loop.set(std::string(name), *body.find(name));
    }
    body.erase(name);
  }
  const Value pattern(std::move(body));
  const WithoutNulls lenient_scope(scope);
  const tag::Strictness strictness{.all = !skipped};
  const bool is_constant = !tag::has_tags(pattern) && !tag::has_tags(Value(loop));
  std::vector<Item> items;
  items.reserve(raw_items->size());
  for (std::size_t i = 0; i < raw_items->size(); ++i) {
    if (is_constant) {
      items.push_back({suffix_of(i, shown((*raw_items)[i])), pattern});
      continue;
    }
    Variables variables = variables_of((*raw_items)[i]);
    vars::MapScope item_scope(skipped ? &lenient_scope : &scope);
    for (auto& [key, v] : variables.values) item_scope.set(key, std::move(v));
    if (i == 0) TRY_VOID(tag::substitute(Value(loop), item_scope, strictness));
    TRY(const Value step, tag::substitute(pattern, item_scope, strictness));
    value::Map map = step.map();
    if (const Value* own = step_or_task.map().find("name")) map.set("name", *own);
    if (const Value* own = step_or_task.map().find("template")) map.set("template", *own);
    items.push_back({suffix_of(i, variables.text), Value(std::move(map))});
  }
  return items;
}

}  // namespace tiphys::plan
