#include "executor/data_template.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/s3_artifact.h"
#include "executor/s3_location.h"
#include "expr/program.h"
#include "value/json.h"
#include "vars/scope.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;
using value::List;
using value::Map;
using value::Value;

constexpr int kExecutorFailed = 64;

// All keys of a bucket that begin with `prefix`, in the order of an object store.
List keys_in(const std::string& bucket, const std::string& prefix) {
  std::vector<std::string> keys;
  std::error_code error;
  for (fs::recursive_directory_iterator it(bucket, error), end; !error && it != end;
       it.increment(error)) {
    if (it->is_directory(error)) continue;
    std::string key = it->path().string().substr(bucket.size() + 1);
    if (key.starts_with(prefix)) keys.push_back(std::move(key));
  }
  std::ranges::sort(keys);
  return {keys.begin(), keys.end()};
}

diag::Result<Value> transformed(Value data, const Value& steps) {
  std::size_t i = 0;
  for (const Value& step : steps.list()) {
    const std::string source(step["expression"].string_or(""));
    if (!source.empty()) {
      vars::MapScope scope;
      scope.set("data", data);
      auto program = expr::Program::parse(source);
      auto result =
          program ? program->run(scope) : diag::Result<Value>(std::unexpected(program.error()));
      if (!result) {
        return diag::fail(diag::Code::kBadExpression,
                          fmt::format("unable to process data transformation: error processing "
                                      "data step {}: {}",
                                      i, result.error().message));
      }
      data = std::move(*result);
    }
    ++i;
  }
  return data;
}

diag::Result<Value> sourced(const Value& source, const Task& task, const Lookup& lookup,
                            const std::string& root) {
  const Value& paths = source["artifactPaths"];
  if (!paths.is_map()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "unable to process data source: no valid source is used for data template");
  }
  if (is_on_server(paths["s3"])) {
    auto keys = keys_in_s3(paths, {lookup, task.name_space, task.work_path});
    if (keys) return Value(List(keys->begin(), keys->end()));
    return diag::fail(
        keys.error().code,
        "unable to process data source: unable to source artifact paths: " + keys.error().message);
  }
  const std::string bucket = bucket_path(paths, root);
  if (bucket.empty()) {
    return diag::fail(diag::Code::kInvalidManifest,
                      "unable to process data source: unable to source artifact paths: its "
                      "location is not of this machine");
  }
  return Value(keys_in(bucket, artifact_key(paths)));
}

}  // namespace

Outcome run_data(const Task& task, const Lookup& lookup, const std::string& artifact_root,
                 clock::Instant now) {
  Outcome outcome;
  outcome.started_at = outcome.finished_at = now;
  const Value& data = task.template_body["data"];
  auto keys = sourced(data["source"], task, lookup, artifact_root);
  auto result = keys ? transformed(std::move(*keys), data["transformation"])
                     : diag::Result<Value>(std::unexpected(keys.error()));
  if (result) {
    outcome.exit_code = 0;
    outcome.outputs = Map{{"result", value::to_json(*result)}};
    return outcome;
  }
  outcome.phase = Outcome::Phase::kFailed;
  outcome.exit_code = kExecutorFailed;
  outcome.message = fmt::format("main: Error (exit code {}): unable to process data template: {}",
                                kExecutorFailed, result.error().message);
  return outcome;
}

}  // namespace tiphys::executor
