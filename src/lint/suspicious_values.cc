// Values in templates that Argo takes and a run fails on.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>

#include "clock/go_duration.h"
#include "expr/program.h"
#include "expr/when.h"
#include "lint/suspicious.h"
#include "plan/depends.h"
#include "spec/schema.h"
#include "tag/substitute.h"
#include "value/json.h"
#include "vars/scope.h"

namespace tiphys::lint {

using diag::Diagnostic;
using value::Value;

namespace {

const std::vector<std::string_view> kMethods = {"GET",    "POST", "PUT",     "PATCH",
                                                "DELETE", "HEAD", "OPTIONS", "TRACE"};

std::string first_line(std::string_view message) {
  return std::string(message.substr(0, message.find('\n')));
}

/// Looks through the templates of one base.
class Inspector {
 public:
  Inspector(const BasePointer& base, std::vector<Diagnostic>& out) : base_(base), out_(out) {}

  void spec() {
    const Place at{base_, base_->pointer};
    retry(base_->spec["retryStrategy"], at.at("retryStrategy"));
    gc_strategy(base_->spec["artifactGC"], at.at("artifactGC"));
    open_tag(base_->spec["arguments"], at.at("arguments"));
    std::size_t i = 0;
    for (const Value& t : base_->spec["templates"].list()) body(t, at.at("templates", i++));
  }

 private:
  void warn(const Place& at, std::string message, std::string fix = "") {
    out_.push_back(warning_at(at, std::move(message), std::move(fix)));
  }

  void body(const Value& t, const Place& at) {
    duration(t["timeout"], at.at("timeout"));
    duration(t["pendingTimeout"], at.at("pendingTimeout"));
    duration(t["suspend"]["duration"], at.at("suspend").at("duration"));
    duration(t["memoize"]["maxAge"], at.at("memoize").at("maxAge"));
    retry(t["retryStrategy"], at.at("retryStrategy"));
    if (t["http"].is_map()) http(t["http"], at.at("http"));
    const bool is_empty = t["script"].is_map() && text(t["script"], "source").empty();
    if (is_empty && t["script"]["args"].list().empty()) {
      warn(at.at("script"), "this script has no source: its interpreter reads an empty file");
    }
    for (const char* kind : {"container", "script"}) mounts(t, t[kind], at.at(kind));
    std::size_t i = 0;
    for (const Value& group : t["steps"].list()) {
      const Place place = at.at("steps", i++);
      std::size_t k = 0;
      for (const Value& step : group.list()) caller(step, place.at(std::to_string(k++)));
    }
    i = 0;
    std::map<std::string_view, const Value*> tasks;  // one task may name all others
    for (const Value& task : t["dag"]["tasks"].list()) tasks.emplace(text(task, "name"), &task);
    for (const Value& task : t["dag"]["tasks"].list()) {
      const Place place = at.at("dag").at("tasks", i++);
      caller(task, place);
      depends(tasks, task, place.at("depends"));
    }
  }

  void caller(const Value& step, const Place& at) {
    if (step["inline"].is_map()) body(step["inline"], at.at("inline"));
    when(text(step, "when"), at.at("when"));
    for (const char* field : {"arguments", "when", "withParam"}) {
      open_tag(step[field], at.at(field));
    }
    const bool is_loop = !step["withItems"].is_null() || !step["withParam"].is_null() ||
                         !step["withSequence"].is_null();
    for (const char* field : {"arguments", "when"}) {
      if (!is_loop) item_outside(step[field], at.at(field));
    }
    const std::string_view items = text(step, "withParam");
    if (!items.empty() && !tag::has_tags(items)) {
      auto list = value::parse_json(std::string(items));
      if (!list || !list->is_list()) {
        warn(at.at("withParam"), "withParam is no JSON list",
             "write a list such as '[\"a\", \"b\"]', or a tag that becomes one");
      }
    }
  }

  /// The step fails when it is to begin, in Argo mostly with "Cannot find end tag".
  void open_tag(const Value& v, const Place& at) {
    std::size_t i = 0;
    for (const Value& element : v.list()) open_tag(element, at.at(std::to_string(i++)));
    for (const auto& [key, member] : v.map()) open_tag(member, at.at(key));
    if (!v.is_string()) return;
    const std::size_t begin = v.as_string().rfind("{{");
    if (begin == std::string::npos || v.as_string().find("}}", begin) != std::string::npos) return;
    out_.push_back({diag::Severity::kWarning,
                    {diag::Code::kInvalidManifest, "a tag begins here and has no end",
                     position_inside(at.position(), v.as_string(), begin)},
                    "write }} behind its name"});
  }

