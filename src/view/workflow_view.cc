#include "view/workflow_view.h"

#include <fmt/format.h>

#include <array>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "value/json.h"
#include "view/artifact_text.h"
#include "view/fit.h"
#include "view/node_filter.h"
#include "view/node_tree.h"
#include "view/table.h"
#include "view/timestamp.h"

namespace tiphys::view {

namespace {

using value::Value;

struct Icon {
  std::string_view phase;
  const char* symbol;
  int color;
};
constexpr std::array<Icon, 6> kIcons = {{{"Pending", "◷", 33},
                                         {"Running", "●", 36},
                                         {"Succeeded", "✔", 32},
                                         {"Skipped", "○", 39},
                                         {"Failed", "✖", 31},
                                         {"Error", "⚠", 31}}};

std::string colored(const std::string& text, int color, const GetOptions& o) {
  return o.color ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : text;
}

std::string icon_of(const Value& node, const GetOptions& o) {
  const std::string_view phase = node["phase"].string_or("");
  if (node["type"].string_or("") == "Suspend" && phase == "Running")
    return colored(o.utf8 ? "ǁ" : "Suspend", 36, o);
  for (const Icon& icon : kIcons) {
    if (icon.phase == phase)
      return colored(o.utf8 ? icon.symbol : std::string(phase), icon.color, o);
  }
  return "";
}

std::string line(std::string_view key, std::string_view text) {
  return fmt::format("{} {}\n", padded(key, 20), text);
}

/// The text of a parameter's value; values that are no strings come from manifests.
std::string text_of(const Value& v) { return v.is_string() ? v.as_string() : value::to_json(v); }

clock::Instant time_of(const Value& v) {
  auto t = clock::parse_rfc3339(v.string_or(""));
  return t ? *t : clock::Instant{};
}

// The time since the start, or until the end once there is one.
clock::Duration duration_of(const Value& o, clock::Instant now) {
  const clock::Instant start = time_of(o["startedAt"]);
  const clock::Instant end = time_of(o["finishedAt"]);
  if (!start.is_set()) return {};
  return (end.is_set() ? end : now) - start;
}

bool has_active_suspend(const Value& workflow) {
  if (workflow["spec"]["suspend"].bool_or(false)) return true;
  for (const auto& [id, n] : workflow["status"]["nodes"].map()) {
    if (n["type"].string_or("") == "Suspend" && n["phase"].string_or("") == "Running") return true;
  }
  return false;
}

// The spec that runs: that of the referenced template, merged in, if there is one.
const Value& exec_spec(const Value& workflow) {
  const Value& stored = workflow["status"]["storedWorkflowTemplateSpec"];
  return stored.is_map() ? stored : workflow["spec"];
}

std::string service_account(const Value& workflow) {
  const std::string given(exec_spec(workflow)["serviceAccountName"].string_or(""));
  if (!given.empty()) return given;
  return workflow["spec"]["workflowTemplateRef"].is_map()
             ? "unset"
             : "unset (will run with the default ServiceAccount)";
}

std::string condition_icon(std::string_view type, const GetOptions& o) {
  if (type == "MetricsError") return colored(o.utf8 ? "✖" : "Error", 31, o);
  if (type == "SpecWarning") return colored(o.utf8 ? "⚠" : "Warning", 33, o);
  return "";
}

std::string conditions(const Value& workflow, const GetOptions& o) {
  std::string text;
  for (const Value& c : workflow["status"]["conditions"].list()) {
    const std::string_view message = c["message"].string_or("");
    const std::string_view type = c["type"].string_or("");
    text += line(fmt::format("{} {}", condition_icon(type, o), type),
                 message.empty() ? c["status"].string_or("") : message);
  }
  return text.empty() ? text : line("Conditions:", "") + text;
}

// The unit of which a resource's duration counts seconds.
std::string_view resource_unit(std::string_view resource) {
  if (resource == "memory") return "100Mi";
  if (resource == "storage" || resource == "ephemeral-storage") return "10Gi";
  return "1";
}

std::string resources(const Value& durations) {
  std::string text;
  for (const auto& [name, seconds] : durations.map().sorted()) {
    text += fmt::format("{}{}*({} {})", text.empty() ? "" : ",",
                        clock::go_duration(clock::Duration::seconds(seconds.int_or(0))),
                        resource_unit(name), name);
  }
  return text;
}

std::string input_parameters(const Value& list) {
  std::string text;
  for (const Value& p : list.list()) {
    if (p["value"].is_null()) continue;
    text += line(fmt::format("  {}:", p["name"].string_or("")), text_of(p["value"]));
  }
  return list.list().empty() ? "" : line("Parameters:", "") + text;
}

std::string output_parameters(const Value& list) {
  std::string text;
  for (const Value& p : list.list()) {
    const Value& v = p["value"].is_null() ? p["default"] : p["value"];
    if (v.is_null() && p["valueFrom"].is_null()) continue;
    text += line(fmt::format("  {}:", p["name"].string_or("")), v.is_null() ? "" : text_of(v));
  }
  return list.list().empty() ? "" : line("Output Parameters:", "") + text;
}

std::string output_artifacts(const Value& list) {
  std::string text;
  for (const Value& a : list.list()) {
    const std::string place = artifact_text(a);
    if (!place.empty()) text += line(fmt::format("  {}:", a["name"].string_or("")), place);
  }
  return list.list().empty() ? "" : line("Output Artifacts:", "") + text;
}

std::string header(const Value& workflow, const GetOptions& o) {
  const Value& metadata = workflow["metadata"];
  const Value& status = workflow["status"];
  std::string text = line("Name:", metadata["name"].string_or(""));
  text += line("Namespace:", metadata["namespace"].string_or(""));
  text += line("ServiceAccount:", service_account(workflow));
  text += line("Status:", status_text(workflow));
  if (const std::string_view m = status["message"].string_or(""); !m.empty())
    text += line("Message:", m);
  text += conditions(workflow, o);
  text += line("Created:", timestamp(time_of(metadata["creationTimestamp"]), o.now));
  const clock::Instant started = time_of(status["startedAt"]);
  const clock::Instant finished = time_of(status["finishedAt"]);
  if (started.is_set()) text += line("Started:", timestamp(started, o.now));
  if (finished.is_set()) text += line("Finished:", timestamp(finished, o.now));
  if (started.is_set()) text += line("Duration:", clock::humanize(duration_of(status, o.now)));
  if (status["phase"].string_or("") == "Running" && status["estimatedDuration"].is_int()) {
    text += line("EstimatedDuration:",
                 clock::humanize(clock::Duration::seconds(status["estimatedDuration"].as_int())));
  }
  text += line("Progress:", status["progress"].string_or(""));
  if (const std::string r = resources(status["resourcesDuration"]); !r.empty())
    text += line("ResourcesDuration:", r);
  text += input_parameters(exec_spec(workflow)["arguments"]["parameters"]);
  text += output_parameters(status["outputs"]["parameters"]);
  return text + output_artifacts(status["outputs"]["artifacts"]);
}

/// Draws the rows of the tree.
class Drawing {
 public:
  Drawing(const Value& workflow, const GetOptions& o)
      : workflow_(workflow),
        o_(o),
        filter_(NodeFilter::parse(o.status, o.node_field_selector)),
        tree_(workflow) {}

