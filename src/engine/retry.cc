#include "engine/retry.h"

#include <fmt/format.h>

#include "clock/go_duration.h"
#include "engine/backoff.h"
#include "engine/daemon.h"
#include "engine/globals.h"
#include "engine/limits.h"
#include "engine/manual_retry.h"
#include "engine/node_error.h"
#include "engine/start.h"
#include "engine/templates.h"
#include "engine/transition.h"
#include "spec/node_id.h"

namespace tiphys::engine {

namespace {

using value::Value;

struct RetryFrame final : Frame {
  RetryFrame() : Frame(Kind::kRetry) {}
  Start start;  // as the attempts are started, but for their names
  std::shared_ptr<const spec::Template> body;
  std::shared_ptr<const TemplateScope> inner_scope;
  Value strategy;
  std::vector<NodeIndex> attempts;
  bool is_waiting = false;
  std::string error;  // of the last attempt, when it is Argo's and not a process's
};

RetryFrame& frame_of(Machine& m, NodeIndex retry) {
  Frame* frame = m.at(retry).frame();
  CHECK(frame != nullptr && frame->kind == Frame::Kind::kRetry);
  return static_cast<RetryFrame&>(*frame);
}

// Kubernetes keeps whole seconds, so Argo sees no fractions, and asInt() may be asked for it.
std::string seconds_between(clock::Instant from, clock::Instant to) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return std::to_string(to.ns / kSecond - from.ns / kSecond);
}

Locals retry_locals(const Machine& m, const RetryFrame& frame, const std::string& node_name) {
  Locals locals = {{"retries", std::to_string(frame.attempts.size())},
                   {"lastRetry.exitCode", "0"},
                   {"lastRetry.duration", "0"},
                   {"lastRetry.status", ""},
                   {"lastRetry.message", ""}};
  locals.emplace_back("pod.name", spec::pod_name(m.name, node_name, frame.body->name));
  if (frame.attempts.empty()) return locals;
  const Node& last = m.at(frame.attempts.back());
  if (const Value& code = last.outputs["exitCode"]; code.is_string())
    locals[1].second = code.as_string();
  locals[2].second = seconds_between(last.started_at, last.finished_at);
  locals[3].second = to_string(last.phase);
  locals[4].second = last.message();
  return locals;
}

void start_attempt(Machine& m, NodeIndex retry) {
  RetryFrame& frame = frame_of(m, retry);
  Start s = frame.start;
  s.node_name = fmt::format("{}({})", m.at(retry).name, frame.attempts.size());
  const Locals locals = retry_locals(m, frame, s.node_name);
  auto body = substitute_locals(frame.body, GlobalScope(m, s.late), locals);
  if (!body) {
    fail_node(m, retry, body.error().message);
    return;
  }
  const auto next = static_cast<NodeIndex>(m.nodes.size());
  frame.attempts.push_back(next);
  frame.error.clear();
  begin_body(m, s, std::move(*body), frame.inner_scope);
}

struct Policy {
  bool on_failed = false;
  bool on_error = false;
};

// Transient errors are those of the network and of an overloaded machine (Argo's IsTransientErr, as
// far as its texts go).
bool is_transient(const std::string& message) {
  for (const char* text : {"connection refused", "connection reset", "i/o timeout",
                           "TLS handshake timeout", "etcdserver: request timed out",
                           "exceeded quota", "no such host", "Unexpected EOF", "pod deleted"}) {
    if (message.find(text) != std::string::npos) return true;
  }
  return false;
}

std::optional<Policy> policy_of(const Value& strategy, const Node& last) {
  std::string_view name = strategy["retryPolicy"].string_or("");
  if (name.empty()) name = strategy["expression"].string_or("").empty() ? "OnFailure" : "Always";
  if (name == "Always") return Policy{true, true};
  if (name == "OnError") return Policy{false, true};
  if (name == "OnFailure") return Policy{true, false};
  if (name == "OnTransientError") {
    const bool again = is_transient(last.message());
    return Policy{again, again};
  }
  return std::nullopt;
}

void give_up(Machine& m, NodeIndex retry, Phase phase, std::string message) {
  m.at(retry).outputs = m.at(frame_of(m, retry).attempts.back()).outputs;
  set_phase(m, retry, phase, std::move(message));
}

diag::Result<bool> expression_allows(Machine& m, const RetryFrame& frame,
                                     const std::string& source) {
  vars::MapScope scope;
  const Locals locals = retry_locals(m, frame, "");
  for (const auto& [name, text] : locals) {
    if (name != "pod.name") scope.set(name, text);
  }
  scope.set("retries", std::to_string(frame.attempts.size() - 1));
  const Value& code = m.at(frame.attempts.back()).outputs["exitCode"];
  if (!code.is_string()) scope.set("lastRetry.exitCode", "-1");  // in tags it is 0
  TRY(const expr::Program program, m.program(source));
  return program.run_bool(scope);
}

std::optional<int> limit_of(const RetryFrame& frame) {
  const auto limit = integer_of(frame.strategy["limit"]);
  return limit ? std::optional<int>(static_cast<int>(*limit)) : std::nullopt;
}

// Waits if the strategy says so; true: the decision (to wait or to give up) is made.
diag::Result<bool> back_off(Machine& m, NodeIndex retry) {
  RetryFrame& frame = frame_of(m, retry);
  if (!frame.strategy["backoff"].is_map()) return false;
  const Node& first = m.at(frame.attempts.front());
  const Node& last = m.at(frame.attempts.back());
  TRY(const Backoff d, next_backoff(frame.strategy["backoff"],
                                    {.count = static_cast<int>(frame.attempts.size()),
                                     .first_started = first.started_at,
                                     .last_finished = last.finished_at,
                                     .limit = limit_of(frame)},
                                    m.now));
  if (d.verdict == Backoff::Verdict::kGiveUp) {
    give_up(m, retry, last.phase, d.message);
    return true;
  }
  if (d.verdict == Backoff::Verdict::kGo) {
    set_message(m, retry, "");
    return false;
  }
  set_message(m, retry, d.message);
  frame.is_waiting = true;
  m.set_timer(retry, TimerKind::kBackoff, d.until);
  return true;
}

// Whether another attempt is due; otherwise the Retry node is made final here.
diag::Result<bool> may_try_again(Machine& m, NodeIndex retry) {
  RetryFrame& frame = frame_of(m, retry);
  const Node& last = m.at(frame.attempts.back());
  const auto policy = policy_of(frame.strategy, last);
  if (!policy) {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("{} is not a valid RetryPolicy", frame.strategy["retryPolicy"].string_or("")));
  }
  if (last.phase == Phase::kFailed ? !policy->on_failed : !policy->on_error) {
    if (!frame.error.empty()) return diag::fail(diag::Code::kInvalidManifest, frame.error);
    give_up(m, retry, last.phase, last.message());
    return false;
  }
  TRY(const auto limit, int_or_string(frame.strategy["limit"]));
  if (limit && static_cast<std::int64_t>(frame.attempts.size()) > *limit) {
    give_up(m, retry, last.phase, "No more retries left");
    return false;
  }
  if (const std::string source(frame.strategy["expression"].string_or("")); !source.empty()) {
    TRY(const bool allowed, expression_allows(m, frame, source));
    if (!allowed) {
      give_up(m, retry, last.phase, "retryStrategy.expression evaluated to false");
      return false;
    }
  }
  return true;
}

