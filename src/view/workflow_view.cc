#include "view/workflow_view.h"

#include <fmt/format.h>

#include <array>

#include "clock/go_duration.h"
#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "view/node_tree.h"
#include "view/table.h"

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
  return fmt::format("{:<20} {}\n", key, text);
}

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

std::string timestamp(clock::Instant t, clock::Instant now) {
  const std::string ago = clock::humanize_short(now - t);
  static constexpr std::array<std::pair<char, const char*>, 4> kUnits = {
      {{'s', "second"}, {'m', "minute"}, {'h', "hour"}, {'d', "day"}}};
  std::string words = ago;
  for (const auto& [letter, unit] : kUnits) {
    if (!ago.ends_with(letter)) continue;
    const std::string number = ago.substr(0, ago.size() - 1);
    words = fmt::format("{} {}{}", number, unit, number == "1" ? "" : "s");
  }
  return fmt::format("{} ({} {})", clock::strftime("%a %b %d %H:%M:%S +0000", t), words,
                     now < t ? "from now" : "ago");
}

bool has_active_suspend(const Value& workflow) {
  if (workflow["spec"]["suspend"].bool_or(false)) return true;
  for (const auto& [id, n] : workflow["status"]["nodes"].map()) {
    if (n["type"].string_or("") == "Suspend" && n["phase"].string_or("") == "Running") return true;
  }
  return false;
}

std::string service_account(const Value& workflow) {
  const Value& given = workflow["spec"]["serviceAccountName"];
  if (given.is_string() && !given.as_string().empty()) return given.as_string();
  return workflow["spec"]["workflowTemplateRef"].is_map()
             ? "unset"
             : "unset (will run with the default ServiceAccount)";
}

std::string conditions(const Value& workflow) {
  std::string text;
  for (const Value& c : workflow["status"]["conditions"].list()) {
    const std::string_view message = c["message"].string_or("");
    const std::string_view shown = message.empty() ? c["status"].string_or("") : message;
    const std::string type(c["type"].string_or(""));
    const bool is_plain = type == "Completed" || type == "PodRunning";
    text += line((is_plain ? " " : "✖ ") + type, shown);
  }
  return text.empty() ? text : line("Conditions:", "") + text;
}

std::string resources(const Value& durations) {
  static constexpr std::array<std::pair<const char*, const char*>, 2> kShown = {
      {{"cpu", "1 cpu"}, {"memory", "100Mi memory"}}};
  std::string text;
  for (const auto& [key, unit] : kShown) {
    const Value& seconds = durations[key];
    if (seconds.is_int()) {
      text += fmt::format("{}{}*({})", text.empty() ? "" : ",",
                          clock::go_duration(clock::Duration::seconds(seconds.as_int())), unit);
    }
  }
  return text;
}

std::string parameters(std::string_view title, const Value& list) {
  std::string text;
  for (const Value& p : list.list()) {
    if (p["value"].is_string())
      text += line(fmt::format("  {}:", p["name"].string_or("")), p["value"].as_string());
  }
  return list.list().empty() ? "" : line(title, "") + text;
}

