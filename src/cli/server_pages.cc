#include "cli/server_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/command.h"
#include "cli/delivery_metrics.h"
#include "cli/metric_values.h"
#include "metrics/registry.h"
#include "runtime/submit.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using net::HttpServerAnswer;
using value::Map;
using value::Value;

HttpServerAnswer text_answer(int status, std::string text) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(text)};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'') {
      out += fmt::format("&#{};", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out;
}

// `body` is HTML.
HttpServerAnswer page(int status, std::string_view title, std::string_view body) {
  return {.status = status,
          .content_type = "text/html; charset=utf-8",
          .body = fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                              "<meta name=\"viewport\" content=\"width=device-width\">"
                              "<meta name=\"referrer\" content=\"no-referrer\">"
                              "<title>{0}</title></head>\n<body style=\"font-family: sans-serif; "
                              "max-width: 40em; margin: 3em auto\">\n<h1>{0}</h1>\n{1}\n"
                              "</body></html>\n",
                              escaped(title), body)};
}

// How many workflows are in each phase, under the name that Argo's controller has for it.
std::string phases_text(const std::vector<store::WorkflowRow>& rows) {
  std::map<std::string, int> counts{
      {"Pending", 0}, {"Running", 0}, {"Succeeded", 0}, {"Failed", 0}, {"Error", 0}};
  for (const store::WorkflowRow& row : rows) ++counts[row.phase.empty() ? "Pending" : row.phase];
  std::string out =
      "# HELP argo_workflows_gauge Number of workflows in the store by phase\n"
      "# TYPE argo_workflows_gauge gauge\n";
  for (const auto& [phase, count] : counts) {
    out += fmt::format("argo_workflows_gauge{{phase=\"{}\"}} {}\n", phase, count);
  }
  return out;
}

HttpServerAnswer failed(const diag::Error& error) { return text_answer(503, error.message + "\n"); }

}  // namespace

bool still_waits(const Value& workflow, const notify::LinkedAction& action) {
  const Value& status = workflow["status"];
  if (!status["finishedAt"].is_null()) return false;
  if (action.node.empty()) {
    return workflow["spec"]["suspend"].bool_or(false) &&
           status["startedAt"].string_or("") == action.started_at;
  }
  const Value& node = status["nodes"][action.node];
  return node["phase"].string_or("") == "Running" &&
         node["startedAt"].string_or("") == action.started_at;
}

HttpServerAnswer ServerPages::answer(const net::HttpServerRequest& request, clock::Instant now) {
  const std::string_view path =
      std::string_view(request.target).substr(0, request.target.find('?'));
  const bool is_action = path.starts_with(notify::kActionPath);
  if (request.method != "GET" && !(is_action && request.method == "POST")) {
    return text_answer(405, "method not allowed\n");
  }
  if (path == "/healthz") return text_answer(200, "ok\n");
  if (path == "/metrics") return metrics();
  if (is_action) return action(request, path.substr(notify::kActionPath.size()), now);
  return text_answer(404, "not found\n");
}

HttpServerAnswer ServerPages::metrics() {
  const auto rows = store_.list_workflows("", false);
  if (!rows) return failed(rows.error());
  auto samples = metric_samples(store_, *rows);
  if (!samples) return failed(samples.error());
  const auto totals = store_.delivery_totals();
  if (!totals) return failed(totals.error());
  const metrics::Registry registry(std::move(samples->samples));
  HttpServerAnswer out =
      text_answer(200, phases_text(*rows) + registry.prometheus_text() + prometheus_text(*totals));
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return out;
}

HttpServerAnswer ServerPages::action(const net::HttpServerRequest& request, std::string_view token,
                                     clock::Instant now) {
  const auto wanted = notify::read_action_token(token, link_key_, now);
  if (!wanted) {
    return page(404, "This link does not work", "<p>It is not whole, or it has expired.</p>");
  }
  const auto rows = store_.list_workflows("", true);
  if (!rows) return failed(rows.error());
  const auto row = std::ranges::find(*rows, wanted->uid, &store::WorkflowRow::uid);
  if (row == rows->end()) return page(404, "The workflow is gone", "");
  const auto whole = store_.find_workflow(row->name_space, row->name);
  if (!whole) return failed(whole.error());
  const auto workflow = runtime::load_workflow_object(store_, *whole);
  if (!workflow) return failed(workflow.error());
  const std::string name = fmt::format("{}/{}", row->name_space, row->name);
  if (!still_waits(*workflow, *wanted)) {
    return page(409, "Nothing to do",
                fmt::format("<p>{} does not wait for this any more.</p>", escaped(name)));
  }
  const bool is_resume = wanted->verb == "resume";
  const Value& node = (*workflow)["status"]["nodes"][wanted->node];
  const std::string_view step = node["displayName"].string_or("");
  if (request.method == "GET") {
    return page(
        200, fmt::format("{} {}?", is_resume ? "Resume" : "Stop", name),
        fmt::format("<p>{}</p>\n<form method=\"post\"><button style=\"font-size: 1.2em\">"
                    "{}</button></form>",
                    step.empty() ? "The workflow is suspended."
                                 : fmt::format("It waits at the step <b>{}</b>.", escaped(step)),
                    is_resume ? "Resume" : "Stop"));
  }
  Map arguments;
  if (is_resume && !wanted->node.empty()) {
    arguments.set("nodeFieldSelector", fmt::format("id={}", wanted->node));
  }
  if (!is_resume) arguments.set("message", "stopped by a link of a notification");
  const auto added = store_.add_command({.id = 0,
                                         .uid = wanted->uid,
                                         .verb = wanted->verb,
                                         .arguments_json = value::to_json(Value(arguments)),
                                         .created_at = now});
  if (!added) return failed(added.error());
  runtime::poke_engines(config_.home);
  return page(200, fmt::format("{} is {}", name, is_resume ? "resumed" : "stopped"), "");
}

}  // namespace tiphys::cli