  void item_outside(const Value& v, const Place& at) {
    std::size_t i = 0;
    for (const Value& element : v.list()) item_outside(element, at.at(std::to_string(i++)));
    for (const auto& [key, member] : v.map()) item_outside(member, at.at(key));
    if (!v.is_string()) return;
    for (const tag::Tag& found : tag::find_tags(v.as_string())) {
      if (found.is_expression || found.name != "item") continue;
      out_.push_back(
          {diag::Severity::kWarning,
           {diag::Code::kMissingVariable, "{{item}} outside of a loop: this tag stays as it is",
            position_inside(at.position(), v.as_string(), found.offset)},
           "withItems, withParam or withSequence make a loop"});
    }
  }

  void duration(const Value& v, const Place& at) {
    if (!v.is_string() || v.as_string().empty() || tag::has_tags(v.as_string())) return;
    if (auto parsed = clock::parse_duration(v.as_string()); !parsed) {
      warn(at, parsed.error().message, "write seconds, or units: 30s, 5m, 1h30m");
    }
  }

  void whole_number(const Value& v, const Place& at) {
    if (!v.is_string() || tag::has_tags(v.as_string())) return;
    if (!clock::parse_go_int(v.as_string())) {
      warn(at, fmt::format("'{}' is not a number", v.as_string()));
    }
  }

  void gc_strategy(const Value& gc, const Place& at) {
    static const std::vector<std::string_view> kStrategies = {"OnWorkflowCompletion",
                                                              "OnWorkflowDeletion", "Never"};
    const std::string_view strategy = text(gc, "strategy");
    if (strategy.empty() || std::ranges::find(kStrategies, strategy) != kStrategies.end()) return;
    const std::string near = spec::nearest_name(strategy, kStrategies);
    warn(at.at("strategy"), fmt::format("artifactGC.strategy unknown strategy '{}'", strategy),
         near.empty() ? "want OnWorkflowCompletion, OnWorkflowDeletion or Never"
                      : fmt::format("did you mean \"{}\"?", near));
  }

  void retry(const Value& strategy, const Place& at) {
    whole_number(strategy["limit"], at.at("limit"));
    const Value& backoff = strategy["backoff"];
    whole_number(backoff["factor"], at.at("backoff").at("factor"));
    for (const char* field : {"duration", "maxDuration", "cap"}) {
      duration(backoff[field], at.at("backoff").at(field));
    }
  }

