#include "executor/artifacts.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "executor/artifact_transfer.h"
#include "executor/content_blobs.h"
#include "executor/content_store.h"
#include "executor/git_artifact.h"
#include "executor/outputs.h"
#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/s3_artifact.h"
#include "executor/s3_location.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

constexpr const char* kStores[] = {"s3", "gcs", "oss", "azure"};
constexpr const char* kDefaultBucket = "default";

std::string key_of(const value::Value& store) {
  const std::string_view key = store["key"].string_or("");
  return std::string(key.empty() ? store["blob"].string_or("") : key);
}

std::string bucket_of(const value::Value& store) {
  for (const char* name : {"bucket", "container"}) {
    const std::string_view bucket = store[name].string_or("");
    if (!bucket.empty()) return std::string(bucket);
  }
  return kDefaultBucket;
}

bool is_archived(const value::Value& artifact) {
  return artifact["archive"]["none"].is_null() && artifact["archive"]["zip"].is_null();
}

std::string file_name_of(const value::Value& artifact) {
  if (!artifact["archive"]["none"].is_null()) {
    const std::string path = clean_path(artifact["path"].string_or("/"));
    return path.substr(path.rfind('/') + 1);
  }
  const char* const ending = artifact["archive"]["zip"].is_null() ? "tgz" : "zip";
  return fmt::format("{}.{}", artifact["name"].string_or(""), ending);
}

// The folder of a location's bucket as seen from the repository; "" when no bucket is named so.
std::string bucket_folder(const value::Value& store) {
  std::string folder = clean_path("/" + bucket_of(store));
  const bool is_bucket = folder != "/" && !is_below(folder, fmt::format("/{}", kContentFolder));
  return is_bucket ? folder : "";
}

std::unexpected<diag::Error> not_here() {
  return diag::fail(diag::Code::kInvalidManifest, "its location is not of this machine");
}

diag::Result<void> load_one(const value::Value& artifact, const std::string& place,
                            const TransferSettings& settings, const std::string& root) {
  if (const value::Value& raw = artifact["raw"]; raw.is_map()) {
    return write_file(place, raw["data"].string_or(""));
  }
  if (artifact["http"].is_map()) return fetch_artifact(artifact, place, settings);
  if (artifact["git"].is_map()) return fetch_git(artifact, place, settings);
  if (is_on_server(artifact["s3"])) return fetch_s3(artifact, place, settings);
  std::string path = artifact_path(artifact, root);
  const std::string part = clean_path("/" + std::string(artifact["subPath"].string_or("")));
  if (!path.empty() && part != "/" && !path.ends_with(part)) path += part;
  if (path.empty()) return not_here();
  struct stat st = {};
  if (::lstat(path.c_str(), &st) != 0) {
    return diag::fail(diag::Code::kNotFound, "The specified key does not exist.");
  }
  return copy_content(path, place);
}

diag::Result<void> put_here(const value::Value& artifact, const std::string& path,
                            const std::string& root) {
  const std::string place = artifact_path(artifact, root);
  if (place.empty()) return not_here();
  return put_content(root, path, place);
}

bool has_location(const value::Value& artifact) {
  if (!artifact["http"]["url"].string_or("").empty()) return true;
  for (const char* kind : {"raw", "local", "git", "artifactory", "hdfs", "plugin"}) {
    if (artifact[kind].is_map()) return true;
  }
  return !artifact_path(artifact, "/").empty();
}

void set_mode(const value::Value& artifact, const std::string& place) {
  if (!artifact["mode"].is_int()) return;
  const auto mode = static_cast<mode_t>(artifact["mode"].as_int());
  std::error_code error;
  if (artifact["recurseMode"].bool_or(false)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place, error)) {
      ::chmod(entry.path().c_str(), mode);
    }
  }
  ::chmod(place.c_str(), mode);
}

}  // namespace

value::Value with_location(const value::Value& artifact, const Task& task) {
  for (const char* store : kStores) {
    if (!key_of(artifact[store]).empty()) return artifact;
  }
  if (artifact["http"].is_map()) return artifact;
  value::Map located = artifact.map();
  std::string kind = "s3";
  std::string prefix = fmt::format("{}/{}", task.workflow, task.pod_name);
  value::Map location;
  for (const char* store : kStores) {
    const value::Value& archive = task.template_body["archiveLocation"][store];
    if (!archive.is_map()) continue;
    kind = store;
    location = archive.map();
    if (!key_of(archive).empty()) prefix = key_of(archive);
  }
  location.set(kind == "azure" ? "blob" : "key", prefix + "/" + file_name_of(artifact));
  located.set(kind, std::move(location));
  return located;
}

std::string bucket_path(const value::Value& artifact, const std::string& root) {
  for (const char* name : kStores) {
    if (!artifact[name].is_map()) continue;
    const std::string folder = bucket_folder(artifact[name]);
    return folder.empty() ? "" : root + folder;
  }
  return {};
}

std::string artifact_key(const value::Value& artifact) {
  for (const char* name : kStores) {
    if (artifact[name].is_map()) return key_of(artifact[name]);
  }
  return {};
}