std::string shutdown_message(const Machine& m) {
  return fmt::format("Stopped with strategy '{}'",
                     m.shutdown == Shutdown::kStop ? "Stop" : "Terminate");
}

void decide(Machine& m, NodeIndex retry, bool has_waited) {
  RetryFrame& frame = frame_of(m, retry);
  const Node& last = m.at(frame.attempts.back());
  if (!is_failure(last.phase)) {
    m.at(retry).outputs = last.outputs;
    set_phase(m, retry, Phase::kSucceeded, "");
    return;
  }
  const bool is_stopped =
      m.shutdown == Shutdown::kTerminate || (m.shutdown == Shutdown::kStop && !m.at(retry).on_exit);
  if (is_stopped) {
    give_up(m, retry, last.phase, shutdown_message(m));
    return;
  }
  if (m.deadline_passed && !m.at(retry).on_exit) {
    give_up(m, retry, last.phase, "retry exceeded workflow deadline");
    return;
  }
  const std::string next = fmt::format("{}({})", m.at(retry).name, frame.attempts.size());
  if (!has_waited && !kept_phase(m, next)) {
    auto waits = back_off(m, retry);
    if (!waits) {
      fail_node(m, retry, waits.error().message);
      return;
    }
    if (*waits) return;
  } else {
    set_message(m, retry, "");
  }
  auto again = may_try_again(m, retry);
  if (!again) {
    fail_node(m, retry, again.error().message);
  } else if (*again && defer_retry_if_full(m, retry)) {
    frame.is_waiting = true;
  } else if (*again) {
    start_attempt(m, retry);
  }
}

}  // namespace

