// How a resource template deletes: everything that is meant, and until it is gone.
#include <algorithm>

#include <fmt/format.h>

#include "kube/resource_run.h"
#include "kube/resource_texts.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using value::Value;

constexpr clock::Duration kLookFirst = clock::Duration::milliseconds(100);
constexpr clock::Duration kLookAtLast = clock::Duration::seconds(2);

}  // namespace

ResourceStep ResourceRun::list_doomed() {
  const Found& what = found_.front();
  if (!what.target.title().empty()) return delete_next();
  if (command_.selector.empty() && !command_.is_all) {
    return failed(resource::kubectl_error("error: resource name may not be empty"));
  }
  std::string path = what.type.path(what.name_space);
  if (!command_.selector.empty()) path += "?labelSelector=" + net::uri_encoded(command_.selector);
  return ask({.path = std::move(path)}, &ResourceRun::listed);
}

ResourceStep ResourceRun::listed(const Answer& answer) {
  auto list = answer.ok() ? value::parse_json(answer.body)
                          : diag::Result<Value>(diag::fail(diag::Code::kIo, ""));
  if (!list) return refused(answer);
  const Found pattern = found_.front();
  std::vector<Found> all;
  for (const Value& item : (*list)["items"].list()) {
    Found one = pattern;
    one.target = {.name = std::string(item["metadata"]["name"].string_or(""))};
    all.push_back(std::move(one));
  }
  if (all.empty()) {
    lines_.emplace_back("No resources found");
    return succeeded();
  }
  found_ = std::move(all);
  return delete_next();
}

ResourceStep ResourceRun::delete_next() {
  const Found& what = found_[at_];
  path_ = what.type.path(what.name_space, net::uri_encoded(what.target.title()));
  value::Map options{
      {"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", command_.propagation}};
  if (command_.grace_seconds) options.set("gracePeriodSeconds", *command_.grace_seconds);
  return ask({.method = "DELETE",
              .path = path_ + (command_.is_dry ? "?dryRun=All" : ""),
              .body = value::to_json(options)},
             &ResourceRun::deleted);
}

ResourceStep ResourceRun::deleted(const Answer& answer) {
  if (!answer.ok() && !(answer.status == 404 && command_.is_missing_fine)) return refused(answer);
  const Found& what = found_[at_];
  if (answer.ok()) {
    lines_.push_back(fmt::format("{} \"{}\" deleted", what.type.title(), what.target.title()));
    if (command_.waits && !command_.is_dry) {
      // The object itself is the answer when something has still to be done before it goes.
      const auto object = value::parse_json(answer.body);
      doomed_uid_ = object ? std::string((*object)["metadata"]["uid"].string_or("")) : "";
      if (object && doomed_uid_.empty()) {
        doomed_uid_ = (*object)["details"]["uid"].string_or("");
      }
      is_patient_ = true;
      look_pause_ = {};
      return await_gone();
    }
  }
  return go_on_deleting();
}

ResourceStep ResourceRun::go_on_deleting() {
  is_patient_ = false;
  if (++at_ < found_.size()) return delete_next();
  at_ = 0;
  return succeeded();
}

ResourceStep ResourceRun::await_gone() { return ask({.path = path_}, &ResourceRun::is_gone); }

ResourceStep ResourceRun::is_gone(const Answer& answer) {
  const auto object = value::parse_json(answer.ok() ? answer.body : "");
  const bool is_there =
      object && !doomed_uid_.empty() && (*object)["metadata"]["uid"].string_or("") == doomed_uid_;
  if (is_there) {
    look_pause_ = std::clamp(clock::Duration{look_pause_.ns * 2}, kLookFirst, kLookAtLast);
    return rest(look_pause_, &ResourceRun::await_gone);
  }
  return go_on_deleting();
}

}  // namespace tiphys::kube