  [[nodiscard]] std::string text() {
    std::vector<std::string> head = {colored("STEP", 39, o_), "TEMPLATE", "PODNAME", "DURATION"};
    if (o_.output == Output::kWide) head.emplace_back("ARTIFACTS");
    head.emplace_back("MESSAGE");
    if (o_.output == Output::kWide) head.emplace_back("RESOURCESDURATION");
    if (o_.output != Output::kText) head.emplace_back("NODENAME");
    rows_.push_back(std::move(head));
    const std::string root(workflow_["metadata"]["name"].string_or(""));
    draw(root, " ", " ");
    if (const std::string exit = tree_.root_named(root + ".onExit"); !exit.empty()) {
      rows_.emplace_back(6);  // of five columns, whatever the table has
      draw(exit, " ", " ");
    }
    return fit_table(std::move(rows_), o_.output == Output::kText ? o_.width : 0);
  }

 private:
  struct Filter {
    bool is_hidden = false;
    bool indents = false;
  };

  [[nodiscard]] Filter filter_of(const Value& n) const {
    const std::string_view type = n["type"].string_or("");
    if (type == "Retry" && n["children"].list().size() == 1) return {.is_hidden = true};
    if (type == "StepGroup") return {.is_hidden = true, .indents = true};
    if (type == "Skipped" && n["phase"].string_or("") == "Omitted") return {.is_hidden = true};
    return {.is_hidden = !filter_ || !filter_->matches(n)};
  }

  // The branch in front of a child, and what stands below it in front of its own children.
  [[nodiscard]] std::pair<const char*, const char*> branch(const Filter& f, std::size_t i,
                                                           std::size_t last) const {
    const bool utf8 = o_.utf8;
    if (f.is_hidden && f.indents) {
      if (last == 0) return {utf8 ? "──" : "--", "  "};
      if (i == 0) return {utf8 ? "┬─" : "+-", utf8 ? "│ " : "| "};
    } else if (f.is_hidden) {
      return {"", ""};
    }
    if (i == last) return {utf8 ? "└─" : "`-", "  "};
    return {utf8 ? "├─" : "|-", utf8 ? "│ " : "| "};
  }

