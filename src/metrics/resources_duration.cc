#include "metrics/resources_duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "clock/rfc3339.h"
#include "value/json.h"

namespace tiphys::metrics {

namespace {

using value::Value;

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr std::array<Suffix, 14> kSuffixes = {{{"", 1},
                                               {"n", 1e-9},
                                               {"u", 1e-6},
                                               {"m", 1e-3},
                                               {"k", 1e3},
                                               {"M", 1e6},
                                               {"G", 1e9},
                                               {"T", 1e12},
                                               {"P", 1e15},
                                               {"Ki", 1024.0},
                                               {"Mi", 1024.0 * 1024},
                                               {"Gi", 1024.0 * 1024 * 1024},
                                               {"Ti", 1024.0 * 1024 * 1024 * 1024},
                                               {"Pi", 1024.0 * 1024 * 1024 * 1024 * 1024}}};

constexpr double kCpu = 1000;                           // thousandths of 1
constexpr double kMemory = 100.0 * 1024 * 1024 * 1000;  // thousandths of 100Mi

double asked_for(const Value& resources, std::string_view name, double otherwise) {
  for (const char* kind : {"requests", "limits"}) {
    const Value& v = resources[kind][name];
    if (v.is_null()) continue;
    const auto quantity = milli_quantity(v.is_string() ? v.as_string() : value::to_json(v));
    if (quantity) return *quantity;
  }
  return otherwise;
}

std::int64_t whole_seconds_of(const Value& node) {
  const auto started = clock::parse_rfc3339(node["startedAt"].string_or(""));
  const auto finished = clock::parse_rfc3339(node["finishedAt"].string_or(""));
  return started && finished ? (*finished - *started).ns / 1'000'000'000 : 0;
}

Value shown(const ResourcesDuration& sum) {
  return value::Map{{"cpu", sum.cpu}, {"memory", sum.memory}};
}

/// Works out what each node of a workflow is counted for.
class Summing {
 public:
  Summing(const Value& workflow, const FindTemplate& find) : workflow_(workflow), find_(find) {
    for (const auto& [id, node] : workflow["status"]["nodes"].map()) nodes_[id] = &node;
    for (const auto& [id, node] : nodes_) {
      if ((*node)["type"].string_or("") != "Pod" || (*node)["finishedAt"].is_null()) continue;
      const ResourcesDuration own = resources_duration(body_of(*node), whole_seconds_of(*node));
      pods_[id] = own;
      all_ += own;
    }
  }

  [[nodiscard]] const ResourcesDuration& all() const { return all_; }
  [[nodiscard]] bool has_pods() const { return !pods_.empty(); }

  [[nodiscard]] std::optional<ResourcesDuration> of(const std::string& id,
                                                    const Value& node) const {
    if (const auto it = pods_.find(id); it != pods_.end()) return it->second;
    const bool is_fulfilled = !node["finishedAt"].is_null();
    if (node["type"].string_or("") == "Pod" || !is_fulfilled) return std::nullopt;
    if (nodes_.size() > kSummedNodesMax) return std::nullopt;
    ResourcesDuration sum;
    std::set<std::string_view> seen;
    std::vector<const Value*> open = {&node};
    while (!open.empty()) {
      const Value& next = *open.back();
      open.pop_back();
      for (const Value& child : next["children"].list()) {
        const auto it = nodes_.find(child.string_or(""));
        if (it == nodes_.end() || !seen.insert(it->first).second) continue;
        if (const auto pod = pods_.find(it->first); pod != pods_.end()) sum += pod->second;
        open.push_back(it->second);
      }
    }
    return sum;
  }

 private:
  // Nodes of a loop have one template.
  const Value& body_of(const Value& node) {
    const std::string key =
        fmt::format("{}\n{}\n{}", node["templateName"].string_or(""),
                    node["templateScope"].string_or(""), value::to_json(node["templateRef"]));
    const auto it = bodies_.find(key);
    if (it != bodies_.end()) return it->second;
    return bodies_.emplace(key, node_template(node, workflow_, find_)).first->second;
  }

  const Value& workflow_;
  const FindTemplate& find_;
  std::map<std::string, const Value*, std::less<>> nodes_;
  std::map<std::string, ResourcesDuration, std::less<>> pods_;
  std::map<std::string, Value> bodies_;
  ResourcesDuration all_;
};

}  // namespace

std::optional<double> milli_quantity(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Suffix& suffix : kSuffixes) {
    if (rest == suffix.text) return number * suffix.factor * 1000;
  }
  return std::nullopt;
}

ResourcesDuration resources_duration(const Value& body, std::int64_t seconds) {
  ResourcesDuration sum;
  const auto add = [&](const Value& container) {
    const Value& resources = container["resources"];
    const auto age = static_cast<double>(seconds);
    sum.cpu += static_cast<std::int64_t>(asked_for(resources, "cpu", 100) * age / kCpu);
    sum.memory +=
        static_cast<std::int64_t>(asked_for(resources, "memory", kMemory) * age / kMemory);
  };
  for (const char* kind : {"container", "script"}) {
    if (body[kind].is_map()) add(body[kind]);
  }
  for (const Value& c : body["containerSet"]["containers"].list()) add(c);
  for (const char* kind : {"initContainers", "sidecars"}) {
    for (const Value& c : body[kind].list()) add(c);
  }
  return sum;
}

Value with_resources_duration(Value workflow, const FindTemplate& find) {
  const Summing summing(workflow, find);
  if (!summing.has_pods()) return workflow;
  value::Map nodes;
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    const auto sum = summing.of(id, node);
    Value shown_node = node;
    if (sum) {
      value::Map with = node.map();
      with.set("resourcesDuration", shown(*sum));
      shown_node = Value(std::move(with));
    }
    nodes.entries().emplace_back(id, std::move(shown_node));  // ids are unique
  }
  value::Map status = workflow["status"].map();
  status.set("nodes", std::move(nodes));
  status.set("resourcesDuration", shown(summing.all()));
  value::Map whole = workflow.map();
  whole.set("status", std::move(status));
  return whole;
}

}  // namespace tiphys::metrics