std::string artifact_path(const value::Value& artifact, const std::string& root) {
  if (const value::Value& local = artifact["local"]; local.is_map()) {
    return std::string(local["path"].string_or(""));
  }
  for (const char* name : kStores) {
    const std::string key = key_of(artifact[name]);
    if (key.empty()) continue;
    const std::string folder = bucket_folder(artifact[name]);
    return folder.empty() ? "" : root + folder + clean_path("/" + key);
  }
  return {};
}

diag::Result<void> load_input_artifacts(const Task& task, const View& view, const Lookup& lookup,
                                        const std::string& root) {
  const TransferSettings settings = {lookup, task.name_space, task.work_path};
  for (const value::Value& artifact : task.template_body["inputs"]["artifacts"].list()) {
    const std::string_view name = artifact["name"].string_or("");
    const bool is_optional = artifact["optional"].bool_or(false);
    const auto refuse = [name](std::string_view what) {
      return diag::fail(diag::Code::kIo, fmt::format("init: Error (exit code 64): {}",
                                                     fmt::format(fmt::runtime(what), name)));
    };
    if (!has_location(artifact)) {
      if (is_optional) continue;
      return refuse("required artifact '{}' not supplied");
    }
    TRY(const std::string place, view.place_for(artifact["path"].string_or("/")));
    auto loaded = load_one(artifact, place, settings, root);
    if (!loaded) {
      if (is_optional && loaded.error().code == diag::Code::kNotFound) continue;
      return diag::fail(diag::Code::kIo,
                        fmt::format("init: Error (exit code 64): artifact {} failed to load: {}",
                                    name, loaded.error().message));
    }
    set_mode(artifact, place);
  }
  return {};
}

std::string save_output_artifacts(const Task& task, const View& view, const Lookup& lookup,
                                  const std::string& root, value::List& saved) {
  const TransferSettings settings = {lookup, task.name_space, task.work_path};
  std::string problems;
  for (const value::Value& artifact : task.template_body["outputs"]["artifacts"].list()) {
    const std::string path(artifact["path"].string_or(""));
    if (path.empty()) continue;
    const std::string real = output_place(task, view, path);
    struct stat st = {};
    if (real.empty() || ::lstat(real.c_str(), &st) != 0) {
      if (artifact["optional"].bool_or(false)) continue;
      const std::string clean = clean_path(path);
      problems += view.is_on_volume(clean)
                      ? fmt::format("stat /mainctrfs{}: no such file or directory; ", clean)
                      : fmt::format(
                            "open /var/run/argo/outputs/artifacts{}.tgz: no such file or "
                            "directory; ",
                            clean);
      continue;
    }
    value::Value located = with_location(artifact, task);
    diag::Result<void> done = view.complete(path);
    if (!done) {
      problems += done.error().message + "; ";
      continue;
    }
    if (located["http"].is_map()) {
      done = send_artifact(located, real, is_archived(artifact), settings);
    } else if (is_on_server(located["s3"])) {
      done = send_s3(located, real, settings);
    } else {
      done = put_here(located, real, root);
    }
    if (done) {
      saved.push_back(std::move(located));
    } else {
      problems += done.error().message + "; ";
    }
  }
  return problems;
}

diag::Result<void> remove_artifact(const value::Value& artifact, const std::string& name_space,
                                   const Lookup& lookup, const std::string& root) {
  namespace fs = std::filesystem;
  if (is_on_server(artifact["s3"])) return remove_from_s3(artifact, {lookup, name_space, ""});
  const std::string bucket = bucket_path(artifact, root);
  if (bucket.empty() || artifact_key(artifact).empty()) {
    return diag::fail(diag::Code::kIo,
                      "delete not supported for this artifact storage, please check the following "
                      "issue for details: https://github.com/argoproj/argo-workflows/issues/3102");
  }
  fs::path path = artifact_path(artifact, root);
  if (auto removed = remove_content(root, path); !removed) {
    return diag::fail(diag::Code::kIo, fmt::format("remove {}: {}", artifact_key(artifact),
                                                   removed.error().message));
  }
  // Folders of keys exist only as long as something is in them, as in a bucket.
  for (path = path.parent_path(); path.native().size() > bucket.size(); path = path.parent_path()) {
    if (::rmdir(path.c_str()) != 0) break;
  }
  return {};
}

value::Value save_log_artifact(const Task& task, const Lookup& lookup, const std::string& root) {
  const value::Value artifact =
      with_location(value::Map{{"name", task.container + "-logs"},
                               {"path", fmt::format("/{}.log", task.container)},
                               {"archive", value::Map{{"none", value::Map()}}}},
                    task);
  value::Map reported = artifact.map();
  reported.erase("path");
  reported.erase("archive");
  auto log = read_file(task.log_path);
  std::string text;
  for (std::string_view rest = log ? std::string_view(*log) : ""; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos) text.append(line.substr(blank + 1)).append("\n");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (is_on_server(artifact["s3"])) {
    const std::string file = task.work_path + "/log-artifact";
    if (make_folders(task.work_path) && write_file(file, text)) {
      (void)send_s3(artifact, file, {lookup, task.name_space, task.work_path});
    }
    ::unlink(file.c_str());
    return reported;
  }
  // Argo, too, goes on without the log.
  (void)put_content_text(root, text, artifact_path(reported, root));
  return reported;
}

}  // namespace tiphys::executor