  /// An expression on its own, and the words that it may begin a name with.
  void expression(std::string_view source, const Place& at, std::vector<std::string_view> roots) {
    if (source.empty() || tag::has_tags(source)) return;
    const auto program = expr::Program::parse(source);
    if (!program) {
      out_.push_back(unreadable(program.error().message, at.position(), source, 0));
      return;
    }
    for (const std::string& name : program->reads()) {
      const std::string root = name.substr(0, name.find('.'));
      if (std::ranges::find(roots, root) != roots.end()) continue;
      const std::string near = spec::nearest_name(root, roots);
      warn(at, fmt::format("unknown name '{}', which fails when this is evaluated", root),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    }
  }

  void http(const Value& request, const Place& at) {
    const std::string_view url = text(request, "url");
    if (url.empty()) {
      warn(at, "this request has no url");
    } else if (!tag::has_tags(url) && !url.starts_with("http://") && !url.starts_with("https://")) {
      warn(at.at("url"), fmt::format("'{}' is no URL of http or https", url),
           url.find("://") == std::string_view::npos ? fmt::format("write https://{}", url) : "");
    }
    method(text(request, "method"), at.at("method"));
    condition(text(request, "successCondition"), at.at("successCondition"));
    std::size_t i = 0;
    for (const Value& header : request["headers"].list()) {
      const Place place = at.at("headers", i++);
      if (text(header, "name").empty()) warn(place, "this header has no name");
    }
    if (request["bodyFrom"].is_map() && !text(request, "body").empty()) {
      warn(at.at("body"), "body has no effect, because bodyFrom is given");
    }
  }

  void method(std::string_view name, const Place& at) {
    if (name.empty() || tag::has_tags(name)) return;
    for (const std::string_view known : kMethods) {
      if (known == name) return;
    }
    const std::string near = spec::nearest_name(name, kMethods);
    if (!near.empty()) {
      warn(at, fmt::format("'{}' is no method of HTTP that servers know", name),
           fmt::format("did you mean \"{}\"?", near));
    }
  }

  void condition(std::string_view source, const Place& at) {
    const std::size_t before = out_.size();
    expression(source, at, {"request", "response"});
    if (out_.size() != before) return;
    const auto program = expr::Program::parse(source);
    if (!program || tag::has_tags(source)) return;
    static const std::vector<std::string_view> kKnown = {
        "response",          "response.statusCode", "response.body", "response.headers",
        "request",           "request.method",      "request.url",   "request.body",
        "request.bodyBytes", "request.headers"};
    const std::size_t told = out_.size();
    for (const std::string& name : program->reads()) {
      const std::size_t dot = name.find('.');
      const std::string root = name.substr(0, dot);
      if ((root != "response" && root != "request") || dot == std::string::npos) continue;
      const std::string member = name.substr(0, name.find('.', dot + 1));
      if (std::ranges::find(kKnown, member) != kKnown.end()) continue;
      const std::string near = spec::nearest_name(member, kKnown);
      warn(at, fmt::format("unknown name '{}', which fails when this is evaluated", member),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    }
    const bool reads_headers = source.find("eaders") != std::string_view::npos;
    if (out_.size() == told && !reads_headers) condition_types(*program, at);
  }

  /// Evaluates the condition of an answer that may come; what depends on its texts is passed over.
  void condition_types(const expr::Program& program, const Place& at) {
    vars::MapScope scope;
    for (const char* name : {"request.method", "request.url", "request.body", "response.body"}) {
      scope.set(name, "");
    }
    scope.set("response.statusCode", 200);
    static const RE2 kText(R"re(response\.statusCode\s*(?:[=!]=|[<>]=?)\s*(["']))re");
    const std::string& source = program.source();
    re2::StringPiece quote;
    if (RE2::PartialMatch(source, kText, &quote)) {
      out_.push_back({diag::Severity::kWarning,
                      {diag::Code::kBadExpression, "a status code is a number and never a text",
                       position_inside(at.position(), source,
                                       static_cast<std::size_t>(quote.data() - source.data()))},
                      "leave out the quotes"});
      return;
    }
    const auto answer = program.run_bool(scope);
    if (answer || answer.error().message.find("to bool") == std::string::npos) return;
    warn(at, "this is no condition: it gives neither true nor false",
         "compare it, e.g. response.statusCode == 200");
  }

  /// Tags become words and numbers, of which one has to fit.
  void when(const std::string_view source, const Place& at) {
    if (source.empty()) return;
    std::string error;
    for (const char* stand_in : {"a", "1", "true", "'a'"}) {
      std::string condition(source);
      for (std::size_t begin = condition.find("{{"); begin != std::string::npos;
           begin = condition.find("{{", begin)) {
        if (condition.starts_with("{{=")) return;  // an expression may give any text
        const std::size_t end = condition.find("}}", begin);
        if (end == std::string::npos) return;
        condition.replace(begin, end + 2 - begin, stand_in);
      }
      auto value = expr::evaluate_when(condition);
      if (value) return;
      if (error.empty()) error = value.error().message;
    }
    const bool is_assignment = error.find("Invalid token: '='") != std::string::npos;
    warn(at, first_line(error), is_assignment ? "compare with ==" : "");
  }

  void depends(const std::map<std::string_view, const Value*>& tasks, const Value& task,
               const Place& at) {
    const std::string_view written = text(task, "depends");
    if (written.empty() || tag::has_tags(written)) return;
    if (!plan::validate_task_results(task)) return;  // told elsewhere
    const auto find_task = [&](std::string_view name) -> const Value* {
      const auto other = tasks.find(name);
      return other == tasks.end() ? nullptr : other->second;
    };
    auto depends = plan::Depends::read(task, find_task);
    if (!depends) return;  // told elsewhere
    const plan::TaskState state{.succeeded = true};
    auto decision = depends->decide([&](std::string_view /*task*/) { return &state; });
    if (!decision) warn(at, first_line(decision.error().message));
  }

  void mounts(const Value& t, const Value& container, const Place& at) {
    Names known;
    for (const Value* list : {&t["volumes"], &base_->spec["volumes"]}) {
      for (const Value& volume : list->list()) known.add(std::string(text(volume, "name")));
    }
    for (const Value& claim : base_->spec["volumeClaimTemplates"].list()) {
      known.add(std::string(text(claim["metadata"], "name")));
    }
    std::size_t i = 0;
    for (const Value& mount : container["volumeMounts"].list()) {
      const Place place = at.at("volumeMounts", i++).at("name");
      const std::string_view name = text(mount, "name");
      // A template of its own is mounted into workflows that may have the volume.
      if (base_->kind != "Workflow" || known.has(name) || tag::has_tags(name)) continue;
      const std::string near = known.nearest(name);
      warn(place, fmt::format("there is no volume '{}' in this template or the workflow", name),
           near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
    }
  }

  const BasePointer& base_;
  std::vector<Diagnostic>& out_;
};

}  // namespace

void suspicious_values(const BasePointer& base, std::vector<Diagnostic>& out) {
  Inspector(base, out).spec();
}

}  // namespace tiphys::lint
