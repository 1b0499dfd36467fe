#include "executor/volumes.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "executor/host_paths.h"
#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/step_log.h"
#include "spec/named.h"

namespace tiphys::executor {
namespace {

using Entries = Lookup::Entries;

diag::Result<void> make_folder(const std::string& path) {
  if (make_folders(path)) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", path, std::strerror(errno)));
}

const value::Value& find_volume(const Task& task, std::string_view name) {
  static const value::Value kNone;
  for (const value::Value* list : {&task.template_body["volumes"], &task.volumes}) {
    if (const value::Value& volume = spec::named(*list, name); !volume.is_null()) return volume;
  }
  return kNone;
}

// The files of a configMap or secret volume: all keys, or those of `items` under their paths.
diag::Result<void> write_object(const value::Value& source, bool is_secret, const Task& task,
                                const Lookup& lookup, const std::string& folder) {
  TRY_VOID(make_folder(folder));
  std::string name(source["secretName"].string_or(""));
  if (name.empty()) name = source["name"].string_or("");
  const auto& find = is_secret ? lookup.secret_entries : lookup.config_map_entries;
  const char* const kind = is_secret ? "secret" : "configmap";
  if (!find) return diag::fail(diag::Code::kNotFound, fmt::format("no {}s here", kind));
  auto entries = find(task.name_space, name);
  if (!entries) {
    if (source["optional"].bool_or(false)) return {};
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("MountVolume.SetUp failed: {} \"{}\" not found", kind, name));
  }
  const auto mode = static_cast<unsigned>(source["defaultMode"].int_or(0644));
  for (const auto& [key, text] : *entries) {
    std::string path = key;
    bool is_wanted = source["items"].list().empty();
    for (const value::Value& item : source["items"].list()) {
      if (item["key"].string_or("") != key) continue;
      path = item["path"].string_or(key);
      is_wanted = true;
    }
    if (!is_wanted) continue;
    const std::string place = folder + clean_path("/" + path);
    TRY_VOID(make_folder(parent_path(place)));
    TRY_VOID(write_file(place, text, mode));
  }
  return {};
}

diag::Result<std::string> host_path(const value::Value& host, std::string_view allowed) {
  TRY(std::string path, allowed_host_path(std::string(host["path"].string_or("/")), allowed));
  if (host["type"].string_or("").ends_with("OrCreate")) TRY_VOID(make_folder(path));
  return path;
}

diag::Result<std::string> make_volume(const std::string& name, const Task& task,
                                      const VolumeSettings& settings) {
  const Lookup& lookup = settings.lookup;
  const std::string& home = settings.home;
  const value::Value& volume = find_volume(task, name);
  const std::string own =
      (task.volumes_path.empty() ? task.work_path + "/volumes" : task.volumes_path) + "/" + name;
  if (volume.is_null()) {  // then it is one of volumeClaimTemplates
    const std::string uid = task.key.substr(0, task.key.find('.'));
    std::string folder = fmt::format("{}/runs/{}/volumes/{}", home, uid, name);
    TRY_VOID(make_folder(folder));
    return folder;
  }
  if (const value::Value& host = volume["hostPath"]; host.is_map()) {
    return host_path(host, settings.host_paths);
  }
  if (const value::Value& claim = volume["persistentVolumeClaim"]; claim.is_map()) {
    std::string folder =
        fmt::format("{}/claims/{}/{}", home, task.name_space, claim["claimName"].string_or(""));
    TRY_VOID(make_folder(folder));
    return folder;
  }
  if (volume["configMap"].is_map()) {
    TRY_VOID(write_object(volume["configMap"], false, task, lookup, own));
  } else if (volume["secret"].is_map()) {
    TRY_VOID(write_object(volume["secret"], true, task, lookup, own));
  } else if (volume["projected"].is_map()) {
    TRY_VOID(make_folder(own));
    for (const value::Value& source : volume["projected"]["sources"].list()) {
      if (source["configMap"].is_map()) {
        TRY_VOID(write_object(source["configMap"], false, task, lookup, own));
      } else if (source["secret"].is_map()) {
        TRY_VOID(write_object(source["secret"], true, task, lookup, own));
      }
    }
  } else if (volume["emptyDir"].is_map() || volume.map().size() == 1 ||
             volume["downwardAPI"].is_map() || volume["ephemeral"].is_map()) {
    TRY_VOID(make_folder(own));
  } else {
    return diag::fail(
        diag::Code::kInvalidManifest,
        fmt::format("volume '{}' is of a kind that steps on this machine cannot have", name));
  }
  return own;
}

}  // namespace

diag::Result<std::vector<Placement>> place_volumes(const Task& task, const value::Value& container,
                                                   const Environment& environment,
                                                   const VolumeSettings& settings) {
  std::vector<Placement> places;
  for (const value::Value& mount : container["volumeMounts"].list()) {
    const std::string name(mount["name"].string_or(""));
    TRY(std::string source, make_volume(name, task, settings));
    std::string sub(mount["subPath"].string_or(""));
    if (sub.empty()) sub = environment.expand(mount["subPathExpr"].string_or(""));
    if (!sub.empty()) {
      TRY(source, path_inside(source, clean_path("/" + sub)));
      const auto is_there = read_file(source);
      if (!is_there && is_there.error().code == diag::Code::kNotFound)
        TRY_VOID(make_folder(source));
    }
    const value::Value& claim = find_volume(task, name)["persistentVolumeClaim"];
    places.push_back(
        {.path = clean_path(mount["mountPath"].string_or("/")),
         .source = std::move(source),
         .is_read_only = mount["readOnly"].bool_or(false) || claim["readOnly"].bool_or(false)});
  }
  return places;
}

}  // namespace tiphys::executor
