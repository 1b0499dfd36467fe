#include "metrics/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "clock/rfc3339.h"
#include "clock/strftime.h"
#include "diag/error.h"
#include "expr/when.h"
#include "metrics/resources_duration.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "vars/scope.h"

namespace tiphys::metrics {

namespace {

using value::Value;

std::optional<clock::Instant> time_in(const Value& v) {
  const auto time = clock::parse_rfc3339(v.string_or(""));
  return time ? std::optional(*time) : std::nullopt;
}

bool is_end(std::string_view phase) {
  constexpr std::array kEnds = {"Succeeded", "Failed", "Error", "Skipped", "Omitted"};
  return std::ranges::find(kEnds, phase) != kEnds.end();
}

std::string text_of(const Value& v) { return v.is_string() ? v.as_string() : value::to_json(v); }

std::string seconds_of(const Value& status, clock::Instant now) {
  const auto started = time_in(status["startedAt"]);
  const auto finished = time_in(status["finishedAt"]);
  return fmt::format("{:.6f}", started ? (finished.value_or(now) - *started).in_seconds() : 0.0);
}

void set_creation_time(vars::MapScope& scope, const Value& metadata) {
  const std::string name = "workflow.creationTimestamp";
  scope.set(name, metadata["creationTimestamp"].string_or(""));
  scope.set(name + ".RFC3339", metadata["creationTimestamp"].string_or(""));
  if (const auto at = time_in(metadata["creationTimestamp"])) {
    scope.set(name + ".s", std::to_string(at->ns / 1'000'000'000));
    for (const char c : std::string_view("BbmAadHIMSYypZzL")) {
      scope.set(fmt::format("{}.{}", name, c), clock::strftime(std::string("%") + c, *at));
    }
  }
  const Value& scheduled = metadata["annotations"]["workflows.argoproj.io/scheduled-time"];
  if (scheduled.is_string()) scope.set("workflow.scheduledTime", scheduled);
}

// workflow.*, as far as it is in the object.
void set_globals(vars::MapScope& scope, const Value& workflow, clock::Instant now) {
  const Value& metadata = workflow["metadata"];
  const Value& status = workflow["status"];
  for (const char* field : {"name", "namespace", "uid"}) {
    scope.set(fmt::format("workflow.{}", field), text_of(metadata[field]));
  }
  const auto set = [&scope](const std::string& prefix, const Value& map) {
    for (const auto& [key, v] : map.map()) scope.set(prefix + key, text_of(v));
    scope.set(prefix + "json", value::to_json(map));
  };
  set("workflow.labels.", metadata["labels"]);
  set("workflow.annotations.", metadata["annotations"]);
  scope.set("workflow.status", status["phase"].string_or("Running"));
  scope.set("workflow.duration", seconds_of(status, now));
  const auto& spec = workflow["spec"];
  scope.set("workflow.serviceAccountName", spec["serviceAccountName"].string_or(""));
  scope.set("workflow.mainEntrypoint", spec["entrypoint"].string_or(""));
  if (!spec["priority"].is_null()) scope.set("workflow.priority", text_of(spec["priority"]));
  set_creation_time(scope, metadata);
  const std::string parameters =
      value::to_json(spec["arguments"]["parameters"], {.key_order = value::KeyOrder::kAsGiven});
  scope.set("workflow.parameters", parameters);
  scope.set("workflow.parameters.json", parameters);
  for (const Value& p : spec["arguments"]["parameters"].list()) {
    scope.set(fmt::format("workflow.parameters.{}", p["name"].string_or("")), text_of(p["value"]));
  }
  for (const Value& p : status["outputs"]["parameters"].list()) {
    scope.set(fmt::format("workflow.outputs.parameters.{}", p["name"].string_or("")),
              text_of(p["value"]));
  }
}

void set_node(vars::MapScope& scope, const Value& node, clock::Instant now) {
  scope.set("status", node["phase"].string_or(""));
  scope.set("duration", seconds_of(node, now));
  scope.set("node.name", node["name"].string_or(""));
  scope.set("name", node["displayName"].string_or(""));
  for (const char* exchange : {"inputs", "outputs"}) {
    for (const Value& p : node[exchange]["parameters"].list()) {
      scope.set(fmt::format("{}.parameters.{}", exchange, p["name"].string_or("")),
                text_of(p["value"]));
    }
  }
  const Value& outputs = node["outputs"];
  if (outputs["result"].is_string()) scope.set("outputs.result", outputs["result"]);
  scope.set("exitCode", outputs["exitCode"].string_or("0"));
}

std::int64_t whole_seconds_of(const Value& node) {
  const auto started = time_in(node["startedAt"]);
  const auto finished = time_in(node["finishedAt"]);
  return started && finished ? (*finished - *started).ns / 1'000'000'000 : 0;
}

// `retries` and `resourcesDuration.*`: what a node and its attempts have come to.
void set_attempts(vars::MapScope& scope, const Value& node, const Value& body,
                  const Value& workflow) {
  ResourcesDuration sum;
  if (node["type"].string_or("") == "Pod") sum += resources_duration(body, whole_seconds_of(node));
  int attempts = 0;
  for (const Value& child : node["children"].list()) {
    const Value& attempt = workflow["status"]["nodes"][child.string_or("")];
    if (node["type"].string_or("") != "Retry" || !attempt["nodeFlag"]["retried"].bool_or(false)) {
      continue;
    }
    ++attempts;
    if (attempt["type"].string_or("") != "Pod") continue;
    sum += resources_duration(body, whole_seconds_of(attempt));
  }
  scope.set("retries", std::to_string(std::max(attempts - 1, 0)));
  scope.set("resourcesDuration.cpu", std::to_string(sum.cpu));
  scope.set("resourcesDuration.memory", std::to_string(sum.memory));
}

// A realtime gauge is a variable that goes on by itself. Errors: kInvalidManifest.
diag::Result<void> check_realtime(std::string_view text, bool is_of_node) {
  if (!text.starts_with("{{") || !text.ends_with("}}")) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "real time metrics can only be used with metric variables");
  }
  text.remove_prefix(2);
  text.remove_suffix(std::min<std::size_t>(2, text.size()));
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text == "workflow.duration" || (is_of_node && text == "duration")) return {};
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("'{}' is not available as a real time metric", text));
}

