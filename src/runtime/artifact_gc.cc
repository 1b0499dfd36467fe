#include "runtime/artifact_gc.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <vector>

#include "engine/artifact_gc.h"
#include "executor/artifacts.h"
#include "observe/log.h"
#include "runtime/clocks.h"
#include "runtime/ownership.h"
#include "runtime/workflow_run.h"
#include "store/open.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

using value::List;
using value::Map;
using value::Value;

// Of `artifacts`, the places on this machine that outputs of other workflows name.
diag::Result<std::set<std::string>> places_in_use(store::Store& store, const Garbage& garbage,
                                                  const std::string& root) {
  std::set<std::string> own;
  for (const Value& g : garbage.artifacts) own.insert(executor::artifact_path(g["artifact"], root));
  std::set<std::string> used;
  TRY_VOID(store.each_record_with("\"artifacts\"", garbage.uid, [&](const std::string& record) {
    auto node = value::parse_json(record);
    if (!node) return;
    for (const char* outputs : {"o", "outputs"}) {  // of this version and of version 3
      for (const Value& artifact : (*node)[outputs]["artifacts"].list()) {
        if (artifact["deleted"].bool_or(false)) continue;
        std::string place = executor::artifact_path(artifact, root);
        if (own.contains(place)) used.insert(std::move(place));
      }
    }
  }));
  return used;
}

// After the store has forgotten the workflow; the supervisor may be removing work folders in there
// at the same time: then another look.
diag::Result<void> remove_folder(const std::string& path) {
  constexpr int kLooks = 10;
  std::error_code error;
  for (int look = 0; look < kLooks; ++look) {
    std::filesystem::remove_all(path, error);
    if (error != std::errc::no_such_file_or_directory && error != std::errc::directory_not_empty) {
      break;
    }
  }
  if (!error) return {};
  return diag::fail(diag::Code::kIo, fmt::format("cannot remove '{}': {}", path, error.message()));
}

std::string first_error(const Value& results) {
  for (const Value& result : results.list()) {
    if (result["error"].is_string()) return result["error"].as_string();
  }
  return {};
}

}  // namespace

engine::ArtifactsCollected remove_garbage(store::Store& store, const Config& config,
                                          const executor::Lookup& lookup, const Garbage& garbage) {
  const std::string root = config.home + "/artifacts";
  const auto used = places_in_use(store, garbage, root);
  List results;
  for (const Value& g : garbage.artifacts) {
    const Value& artifact = g["artifact"];
    Map result{{"node", g["node"]}, {"name", artifact["name"]}};
    auto done = used ? diag::Result<void>() : std::unexpected(used.error());
    if (used && !used->contains(executor::artifact_path(artifact, root))) {
      done = executor::remove_artifact(artifact, garbage.name_space, lookup, root);
    }
    if (!done) result.set("error", done.error().message);
    results.emplace_back(std::move(result));
  }
  return {.run = garbage.run, .strategy = garbage.strategy, .results = std::move(results)};
}

bool has_artifact_finalizer(const Value& metadata) {
  for (const Value& finalizer : metadata["finalizers"].list()) {
    if (finalizer.string_or("") == engine::kArtifactFinalizer) return true;
  }
  return false;
}

diag::Result<void> delete_workflow(store::Store& store, const Config& config,
                                   const std::string& uid) {
  TRY(const auto pending, store.load_deliveries({.uid = uid, .state = "pending"}));
  TRY_VOID(store.delete_workflow(uid));
  if (pending.empty()) return remove_folder(config.run_path(uid));
  // Whoever sends them has the lock, or will take it: it stays until they are done with
  // (custody.h).
  std::error_code error;
  std::vector<std::filesystem::path> rest;
  for (const auto& entry : std::filesystem::directory_iterator(config.run_path(uid), error)) {
    if (entry.path().filename() != kLockName) rest.push_back(entry.path());
  }
  for (const auto& path : rest) TRY_VOID(remove_folder(path));
  return {};
}

diag::Result<void> delete_with_artifacts(store::Store& store, const Config& config,
                                         const executor::Lookup& lookup, const std::string& uid,
                                         bool is_forced) {
  TRY(Ownership lock, Ownership::take(config, store, uid));
  TRY(WorkflowRun run, WorkflowRun::load(store, uid, std::move(lock)));
  const Value metadata = run.engine().metadata();
  std::string problem;
  for (const std::string_view strategy : {engine::kOnCompletion, engine::kOnDeletion}) {
    List artifacts = run.engine().garbage(strategy);
    if (artifacts.empty()) continue;
    engine::ArtifactsCollected done =
        remove_garbage(store, config, lookup,
                       {.uid = uid,
                        .name_space = std::string(metadata["namespace"].string_or("")),
                        .run = run.engine().run(),
                        .strategy = std::string(strategy),
                        .artifacts = std::move(artifacts)});
    if (problem.empty()) problem = first_error(done.results);
    run.apply({.at = wall_now(), .body = std::move(done)});
  }
  is_forced |= run.engine().spec()["artifactGC"]["forceFinalizerRemoval"].bool_or(false);
  if (problem.empty() || is_forced) return delete_workflow(store, config, uid);
  store::Batch batch;
  run.collect(batch, wall_now());
  TRY_VOID(store.commit(batch));
  return diag::fail(
      diag::Code::kIo,
      fmt::format("workflow '{}' is not deleted, since its artifactGC has failed: {}; with --force "
                  "it is deleted, and its artifacts stay",
                  metadata["name"].string_or(""), problem));
}

ArtifactGc::ArtifactGc(const Config& config, Inbox& inbox, executor::Lookup lookup)
    : config_(config), inbox_(inbox), lookup_(std::move(lookup)) {}

ArtifactGc::~ArtifactGc() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ArtifactGc::order(Order order) {
  const std::lock_guard lock(mutex_);
  orders_.push_back(std::move(order));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
}

void ArtifactGc::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return is_stopping_ || !orders_.empty(); });
    if (is_stopping_) return;
    const Order order = std::move(orders_.front());
    orders_.erase(orders_.begin());
    lock.unlock();
    carry_out(order);
  }
}

void ArtifactGc::carry_out(const Order& order) {
  auto store = store::open(config_.store_address());
  if (const auto* garbage = std::get_if<Garbage>(&order)) {
    Collected done{.uid = garbage->uid, .answer = {}};
    if (store) {
      done.answer = remove_garbage(**store, config_, lookup_, *garbage);
    } else {
      done.answer = {.run = garbage->run, .strategy = garbage->strategy, .results = List{}};
      for (const Value& g : garbage->artifacts) {
        List results = done.answer.results.list();
        results.emplace_back(Map{{"node", g["node"]},
                                 {"name", g["artifact"]["name"]},
                                 {"error", store.error().message}});
        done.answer.results = std::move(results);
      }
    }
    inbox_.post(std::move(done));
    return;
  }
  const auto& uid = std::get<std::string>(order);
  auto deleted = store ? delete_with_artifacts(**store, config_, lookup_, uid, false)
                       : std::unexpected(store.error());
  if (deleted || deleted.error().code == diag::Code::kNotFound) return;
  observe::log(observe::LogLevel::kError, "cannot be deleted",
               {{"uid", uid}, {"error", observe::without_urls(deleted.error().message)}});
  inbox_.post(Undeleted{.uid = uid});
}

}  // namespace tiphys::runtime
