#include "executor/volumes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "executor/host_paths.h"
#include "executor/path_words.h"
#include "executor/pod_fields.h"
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

constexpr std::int64_t kModeDefault = 0644;

// With exactly this mode, whatever the umask and an earlier attempt say.
diag::Result<void> write_item(const std::string& folder, std::string_view path,
                              std::string_view text, std::int64_t mode) {
  const std::string place = folder + clean_path("/" + std::string(path));
  TRY_VOID(make_folder(parent_path(place)));
  ::unlink(place.c_str());
  TRY_VOID(write_file(place, text, static_cast<unsigned>(mode)));
  if (::chmod(place.c_str(), static_cast<mode_t>(mode)) == 0) return {};
  return diag::fail(diag::Code::kIo, fmt::format("chmod {}: {}", place, std::strerror(errno)));
}

// The fields of a downwardAPI volume that are known here.
diag::Result<void> write_fields(const value::Value& source, const Task& task, std::int64_t mode,
                                const std::string& folder) {
  TRY_VOID(make_folder(folder));
  for (const value::Value& item : source["items"].list()) {
    if (!item["fieldRef"].is_map()) continue;
    const std::string text = pod_field(task, item["fieldRef"]["fieldPath"].string_or(""));
    TRY_VOID(write_item(folder, item["path"].string_or(""), text, item["mode"].int_or(mode)));
  }
  return {};
}

// The files of a configMap or secret volume: all keys, or those of `items` under their paths.
diag::Result<void> write_object(const value::Value& source, bool is_secret, const Task& task,
                                const Lookup& lookup, std::int64_t default_mode,
                                const std::string& folder) {
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
  for (const auto& [key, text] : *entries) {
    std::string path = key;
    std::int64_t mode = default_mode;
    bool is_wanted = source["items"].list().empty();
    for (const value::Value& item : source["items"].list()) {
      if (item["key"].string_or("") != key) continue;
      path = item["path"].string_or(key);
      mode = item["mode"].int_or(default_mode);
      is_wanted = true;
    }
    if (!is_wanted) continue;
    TRY_VOID(write_item(folder, path, text, mode));
  }
  return {};
}

// The files of a volume of such a kind.
diag::Result<void> write_files(const value::Value& volume, const Task& task, const Lookup& lookup,
                               const std::string& folder) {
  TRY_VOID(make_folder(folder));
  const auto write = [&](const value::Value& source, std::int64_t mode) -> diag::Result<void> {
    if (source["configMap"].is_map()) {
      return write_object(source["configMap"], false, task, lookup,
                          source["configMap"]["defaultMode"].int_or(mode), folder);
    }
    if (source["secret"].is_map()) {
      return write_object(source["secret"], true, task, lookup,
                          source["secret"]["defaultMode"].int_or(mode), folder);
    }
    const value::Value& fields = source["downwardAPI"];
    if (!fields.is_map()) return {};
    return write_fields(fields, task, fields["defaultMode"].int_or(mode), folder);
  };
  const value::Value& projected = volume["projected"];
  if (!projected.is_map()) return write(volume, kModeDefault);
  for (const value::Value& source : projected["sources"].list()) {
    TRY_VOID(write(source, projected["defaultMode"].int_or(kModeDefault)));
  }
  return {};
}

diag::Result<std::string> host_path(const value::Value& host, std::string_view allowed,
                                    std::string& trusted) {
  TRY(std::string path, allowed_host_path(std::string(host["path"].string_or("/")), allowed));
  trusted = allowing_folder(path, allowed);
  if (host["type"].string_or("").ends_with("OrCreate")) TRY_VOID(make_folder(path));
  return path;
}

// `trusted`: what the path begins with and steps cannot change; "" when that is all of it.
diag::Result<std::string> make_volume(const std::string& name, const Task& task,
                                      const VolumeSettings& settings, std::string& trusted) {
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
    return host_path(host, settings.host_paths, trusted);
  }
  if (const value::Value& claim = volume["persistentVolumeClaim"]; claim.is_map()) {
    std::string folder =
        fmt::format("{}/claims/{}/{}", home, task.name_space, claim["claimName"].string_or(""));
    TRY_VOID(make_folder(folder));
    return folder;
  }
  if (volume["configMap"].is_map() || volume["secret"].is_map() || volume["projected"].is_map() ||
      volume["downwardAPI"].is_map()) {
    TRY_VOID(write_files(volume, task, lookup, own));
  } else if (volume["emptyDir"].is_map() || volume.map().size() == 1 ||
             volume["ephemeral"].is_map()) {
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
    std::string trusted;
    TRY(std::string source, make_volume(name, task, settings, trusted));
    std::string sub(mount["subPath"].string_or(""));
    if (sub.empty()) sub = environment.expand(mount["subPathExpr"].string_or(""));
    if (!sub.empty()) {
      if (trusted.empty()) trusted = source;
      TRY(source, path_inside(source, clean_path("/" + sub)));
      const auto is_there = read_file(source);
      if (!is_there && is_there.error().code == diag::Code::kNotFound)
        TRY_VOID(make_folder(source));
    }
    const value::Value& claim = find_volume(task, name)["persistentVolumeClaim"];
    places.push_back(
        {.path = clean_path(mount["mountPath"].string_or("/")),
         .source = std::move(source),
         .is_read_only = mount["readOnly"].bool_or(false) || claim["readOnly"].bool_or(false),
         .trusted = std::move(trusted)});
  }
  return places;
}

}  // namespace tiphys::executor