/// Evaluates one declaration.
class Evaluation {
 public:
  Evaluation(const Value& declared, const vars::Scope& scope, clock::Instant at, bool is_of_node)
      : declared_(declared), scope_(scope), at_(at), is_of_node_(is_of_node) {}

  /// The sample; nullopt when its `when` is false. Errors: kInvalidManifest, with Argo's words for
  /// the condition MetricsError.
  [[nodiscard]] diag::Result<std::optional<Sample>> sample() const {
    Sample s;
    s.at = at_;
    s.name = declared_["name"].string_or("");
    s.help = declared_["help"].string_or("");
    if (s.help.empty()) {
      return diag::fail(
          diag::Code::kInvalidManifest,
          fmt::format("metric '{}' must contain a help string under 'help: ' field", s.name));
    }
    const std::string unsubstituted =
        fmt::format("unable to substitute parameters for metric '{}'", s.name);
    for (const Value& label : declared_["labels"].list()) {
      TRY(std::string v, told(unsubstituted, substituted(label["value"])));
      s.labels.emplace_back(label["key"].string_or(""), std::move(v));
    }
    std::ranges::sort(s.labels);
    if (const Value& when = declared_["when"]; !when.string_or("").empty()) {
      TRY(const std::string condition, told(unsubstituted, substituted(when)));
      TRY(const bool is_wanted,
          told(fmt::format("unable to compute 'when' clause for metric '{}'", s.name),
               expr::evaluate_when(condition)));
      if (!is_wanted) return std::nullopt;
    }
    const Value& counter = declared_["counter"];
    const Value& gauge = declared_["gauge"];
    const Value& histogram = declared_["histogram"];
    const Value& own = counter.is_map() ? counter : gauge.is_map() ? gauge : histogram;
    s.kind = counter.is_map() ? Sample::Kind::kCounter
             : gauge.is_map() ? Sample::Kind::kGauge
                              : Sample::Kind::kHistogram;
    const std::string_view operation = gauge["operation"].string_or("Set");
    s.operation = operation == "Add"   ? Sample::Operation::kAdd
                  : operation == "Sub" ? Sample::Operation::kSub
                                       : Sample::Operation::kSet;
    const std::string not_made = fmt::format("could not construct metric '{}'", s.name);
    for (const Value& bound : histogram["buckets"].list()) {
      TRY(const double number, told(not_made, number_in(text_of(bound))));
      s.buckets.push_back(number);
    }
    std::ranges::sort(s.buckets);
    if (gauge["realtime"].bool_or(false)) {
      TRY_VOID(check_realtime(own["value"].string_or(""), is_of_node_));
    }
    TRY(const std::string text, told(unsubstituted, substituted(own["value"])));
    TRY(s.value, told(not_made, number_in(text)));
    return s;
  }

