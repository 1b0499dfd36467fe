// How a resource template patches: once, also when the answer is lost or the engine is killed.
//
// An API server notes in an object who has set which of its fields, by the name that the request
// gives. A patch gives a name of its own, by which it is known to have been done.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kube/resource_run.h"
#include "spec/node_id.h"
#include "value/json.h"

namespace tiphys::kube {

using resource::Action;
using value::Value;

// A name that the template gives stays: then a patch is not known again.
void ResourceRun::mark_request() {
  const bool is_named = command_.field_manager != resource::Command().field_manager;
  if (command_.action != Action::kPatch || command_.is_dry || is_named) return;
  mark_ = fmt::format("tiphys-{}-{:08x}", workflow_uid_of(task_), spec::fnv32a(task_.key));
  command_.field_manager = mark_;
}

bool ResourceRun::is_patching() const {
  return command_.action == Action::kPatch && asked_.request.method == "PATCH" && !mark_.empty();
}

ResourceStep ResourceRun::patch(const std::string& query) {
  patch_ = {.method = "PATCH",
            .path = path_ + query,
            .body = command_.patch,
            .type = command_.patch_type,
            .is_sent_once = true};
  return task_.is_recovery && !mark_.empty() ? find_mark() : ask(patch_, &ResourceRun::acted);
}

ResourceStep ResourceRun::ask_within_try(Request request, Next next) {
  const int tries = tries_;
  (void)ask(std::move(request), next);
  tries_ = tries;
  return asked_;
}

ResourceStep ResourceRun::find_mark() {
  return ask_within_try({.path = path_}, &ResourceRun::mark_sought);
}

// Without the right to look, or where a server keeps no such notes, it is sent again.
ResourceStep ResourceRun::mark_sought(const Answer& answer) {
  if (answer.is_passing()) return refused(answer);
  const auto object = value::parse_json(answer.ok() ? answer.body : "");
  if (object) {
    const value::List& notes = (*object)["metadata"]["managedFields"].list();
    const bool is_done = std::ranges::any_of(
        notes, [this](const Value& note) { return note["manager"].string_or("") == mark_; });
    if (is_done) return take_object(answer);
  }
  return ask_within_try(patch_, &ResourceRun::acted);
}

}  // namespace tiphys::kube
