#include "kube/pod_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "executor/exit_codes.h"
#include "spec/named.h"
#include "step/report.h"

namespace tiphys::kube {
namespace {

using value::Value;

clock::Instant time_of(const Value& text) {
  const auto time = clock::parse_rfc3339(text.string_or(""));
  return time ? *time : clock::Instant{};
}

std::optional<ContainerEnd> end_of(const Value& status) {
  const Value& terminated = status["state"]["terminated"];
  if (!terminated.is_map()) return std::nullopt;
  return ContainerEnd{.name = std::string(status["name"].string_or("")),
                      .exit_code = static_cast<int>(terminated["exitCode"].int_or(0)),
                      .reason = std::string(terminated["reason"].string_or("Error")),
                      .message = std::string(terminated["message"].string_or("")),
                      .started_at = time_of(terminated["startedAt"]),
                      .finished_at = time_of(terminated["finishedAt"])};
}

std::string with_message(std::string reason, std::string_view message) {
  return message.empty() ? reason : fmt::format("{}: {}", reason, message);
}

std::string waiting_text(const Value& status) {
  for (const char* kind : {"initContainerStatuses", "containerStatuses"}) {
    for (const Value& container : status[kind].list()) {
      const Value& waiting = container["state"]["waiting"];
      const std::string reason(waiting["reason"].string_or(""));
      // every pod says so for a moment; it is no news
      if (reason.empty() || reason == "PodInitializing" || reason == "ContainerCreating") continue;
      return with_message(reason, waiting["message"].string_or(""));
    }
  }
  for (const Value& condition : status["conditions"].list()) {
    if (condition["type"].string_or("") == "PodScheduled" &&
        condition["reason"].string_or("") == "Unschedulable") {
      return with_message("Unschedulable", condition["message"].string_or(""));
    }
  }
  return "";
}

// An init container that has failed: nothing after it begins.
std::optional<ContainerEnd> failed_init(const Value& status) {
  for (const Value& container : status["initContainerStatuses"].list()) {
    auto end = end_of(container);
    if (end && end->exit_code != 0) return end;
  }
  return std::nullopt;
}

// The pod's phase is final, and its main containers have not said how they ended.
void judge_phase(const Value& pod, PodView& view) {
  const Value& status = pod["status"];
  view.state = PodView::State::kEnded;
  if (const std::string_view message = status["message"].string_or(""); !message.empty()) {
    view.problem = message;
    return;
  }
  for (const Value& container : status["containerStatuses"].list()) {
    const Value& waiting = container["state"]["waiting"];
    if (!waiting.is_map()) continue;
    view.is_error = true;
    view.problem = fmt::format("Pod failed before {} container starts due to {}: {}",
                               container["name"].string_or(""), waiting["reason"].string_or(""),
                               waiting["message"].string_or(""));
    return;
  }
  // Kubernetes ends so what was lost with its node.
  if (!status["containerStatuses"].list().empty()) {
    view.problem = "pod failed: neither main nor wait container completed successfully";
    return;
  }
  view.problem = fmt::format("can't find failed message for pod {} namespace {}",
                             pod["metadata"]["name"].string_or(""),
                             pod["metadata"]["namespace"].string_or(""));
}

// All mains have ended well, so that the sidecars decide. False while one of them goes on.
bool judge_sidecars(const Value& status, const PodContainers& names, bool is_final, PodView& view) {
  for (const std::string& name : names.sidecars) {
    const auto end = end_of(spec::named(status["containerStatuses"], name));
    if (!end && !is_final) return false;
    const bool is_ours = !end || executor::is_exit_of_ended(end->exit_code);
    if (!is_ours && end->exit_code != 0 && view.problem.empty()) view.problem = blame(*end);
  }
  return true;
}

void look_at_mains(const Value& status, const PodContainers& names, PodView& view) {
  for (const std::string& name : names.mains) {
    const Value& container = spec::named(status["containerStatuses"], name);
    clock::Instant started = time_of(container["state"]["running"]["startedAt"]);
    if (auto end = end_of(container)) {
      started = end->started_at;
      view.mains.push_back(std::move(*end));
    }
    if (!started.is_set()) continue;
    view.has_begun = true;
    if (!view.started_at || started < *view.started_at) view.started_at = started;
  }
}

}  // namespace

std::string exit_text(const ContainerEnd& end) {
  return fmt::format("{}: {} (exit code {})", end.name, end.reason, end.exit_code);
}

// The reports of tiphys-step are for us.
std::string own_message(const ContainerEnd& end) {
  if (const auto report = step::decode(end.message)) return report->message;
  return step::lines_in_log(end.message) ? "" : end.message;
}

std::string blame(const ContainerEnd& end) {
  return with_message(exit_text(end), own_message(end));
}

PodView view_pod(const Value& pod, const PodContainers& names) {
  const Value& status = pod["status"];
  const std::string_view phase = status["phase"].string_or("");
  PodView view;
  view.ip = status["podIP"].string_or("");
  view.is_being_deleted = !pod["metadata"]["deletionTimestamp"].is_null();
  look_at_mains(status, names, view);
  view.has_log = view.has_begun && !pod["spec"]["nodeName"].string_or("").empty();
  const value::List& containers = status["containerStatuses"].list();
  view.is_ready = !containers.empty() && std::ranges::all_of(containers, [](const Value& c) {
    return c["ready"].bool_or(false);
  });

  if (const auto failed = failed_init(status)) {
    view.state = PodView::State::kEnded;
    view.problem = blame(*failed);
    view.is_error = failed->name == kBringer;  // the others are the user's
    return view;
  }
  const bool is_final = phase == "Succeeded" || phase == "Failed";
  if (view.mains.size() == names.mains.size()) {
    // evicted, or past its deadline: the pod's own words come before its containers'
    if (phase == "Failed") view.problem = status["message"].string_or("");
    const bool is_good =
        std::ranges::all_of(view.mains, [](const auto& e) { return e.exit_code == 0; });
    const bool is_over = !is_good || judge_sidecars(status, names, is_final, view);
    view.state = is_over ? PodView::State::kEnded : PodView::State::kRunning;
    return view;
  }
  if (phase == "Unknown") {
    view.state = PodView::State::kEnded;
    view.is_error = true;
    view.problem = fmt::format("Unexpected pod phase for {}: {}",
                               pod["metadata"]["name"].string_or(""), phase);
    return view;
  }
  if (is_final) {
    judge_phase(pod, view);
    return view;
  }
  if (view.has_begun) {
    view.state = PodView::State::kRunning;
  } else {
    view.waiting = waiting_text(status);
  }
  return view;
}

}  // namespace tiphys::kube
