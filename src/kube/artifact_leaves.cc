#include "kube/artifact_leaves.h"

#include "executor/archive_files.h"
#include "executor/artifacts.h"
#include "executor/path_words.h"
#include "executor/s3_artifact.h"
#include "executor/s3_location.h"

namespace tiphys::kube {
namespace {

using value::Value;

constexpr std::size_t kFilesMax = 1000;  // of a folder: an address takes half a KiB

PodTransfer transfer_of(const Value& artifact, executor::S3Leave leave) {
  step::Transfer transfer{.artifact = std::string(artifact["name"].string_or("")),
                          .path = std::string(artifact["path"].string_or("")),
                          .url = std::move(leave.url),
                          .headers = std::move(leave.headers)};
  if (transfer.path.starts_with('/')) transfer.path = executor::clean_path(transfer.path);
  transfer.is_archive = executor::archive_of(artifact) == executor::Archive::kTar;
  transfer.level = static_cast<int>(artifact["archive"]["tar"]["compressionLevel"].int_or(0));
  return {.transfer = std::move(transfer), .certificates = std::move(leave.certificates)};
}

bool can_go_alone(const Value& artifact) {
  const std::string_view path = artifact["path"].string_or("");
  return executor::is_on_server(artifact["s3"]) && !path.empty() &&
         path.find('\n') == std::string_view::npos &&
         executor::archive_of(artifact) != executor::Archive::kZip;
}

}  // namespace

std::vector<PodTransfer> transfers_of_input(const executor::Task& task, const Value& artifact,
                                            std::int64_t small, const executor::Lookup& lookup) {
  std::vector<PodTransfer> transfers;
  if (!can_go_alone(artifact)) return transfers;
  auto leaves = executor::leaves_to_fetch(artifact, {lookup, task.name_space, task.work_path});
  if (!leaves || leaves->size() > kFilesMax) return transfers;
  std::int64_t all = 0;
  for (executor::S3Leave& leave : *leaves) {
    all += leave.size;
    const std::string below = leave.below;
    PodTransfer one = transfer_of(artifact, std::move(leave));
    one.transfer.path = executor::clean_path(one.transfer.path) + below;
    one.transfer.is_archive = one.transfer.is_archive && below.empty();
    if (artifact["mode"].is_int()) {
      one.transfer.mode = static_cast<int>(artifact["mode"].as_int());
      one.transfer.is_mode_for_all = artifact["recurseMode"].bool_or(false);
    }
    transfers.push_back(std::move(one));
  }
  if (all <= small) transfers.clear();
  return transfers;
}

std::vector<PodTransfer> transfers_of_outputs(const executor::Task& task,
                                              const executor::Lookup& lookup) {
  std::vector<PodTransfer> transfers;
  for (const Value& artifact : task.template_body["outputs"]["artifacts"].list()) {
    const Value located = executor::with_location(artifact, task);
    if (!can_go_alone(located)) continue;
    auto leave = executor::leave_to_send(located, {lookup, task.name_space, task.work_path});
    if (leave) transfers.push_back(transfer_of(located, std::move(*leave)));
  }
  return transfers;
}

}  // namespace tiphys::kube