  void draw(const std::string& id, const std::string& prefix, const std::string& below_prefix) {
    const Value* n = tree_.node(id);
    if (n == nullptr) return;
    const Filter filter = filter_of(*n);
    if (!filter.is_hidden) add_row(*n, prefix);
    const std::vector<std::string>& children = tree_.below(id);
    for (std::size_t i = 0; i < children.size(); ++i) {
      const auto [part, sub] = branch(filter, i, children.size() - 1);
      const std::string& start = filter.is_hidden && i == 0 ? prefix : below_prefix;
      draw(children[i], start + part, below_prefix + sub);
    }
  }

  void add_row(const Value& n, const std::string& prefix) {
    const Value& ref = n["templateRef"];
    const std::string tmpl = ref.is_map() ? fmt::format("{}/{}", ref["name"].string_or(""),
                                                        ref["template"].string_or(""))
                                          : std::string(n["templateName"].string_or(""));
    const bool is_pod = n["type"].string_or("") == "Pod";
    std::vector<std::string> row = {
        prefix + icon_of(n, o_) + " " + std::string(n["displayName"].string_or("")), tmpl,
        is_pod ? pod_name(workflow_, n) : "",
        is_pod ? clock::humanize_short(duration_of(n, o_.now)) : ""};
    const std::string message(n["message"].string_or(""));
    if (o_.output == Output::kWide) row.push_back(artifact_names(n));
    row.push_back(message);
    if (o_.output == Output::kWide) row.push_back(resources(n["resourcesDuration"]));
    // The last cell: empty in the plain view, so that the message's column is padded.
    const bool has_host = is_pod && o_.output != Output::kText;
    row.emplace_back(has_host ? n["hostNodeName"].string_or("") : "");
    rows_.push_back(std::move(row));
  }

  static std::string artifact_names(const Value& n) {
    std::string names;
    for (const Value& a : n["outputs"]["artifacts"].list()) {
      names += fmt::format("{}{}", names.empty() ? "" : ",", a["name"].string_or(""));
    }
    return names;
  }

  const Value& workflow_;
  const GetOptions& o_;
  diag::Result<NodeFilter> filter_;
  NodeTree tree_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::string pod_name(const Value& workflow, const Value& node) {
  const std::string name(workflow["metadata"]["name"].string_or(""));
  constexpr std::string_view kFormat = "workflows.argoproj.io/pod-name-format";
  if (workflow["metadata"]["annotations"][kFormat].string_or("") == "v1") {
    return std::string(node["id"].string_or(""));
  }
  const std::string_view node_name = node["name"].string_or("");
  if (node_name == name) return name;
  constexpr std::size_t kPrefixMax = 242;  // with the hash, what Kubernetes takes for a name
  std::uint32_t hash = 2166136261U;        // FNV-1a, 32 bits
  for (const char c : node_name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  const std::string_view tmpl = template_of(node);
  const std::string prefix = tmpl.empty() ? name : fmt::format("{}-{}", name, tmpl);
  return fmt::format("{}-{}", prefix.substr(0, kPrefixMax), hash);
}

std::string status_text(const Value& workflow) {
  const Value& status = workflow["status"];
  const std::string phase(status["phase"].string_or(""));
  if (phase.empty() || phase == "Pending") {
    return workflow["metadata"]["creationTimestamp"].is_string() ? "Pending" : "Unknown";
  }
  if (phase == "Running" && has_active_suspend(workflow)) return "Running (Suspended)";
  const bool is_terminated =
      !workflow["spec"]["shutdown"].string_or("").empty() ||
      status["message"].string_or("").starts_with("Stopped with strategy 'Terminate'");
  if (phase == "Failed" && is_terminated) return "Failed (Terminated)";
  return phase;
}

std::string format_tree(const Value& workflow, const GetOptions& options) {
  const std::string root(workflow["metadata"]["name"].string_or(""));
  if (workflow["status"]["nodes"].map().find(root) == nullptr) return "";
  return cut_lines(Drawing(workflow, options).text(), options.cuts_lines ? options.width : 0);
}

std::string format_workflow(const Value& workflow, const GetOptions& options) {
  const std::string tree = format_tree(workflow, options);
  if (options.output == Output::kShort && !tree.empty()) return tree;
  const std::string head =
      cut_lines(header(workflow, options), options.cuts_lines ? options.width : 0);
  return tree.empty() ? head : head + "\n" + tree;
}

}  // namespace tiphys::view
