#include "conformance/compare.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

#include "conformance/normal_form.h"
#include "conformance/rules.h"

namespace tiphys::conformance {

namespace {

using value::Map;
using value::Value;

Value member(const Map& map, const std::string& key) {
  const Value* found = map.find(key);
  return found == nullptr ? Value() : *found;
}

void add_differences(const std::string& where, const Map& golden, const Map& engine,
                     std::vector<Difference>& out) {
  std::set<std::string> keys;
  for (const auto& [key, v] : golden) keys.insert(key);
  for (const auto& [key, v] : engine) keys.insert(key);
  for (const std::string& key : keys) {
    Value expected = member(golden, key);
    Value got = member(engine, key);
    if (expected == got) continue;
    out.push_back({where, key, std::move(expected), std::move(got)});
  }
}

Value summary(const Map& node) {
  return fmt::format("{} {}", member(node, "type").string_or(""),
                     member(node, "phase").string_or(""));
}

std::vector<Difference> differences(const Form& golden, const Form& engine) {
  std::vector<Difference> out;
  add_differences("workflow", golden.fields, engine.fields, out);
  struct Pair {
    const Map* expected = nullptr;
    const Map* got = nullptr;
  };
  std::map<std::string, Pair> nodes;
  for (const Map& node : golden.nodes) {
    nodes[std::string(member(node, "name").string_or(""))].expected = &node;
  }
  for (const Map& node : engine.nodes) {
    nodes[std::string(member(node, "name").string_or(""))].got = &node;
  }
  for (const auto& [name, pair] : nodes) {
    if (pair.got == nullptr) {
      out.push_back({name, "node", summary(*pair.expected), {}});
    } else if (pair.expected == nullptr) {
      out.push_back({name, "node", {}, summary(*pair.got)});
    } else {
      add_differences(name, *pair.expected, *pair.got, out);
    }
  }
  return out;
}

Comparison compare_variant(Form golden, Form engine, const Record& record,
                           const Record::Words* words, CompareOptions options) {
  for (Form* form : {&golden, &engine}) {
    drop_unfixed(*form, options.compares_keys);
    for (const std::string& path : record.ignored) drop_path(*form, path);
  }
  if (words != nullptr) exchange_words(golden, *words);
  Comparison result;
  if (record.has_free_attempts) {
    drop_attempts(golden);
    drop_attempts(engine);
  }
  if (record.allows_more_hooks) result.more_hooks = drop_more_hooks(golden, engine);
  result.differences = differences(golden, engine);
  return result;
}

}  // namespace

Comparison compare(const Value& golden, const Value& workflow, const Record& record,
                   CompareOptions options) {
  const Form expected(normal_form_of_golden(golden));
  const Form got(normal_form(workflow));
  Comparison best = compare_variant(expected, got, record, nullptr, options);
  for (const Record::Words& words : record.variants) {
    if (best.differences.empty()) break;
    Comparison other = compare_variant(expected, got, record, &words, options);
    if (other.differences.size() < best.differences.size()) best = std::move(other);
  }
  return best;
}

}  // namespace tiphys::conformance
