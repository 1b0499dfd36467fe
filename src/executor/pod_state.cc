#include "executor/pod_state.h"

#include <algorithm>

#include <fmt/format.h>

#include "executor/exit_codes.h"

namespace tiphys::executor {
namespace {

using State = PodMember::State;

constexpr int kEmissaryFailed = 64;

bool has_failed(const PodMember& m) { return m.outcome.phase != Outcome::Phase::kSucceeded; }

// A sidecar that was told to end has not failed.
bool counts_as_failed(const PodMember& m) {
  if (!has_failed(m)) return false;
  if (m.plan.role == Role::kMain || m.outcome.phase == Outcome::Phase::kError) return true;
  return !is_exit_of_ended(m.outcome.exit_code.value_or(0));
}

ContainerOutcome container_outcome(const PodMember& m) {
  ContainerOutcome c{.name = m.plan.name, .phase = "Succeeded", .message = {}};
  if (!has_failed(m)) return c;
  const bool is_own = m.outcome.exit_code && *m.outcome.exit_code != kEmissaryFailed &&
                      m.outcome.phase == Outcome::Phase::kFailed;
  c.phase = is_own ? "Failed" : "Error";
  c.message = m.outcome.message;
  // Argo puts the termination message behind a colon even when there is none.
  if (c.message.ends_with(')')) c.message += ": ";
  return c;
}

}  // namespace

PodState::PodState(PodPlan plan) : attempts_max_(std::max(1, plan.attempts)), pause_(plan.pause) {
  for (PlannedContainer& c : plan.containers) {
    members_.emplace_back();
    members_.back().plan = std::move(c);
  }
}

const PodMember* PodState::find(const std::string& name) const {
  for (const PodMember& m : members_) {
    if (m.plan.name == name) return &m;
  }
  return nullptr;
}

bool PodState::are_all_ended(Role role) const {
  return std::ranges::all_of(members_, [role](const PodMember& m) {
    return m.plan.role != role || m.state == State::kEnded;
  });
}

bool PodState::may_start(PodMember& member) const {
  for (const std::string& name : member.plan.dependencies) {
    const PodMember* const other = find(name);
    if (other == nullptr) continue;
    if (other->state != State::kEnded) return false;
    if (other->exit_code == 0) continue;
    member.state = State::kEnded;
    member.exit_code = other->exit_code;
    member.outcome.phase = Outcome::Phase::kFailed;
    member.outcome.exit_code = kEmissaryFailed;
    member.outcome.message =
        fmt::format("{}: Error (exit code {}): dependency \"{}\" exited with non-zero code: {}",
                    member.plan.name, kEmissaryFailed, name, other->exit_code);
    return false;
  }
  return true;
}

std::vector<std::size_t> PodState::take_startable() {
  std::vector<std::size_t> ready;
  const auto take = [&](std::size_t i) {
    members_[i].state = State::kRunning;
    ++members_[i].attempts;
    ready.push_back(i);
  };
  if (is_cancelled_) return ready;
  for (std::size_t i = 0; i < members_.size() && members_[i].plan.role == Role::kInit; ++i) {
    if (members_[i].state == State::kEnded && !has_failed(members_[i])) continue;
    if (members_[i].state == State::kWaiting) take(i);
    return ready;  // one after the other, and nothing after a failure
  }
  for (bool again = true; again;) {  // one that a dependency has failed may fail others
    again = false;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].state != State::kWaiting) continue;
      if (may_start(members_[i])) {
        take(i);
      } else {
        again = again || members_[i].state == State::kEnded;
      }
    }
  }
  return ready;
}

std::vector<std::size_t> PodState::take_endable() {
  std::vector<std::size_t> ending;
  if (!is_cancelled_ && !are_all_ended(Role::kMain)) return ending;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    PodMember& m = members_[i];
    const bool must_end = is_cancelled_ || m.plan.role == Role::kSidecar;
    if (!must_end || m.state != State::kRunning || m.is_told_to_end) continue;
    m.is_told_to_end = true;
    ending.push_back(i);
  }
  return ending;
}

bool PodState::on_ended(std::size_t member, Outcome outcome) {
  PodMember& m = members_[member];
  m.outcome = std::move(outcome);
  m.exit_code = m.outcome.exit_code.value_or(has_failed(m) ? kEmissaryFailed : 0);
  const bool is_again = m.plan.role == Role::kMain && m.exit_code != 0 && !is_cancelled_ &&
                        m.attempts < attempts_max_;
  m.state = is_again ? State::kPausing : State::kEnded;
  return is_again;
}

void PodState::on_pause_over(std::size_t member) {
  if (members_[member].state == State::kPausing) members_[member].state = State::kWaiting;
}

bool PodState::is_over() const {
  const bool is_failed_init = std::ranges::any_of(members_, [](const PodMember& m) {
    return m.plan.role == Role::kInit && m.state == State::kEnded && has_failed(m);
  });
  return std::ranges::all_of(members_, [&](const PodMember& m) {
    if (m.state == State::kEnded) return true;
    return (is_cancelled_ || is_failed_init) && m.state != State::kRunning;
  });
}

const PodMember& PodState::output_member() const {
  if (const PodMember* const main = find("main")) return *main;
  for (auto it = members_.rbegin(); it != members_.rend(); ++it) {
    if (it->plan.role == Role::kMain) return *it;
  }
  return members_.front();
}

Outcome PodState::verdict() const {
  Outcome result;
  const PodMember* blamed = nullptr;
  for (const Role role : {Role::kInit, Role::kMain, Role::kSidecar}) {
    for (const PodMember& m : members_) {
      if (m.plan.role != role || m.state != State::kEnded || !counts_as_failed(m)) continue;
      // Kubernetes lists containers by name; the first to have failed speaks for the pod.
      const bool is_before =
          blamed == nullptr ||
          (blamed->plan.role == role && role == Role::kMain && m.plan.name < blamed->plan.name);
      if (is_before) blamed = &m;
    }
  }
  if (blamed != nullptr) {
    result.phase = blamed->outcome.phase;
    result.message = blamed->outcome.message;
  } else if (is_cancelled_) {
    result.phase = Outcome::Phase::kFailed;
    result.message = fmt::format("main: Error (exit code {})", kTerminated);
  }
  for (const PodMember& m : members_) {
    if (m.plan.name == "main") result.exit_code = m.outcome.exit_code;
    const clock::Instant begun = m.outcome.started_at;
    if (begun.is_set() && (!result.started_at.is_set() || begun < result.started_at)) {
      result.started_at = begun;
    }
    result.finished_at = std::max(result.finished_at, m.outcome.finished_at);
    if (m.plan.role == Role::kMain && m.state == State::kEnded) {
      result.containers.push_back(container_outcome(m));
    }
  }
  return result;
}

}  // namespace tiphys::executor