 private:
  [[nodiscard]] diag::Result<std::string> substituted(const Value& v) const {
    return tag::substitute(v.string_or(""), scope_, {.all = true});
  }

  template <typename T>
  static diag::Result<T> told(const std::string& lead, diag::Result<T> result) {
    if (!result) result.error().message = fmt::format("{}: {}", lead, result.error().message);
    return result;
  }

  static diag::Result<double> number_in(const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return number;
    return diag::fail(diag::Code::kInvalidManifest,
                      fmt::format("strconv.ParseFloat: parsing \"{}\": invalid syntax", text));
  }

  const Value& declared_;
  const vars::Scope& scope_;
  clock::Instant at_;
  bool is_of_node_;
};

struct Measuring {
  clock::Instant at;
  bool is_over = false;
  bool is_of_node = false;
};

void add(const Value& declarations, const vars::Scope& scope, const Measuring& m, Samples& out) {
  for (const Value& declared : declarations["prometheus"].list()) {
    // What still runs has only its realtime gauges.
    if (!m.is_over && !declared["gauge"]["realtime"].bool_or(false)) continue;
    auto sample = Evaluation(declared, scope, m.at, m.is_of_node).sample();
    if (!sample) {
      out.problems.push_back(std::move(sample.error().message));
    } else if (*sample) {
      out.samples.push_back(std::move(**sample));
    }
  }
}

// Attempts count through their Retry node, groups through their members.
bool is_measured(const Value& node) {
  const std::string_view type = node["type"].string_or("");
  const std::string_view phase = node["phase"].string_or("");
  const bool is_attempt = node["nodeFlag"]["retried"].bool_or(false);
  return !is_attempt && type != "StepGroup" && type != "TaskGroup" && phase != "Skipped" &&
         phase != "Omitted" && !phase.empty();
}

}  // namespace

void collect(const Value& workflow, const FindTemplate& find, clock::Instant now, Samples& out) {
  vars::MapScope globals;
  set_globals(globals, workflow, now);
  struct Measured {
    const Value* node;
    clock::Instant at;
  };
  std::vector<Measured> nodes;
  for (const auto& [id, node] : workflow["status"]["nodes"].map()) {
    if (is_measured(node)) nodes.push_back({&node, time_in(node["finishedAt"]).value_or(now)});
  }
  std::ranges::stable_sort(nodes, {}, &Measured::at);
  for (const Measured& m : nodes) {
    const Value body = node_template(*m.node, workflow, find);
    if (!body["metrics"].is_map()) continue;
    vars::MapScope scope(&globals);
    set_node(scope, *m.node, now);
    set_attempts(scope, *m.node, body, workflow);
    add(body["metrics"], scope,
        {.at = m.at, .is_over = is_end((*m.node)["phase"].string_or("")), .is_of_node = true}, out);
  }
  const Value& status = workflow["status"];
  const std::string_view phase = status["phase"].string_or("");
  if (phase.empty()) return;
  vars::MapScope scope(&globals);
  scope.set("status", phase);
  scope.set("duration", seconds_of(status, now));
  add(workflow["spec"]["metrics"], scope,
      {.at = time_in(status["finishedAt"]).value_or(now), .is_over = is_end(phase)}, out);
}

}  // namespace tiphys::metrics
