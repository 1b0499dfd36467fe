#include "executor/placing.h"

#include <sys/vfs.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <linux/magic.h>

#include "executor/preparation.h"
#include "executor/program_output.h"

namespace tiphys::executor {
namespace {

// crun is the quicker one, but it sets limits only where there is nothing but cgroup v2.
bool is_unified() {
  struct statfs st = {};
  return ::statfs("/sys/fs/cgroup", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

// $TIPHYS_RUNTIME says which of them is to be taken.
Runtime find_runtime(std::initializer_list<std::string_view> names) {
  const char* const only = std::getenv("TIPHYS_RUNTIME");
  for (const std::string_view name : names) {
    if (only != nullptr && name != only) continue;
    std::string path = find_program(std::string(name));
    if (!path.empty()) return {.name = std::string(name), .path = std::move(path)};
  }
  return {};
}

PullPolicy pull_policy(const value::Value& container) {
  const std::string_view word = container["imagePullPolicy"].string_or("");
  if (word == "Always") return PullPolicy::kAlways;
  return word == "Never" ? PullPolicy::kNever : PullPolicy::kIfNotPresent;
}

bool may_run_containers() { return ::geteuid() == 0; }

}  // namespace

std::optional<ExecutorKind> parse_executor_kind(std::string_view word) {
  if (word == "auto") return ExecutorKind::kAuto;
  if (word == "host") return ExecutorKind::kHost;
  if (word == "container") return ExecutorKind::kContainer;
  if (word == "sandbox") return ExecutorKind::kSandbox;
  if (word == "kubernetes") return ExecutorKind::kKubernetes;
  return std::nullopt;
}

Placing::Placing(Options options, std::function<void()> on_ready)
    : options_(std::move(options)), images_(options_.home, options_.layouts, std::move(on_ready)) {
  if (options_.kind != ExecutorKind::kAuto && options_.kind != ExecutorKind::kContainer) return;
  if (!may_run_containers()) return;
  runtime_ = find_runtime({"crun", "runc"});
  with_limits_ = is_unified() ? runtime_ : find_runtime({"runc"});
  with_limits_.sets_limits = true;
}

bool Placing::is_in_image(const std::string& image) const {
  switch (options_.kind) {
    case ExecutorKind::kHost:
      return false;
    case ExecutorKind::kContainer:
    case ExecutorKind::kSandbox:
    case ExecutorKind::kKubernetes:
      return true;
    case ExecutorKind::kAuto:
      return !runtime_.path.empty() && !image.empty() && images_.is_here(image);
  }
  return false;
}

Runtime Placing::runtime_for(const Task& task) const {
  if (options_.kind == ExecutorKind::kSandbox) return {};
  const bool has_limits = limits_of(main_container(task.template_body)).any();
  return has_limits && !with_limits_.path.empty() ? with_limits_ : runtime_;
}

Place Placing::place(const Task& task) {
  const value::Value& container = main_container(task.template_body);
  const std::string image(container["image"].string_or(""));
  Place place;
  const bool is_auto = options_.kind == ExecutorKind::kAuto;
  if ((is_auto && is_refused_) || !is_in_image(image)) {
    tell_place(image, place);
    return place;
  }
  const bool is_sandbox = options_.kind == ExecutorKind::kSandbox;
  if (!is_sandbox && runtime_.path.empty()) {
    place.kind = Place::Kind::kNowhere;
    place.problem = may_run_containers()
                        ? "no container runtime here: install runc or crun, or use --executor "
                          "sandbox"
                        : "containers need root here; use --executor sandbox";
    return place;
  }
  // `auto` has promised nothing: it takes what is here.
  const PullPolicy policy = is_auto ? PullPolicy::kNever : pull_policy(container);
  const auto found = images_.find(image, policy);
  if (!found) {
    place.kind = Place::Kind::kLater;
    return place;
  }
  if (!*found) {
    place.kind = Place::Kind::kNowhere;
    place.problem = found->error().message;
    return place;
  }
  place.kind = Place::Kind::kImage;
  place.image = **found;
  place.runtime = runtime_for(task);
  tell_place(image, place);
  tell_ignored(task, is_sandbox);
  return place;
}

bool Placing::on_refused() {
  if (options_.kind != ExecutorKind::kAuto) return false;
  is_refused_ = true;
  say_once(
      "no containers here, as namespaces or mounts are refused: steps run as processes of "
      "this machine");
  return true;
}

void Placing::say_once(const std::string& what) {
  if (said_.insert(what).second && options_.warn) options_.warn(what);
}

void Placing::tell_place(const std::string& image, const Place& place) {
  if (image.empty()) return;
  if (place.kind == Place::Kind::kImage) {
    has_taken_image_ = true;
    say_once(
        place.runtime.path.empty()
            ? fmt::format("image '{}': steps run in sandboxes, which are no border for "
                          "security",
                          image)
            : fmt::format("image '{}': steps run in containers of {}", image, place.runtime.name));
  } else if (has_taken_image_) {
    say_once(fmt::format("image '{}' is not here: steps run as processes of this machine", image));
  } else {
    say_once("images are ignored: steps run as processes of this machine, with its programs");
  }
}

void Placing::tell_ignored(const Task& task, bool is_sandbox) {
  if (security_of(task, "privileged").bool_or(false)) {
    say_once("securityContext.privileged is ignored: no step gets the machine's devices");
  }
  const bool has_limits = limits_of(main_container(task.template_body)).any();
  if (has_limits && is_sandbox) say_once("resources.limits are ignored in a sandbox");
  if (has_limits && !is_sandbox && with_limits_.path.empty()) {
    say_once(
        "resources.limits are ignored: crun needs a machine with cgroup v2 alone; install "
        "runc");
  }
  if (is_sandbox && !security_of(task, "capabilities").is_null()) {
    say_once("securityContext.capabilities are ignored in a sandbox");
  }
}

}  // namespace tiphys::executor
