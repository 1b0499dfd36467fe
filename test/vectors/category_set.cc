// Records that name their category: times, names, loops, back-off, selectors, variables.
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "expr/program.h"
#include "plan/expand.h"
#include "plan/raw_json.h"
#include "spec/labels.h"
#include "spec/names.h"
#include "spec/node_id.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "vectors/set.h"

// The arithmetic alone: the engine itself is not needed for vectors, and not linked.
#include "engine/backoff.cc"  // NOLINT(bugprone-suspicious-include)

namespace tiphys::vectors {

namespace {

using diag::Result;
using value::Value;

Value strings(const std::vector<std::string>& texts) {
  value::List list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

Value object(value::Map map) { return map; }

Result<Value> duration_object(Result<clock::Duration> d) {
  if (!d) return std::unexpected(std::move(d).error());
  return object({{"ns", std::to_string(d->ns)}, {"string", clock::go_duration(*d)}});
}

Result<Value> run_duration(const Value& r) {
  return duration_object(clock::parse_duration(r["input"].string_or("")));
}
Result<Value> run_go_duration(const Value& r) {
  return duration_object(clock::parse_go_duration(r["input"].string_or("")));
}
Result<Value> run_duration_format(const Value& r) {
  return clock::go_duration({r["ns"].int_or(0)});
}
Result<Value> run_humanize(const Value& r) { return clock::humanize({r["ns"].int_or(0)}); }

Result<Value> run_strftime(const Value& r) {
  TRY(const auto t, clock::parse_rfc3339(r["time"].string_or("")));
  return clock::strftime(r["format"].string_or(""), t, r["zone"].string_or(""));
}

Result<Value> run_node_id(const Value& r) {
  return spec::node_id(r["workflow"].string_or(""), r["node"].string_or(""));
}

Result<Value> run_pod_name(const Value& r) {
  if (r["version"].string_or("") == "v1") {
    return spec::node_id(r["workflow"].string_or(""), r["node"].string_or(""));
  }
  return spec::pod_name(r["workflow"].string_or(""), r["node"].string_or(""),
                        r["template"].string_or(""));
}

Result<Value> run_sequence(const Value& r) {
  TRY(auto items, plan::sequence_items(r["sequence"]));
  if (!r["truncated"].is_null()) {
    if (std::cmp_not_equal(items.size(), r["count"].int_or(0))) return "another count";
    items.erase(items.begin() + 3, items.end() - 3);
  }
  return strings(items);
}

Result<Value> run_expand(const Value& r) {
  vars::MapScope scope;
  for (const auto& [name, v] : r["scope"].map()) scope.set(name, v);
  const Value& task = r["task"];
  const bool is_loop = !task["withItems"].list().empty() ||
                       !task["withParam"].string_or("").empty() || !task["withSequence"].is_null();
  std::vector<Value> steps = {task};
  if (is_loop) {
    TRY(const auto items, plan::expand(task, scope, plan::Caller::kTask));
    steps.clear();
    for (const plan::Item& item : items) {
      value::Map named = item.step.map();
      named.set("name", std::string(task["name"].string_or("")) + item.node_suffix);
      steps.emplace_back(std::move(named));
    }
  }
  value::List shown;
  for (const Value& step : steps) {
    value::Map map = step.map();
    for (const char* loop : {"withItems", "withParam", "withSequence"}) map.erase(loop);
    shown.emplace_back(std::move(map));
  }
  return Value(std::move(shown));
}

Result<Value> run_backoff(const Value& r) {
  const Value& strategy = r["retryStrategy"];
  TRY(const auto limit, engine::int_or_string(strategy["limit"]));
  const auto count = static_cast<int>(r["attempts"].int_or(1));
  const clock::Instant finished{clock::Duration::seconds(1'700'000'000).ns};
  engine::Attempts attempts{count, finished, finished, {}};
  if (limit) attempts.limit = static_cast<int>(*limit);
  const clock::Instant now = finished + clock::Duration{1000};
  TRY(const auto next, engine::next_backoff(strategy["backoff"], attempts, now));
  const bool waits = next.verdict == engine::Backoff::Verdict::kWait;
  value::Map want = {{"message", next.message}, {"phase", "Running"}, {"requeued", waits}};
  if (waits) want.set("wait_ns", std::to_string(next.wait.ns));
  return Value(std::move(want));
}

Value selection(const spec::Selector& selector, const Value& labels) {
  return object(
      {{"matches", selector.matches(spec::labels_of(labels))}, {"string", selector.to_string()}});
}
Result<Value> run_selector(const Value& r) {
  TRY(const auto selector, spec::Selector::parse(r["selector"].string_or("")));
  return selection(selector, r["labels"]);
}
Result<Value> run_selector_struct(const Value& r) {
  TRY(const auto selector, spec::Selector::from_object(r["selector"]));
  return selection(selector, r["labels"]);
}

template <auto kCheck>
Result<Value> run_name(const Value& r) {
  return strings(kCheck(r["input"].string_or("")));
}

/// A variable by its tag, as artifacts' `from` has it; expressions see no functions of Argo there.
Result<Value> run_resolve_var(const Value& r) {
  std::string_view text = r["input"].string_or("");
  if (text.starts_with("{{")) text.remove_prefix(2);
  if (text.ends_with("}}")) text.remove_suffix(2);
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  const bool is_expression = text.starts_with('=');
  if (is_expression) text.remove_prefix(1);
  vars::MapScope scope;
  for (const auto& [name, v] : r["env"].map()) scope.set(name, v);
  if (!is_expression) {
    const auto v = scope.find(text);
    if (!v) return diag::fail(diag::Code::kNotFound, "unable to resolve");
    return value::to_json(*v);
  }
  for (const char* name : {"sprig.", "asInt(", "asFloat(", "jsonpath(", "toJson("}) {
    if (text.find(name) == std::string_view::npos) continue;
    return diag::fail(diag::Code::kBadExpression, "Argo's functions are not there");
  }
  vars::MapScope flat;  // dotted names do not become maps there, and so cannot be reached
  for (const auto& [name, v] : scope.own()) {
    if (name.find('.') == std::string::npos) flat.set(name, v);
  }
  TRY(const auto program, expr::Program::parse(text));
  TRY(const auto v, program.run(flat));
  if (v.is_null()) return diag::fail(diag::Code::kNotFound, "null");
  return value::to_json(v);
}

/// The simple tags of a text, as lint walks through them. Their names are compared without blanks.
Result<Value> run_validate_tags(const Value& r) {
  const std::string_view text = r["input"].string_or("");
  const auto tags = tag::find_tags(text);
  const std::size_t known = tags.empty() ? 0 : text.find("}}", tags.back().offset) + 2;
  if (text.substr(known).find("{{") != std::string_view::npos) {
    return diag::fail(diag::Code::kInvalidManifest, "Cannot find end tag");
  }
  std::vector<std::string> names;
  for (const tag::Tag& t : tags) {
    if (!t.is_expression) names.push_back(t.name);
  }
  return strings(names);
}

struct Category {
  std::string_view name;
  Result<Value> (*run)(const Value& record);
};
constexpr std::array<Category, 21> kCategories = {{
    {"duration", run_duration},
    {"go_duration", run_go_duration},
    {"duration_format", run_duration_format},
    {"humanize_duration", run_humanize},
    {"strftime", run_strftime},
    {"node_id", run_node_id},
    {"pod_name", run_pod_name},
    {"sequence", run_sequence},
    {"expand_task", run_expand},
    {"backoff", run_backoff},
    {"label_selector", run_selector},
    {"label_selector_struct", run_selector_struct},
    {"name_dns1123_subdomain", run_name<spec::check_dns1123_subdomain>},
    {"name_dns1123_label", run_name<spec::check_dns1123_label>},
    {"name_label_value", run_name<spec::check_label_value>},
    {"name_qualified", run_name<spec::check_qualified_name>},
    {"name_param", run_name<spec::check_parameter_name>},
    {"name_field", run_name<spec::check_field_name>},
    {"name_step", run_name<spec::check_step_name>},
    {"resolve_var", run_resolve_var},
    {"validate_tags", run_validate_tags},
}};

Value without_blanks(const Value& names) {
  value::List list;
  for (const Value& name : names.list()) {
    std::string text(name.string_or(""));
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    list.emplace_back(std::move(text));
  }
  return list;
}

/// A record of loops with its items as text: `1.0` and "\u00e9" count as they were written.
Value with_raw_items(const Value& record, std::string_view line) {
  const auto at = line.find("\"withItems\":");
  if (at == std::string_view::npos || record["task"]["withItems"].list().empty()) return record;
  for (const auto& [key, text] : plan::raw_members(line)) {
    if (key != "\"task\"") continue;
    for (const auto& [name, items] : plan::raw_members(text)) {
      if (name != "\"withItems\"") continue;
      value::Map task = record["task"].map();
      task.erase("withItems");
      task.set("withParam", Value(items));
      value::Map copy = record.map();
      copy.set("task", Value(std::move(task)));
      return Value(std::move(copy));
    }
  }
  return record;
}

}  // namespace

Outcome run_category(const value::Value& record, std::string_view line) {
  const std::string_view category = record["category"].string_or("");
  for (const Category& c : kCategories) {
    if (c.name != category) continue;
    const auto got = c.run(category == "expand_task" ? with_raw_items(record, line) : record);
    const std::string text = got ? value::to_json(*got) : "error " + got.error().message;
    if (record["error"].bool_or(false)) {
      return {!got, "error " + std::string(record["message"].string_or("")), text};
    }
    const bool trims = category == "validate_tags";
    const Value want = trims ? without_blanks(record["want"]) : record["want"];
    return {got && *got == want, value::to_json(want), text};
  }
  return {false, "a known category", std::string(category)};
}

}  // namespace tiphys::vectors