std::string artifacts(const Value& list) {
  std::string text;
  for (const Value& a : list.list()) {
    const std::string name = fmt::format("  {}:", a["name"].string_or(""));
    const Value& s3 = a["s3"];
    if (s3.is_map()) {
      // The Go CLI prints its struct; people look for the key in it.
      text += line(
          name, fmt::format(
                    "&S3Artifact{{S3Bucket:S3Bucket{{Endpoint:{},Bucket:{},Region:{},Insecure:nil,"
                    "AccessKeySecret:nil,SecretKeySecret:nil,RoleARN:,UseSDKCreds:false,"
                    "CreateBucketIfNotPresent:nil,EncryptionOptions:nil,CASecret:nil,"
                    "SessionTokenSecret:nil,"
                    "AddressingStyle:,}},Key:{},}}",
                    s3["endpoint"].string_or(""), s3["bucket"].string_or(""),
                    s3["region"].string_or(""), s3["key"].string_or("")));
    }
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
  text += conditions(workflow);
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
  const Value& exec = status["storedWorkflowTemplateSpec"].is_map()
                          ? status["storedWorkflowTemplateSpec"]
                          : workflow["spec"];
  text += parameters("Parameters:", exec["arguments"]["parameters"]);
  text += parameters("Output Parameters:", status["outputs"]["parameters"]);
  return text + artifacts(status["outputs"]["artifacts"]);
}

/// Draws the rows of the tree.
class Drawing {
 public:
  Drawing(const Value& workflow, const GetOptions& o)
      : workflow_(workflow), o_(o), tree_(workflow) {}

  [[nodiscard]] std::string text() {
    std::vector<std::string> head = {colored("STEP", 39, o_), "TEMPLATE", "PODNAME", "DURATION"};
    if (o_.output == Output::kWide)
      head.insert(head.end(), {"ARTIFACTS", "MESSAGE", "RESOURCESDURATION", "NODENAME"});
    if (o_.output != Output::kWide) head.emplace_back("MESSAGE");
    if (o_.output == Output::kShort) head.emplace_back("NODENAME");
    columns_ = head.size();
    rows_.push_back(std::move(head));
    const std::string root(workflow_["metadata"]["name"].string_or(""));
    draw(root, " ", " ");
    for (const auto& [id, n] : workflow_["status"]["nodes"].map()) {
      if (n["name"].string_or("") != root + ".onExit") continue;
      rows_.emplace_back(columns_);
      draw(id, " ", " ");
    }
    for (auto& row : rows_) row.resize(columns_);
    // The header's last cell ends its line in Go's table; those of the rows are padded.
    std::string text = format_table(rows_, 2, true);
    const std::size_t end = text.find('\n');
    const std::size_t last = text.find_last_not_of(' ', end - 1);
    return text.erase(last + 1, end - last - 1);
  }

 private:
  struct Filter {
    bool is_hidden = false;
    bool indents = false;
  };

  [[nodiscard]] bool is_wanted(const Value& n) const {
    if (!o_.status.empty() && n["phase"].string_or("") != o_.status) return false;
    if (o_.node_field_selector.empty()) return true;
    const std::size_t eq = o_.node_field_selector.find('=');
    const std::string key = o_.node_field_selector.substr(0, eq);
    std::string wanted = eq == std::string::npos ? "" : o_.node_field_selector.substr(eq + 1);
    if (wanted.starts_with('=')) wanted.erase(0, 1);
    return n[key].string_or("") == wanted;
  }

  [[nodiscard]] Filter filter_of(const Value& n) const {
    const std::string_view type = n["type"].string_or("");
    if (type == "Retry" && n["children"].list().size() == 1) return {.is_hidden = true};
    if (type == "StepGroup") return {.is_hidden = true, .indents = true};
    if (type == "Skipped" && n["phase"].string_or("") == "Omitted") return {.is_hidden = true};
    return {.is_hidden = !is_wanted(n)};
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
        is_pod ? pod_name(workflow_["metadata"]["name"].string_or(""), n) : "",
        is_pod ? clock::humanize_short(duration_of(n, o_.now)) : ""};
    const std::string message(n["message"].string_or(""));
    if (o_.output == Output::kWide) row.push_back(artifact_names(n));
    row.push_back(message);
    if (o_.output == Output::kWide) row.push_back(resources(n["resourcesDuration"]));
    if (o_.output != Output::kText) row.emplace_back(is_pod ? n["hostNodeName"].string_or("") : "");
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
  NodeTree tree_;
  std::size_t columns_ = 0;
  std::vector<std::vector<std::string>> rows_;
};

// Cuts a line to a width; escape sequences take no room.
std::string cut(const std::string& text, int width) {
  if (width <= 0) return text;
  std::string out;
  int column = 0;
  bool in_escape = false;
  for (const char c : text) {
    if (c == '\n') column = 0;
    if (c == '\x1b') in_escape = true;
    const bool is_start = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (!in_escape && c != '\n' && is_start) ++column;
    if (in_escape || column <= width || c == '\n') out += c;
    if (in_escape && c == 'm') in_escape = false;
  }
  return out;
}

}  // namespace

std::string pod_name(std::string_view workflow, const Value& node) {
  const std::string_view name = node["name"].string_or("");
  if (name == workflow) return std::string(workflow);
  const Value& ref = node["templateRef"]["template"];
  const std::string_view tmpl =
      ref.is_string() ? ref.as_string() : node["templateName"].string_or("");
  std::uint32_t hash = 2166136261U;  // FNV-1a, HOOKS.md 1.3
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::string prefix(workflow);
  if (!tmpl.empty()) prefix += fmt::format("-{}", tmpl);
  return fmt::format("{}-{}", prefix.substr(0, 242), hash);
}

std::string status_text(const Value& workflow) {
  const Value& status = workflow["status"];
  const std::string phase(status["phase"].string_or(""));
  if (phase.empty())
    return workflow["metadata"]["creationTimestamp"].is_string() ? "Pending" : "Unknown";
  if (phase == "Running" && has_active_suspend(workflow)) return "Running (Suspended)";
  const bool is_terminated =
      workflow["spec"]["shutdown"].is_string() ||
      status["message"].string_or("").starts_with("Stopped with strategy 'Terminate'");
  if (phase == "Failed" && is_terminated) return "Failed (Terminated)";
  return phase;
}

std::string format_tree(const Value& workflow, const GetOptions& options) {
  const std::string root(workflow["metadata"]["name"].string_or(""));
  if (workflow["status"]["nodes"].map().find(root) == nullptr) return "";
  return cut(Drawing(workflow, options).text(), options.width);
}

std::string format_workflow(const Value& workflow, const GetOptions& options) {
  const std::string tree = format_tree(workflow, options);
  if (options.output == Output::kShort && !tree.empty()) return tree;
  const std::string head = cut(header(workflow, options), options.width);
  return tree.empty() ? head : head + "\n" + tree;
}

}  // namespace tiphys::view