void begin_retry(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                 std::shared_ptr<const TemplateScope> inner_scope) {
  const NodeIndex n = create_node_quietly(m, start, {.type = "Retry", .phase = Phase::kRunning});
  Node& node = m.at(n);
  node.inputs = body->inputs;
  if (start.hooked) node.retried = true;  // as Argo flags it: HOOKS.md 1.4
  auto frame = std::make_unique<RetryFrame>();
  frame->strategy = retry_strategy_of(m, *body);
  const bool is_pod = spec::node_type_of(body->kind) == "Pod";
  frame->body = std::move(body);
  frame->inner_scope = std::move(inner_scope);
  frame->start = start;
  frame->start.parents = {n};
  frame->start.owner = n;
  frame->start.owner_kind = OwnerKind::kRetry;
  frame->start.caller.reset();
  frame->start.locks.clear();
  frame->start.placeholder = kNoNode;
  node.live().frame = std::move(frame);
  take_parallelism(m, n, start.owner_kind != OwnerKind::kRetry);
  // The room that it was let into is the first attempt's, not its hooks'.
  if (is_pod) ++m.active_pods;
  entered(m, n);
  if (is_pod) --m.active_pods;
  start_attempt(m, n);
}

void note_attempt_error(Machine& m, NodeIndex retry, const std::string& error) {
  frame_of(m, retry).error = error;
}

void on_attempt_settled(Machine& m, NodeIndex retry) {
  if (is_fulfilled(m.at(retry).phase)) return;
  const Node& last = m.at(frame_of(m, retry).attempts.back());
  if (last.is_daemon && !is_fulfilled(last.phase)) {
    become_daemon(m, retry);
    return;
  }
  decide(m, retry, false);
}

void on_backoff_over(Machine& m, NodeIndex retry) {
  if (is_fulfilled(m.at(retry).phase) || !frame_of(m, retry).is_waiting) return;
  frame_of(m, retry).is_waiting = false;
  decide(m, retry, true);
}

void give_up_waiting(Machine& m, NodeIndex retry, const std::string& message) {
  RetryFrame& frame = frame_of(m, retry);
  if (!frame.is_waiting) return;
  frame.is_waiting = false;
  m.timers.erase({retry, TimerKind::kBackoff});
  give_up(m, retry, m.at(frame.attempts.back()).phase, message);
}

NodeIndex last_attempt(const Machine& m, const Node& retry) {
  NodeIndex last = kNoNode;
  for (const NodeIndex child : retry.children) {
    const Node& n = m.at(child);
    if (n.owner_kind == OwnerKind::kRetry) last = child;
  }
  return last;
}

}  // namespace tiphys::engine
