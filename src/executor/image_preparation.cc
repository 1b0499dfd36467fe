#include "executor/image_preparation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/cgroups.h"
#include "executor/image_user.h"
#include "executor/path_words.h"
#include "executor/progress_files.h"
#include "executor/runtime_config.h"
#include "executor/step_log.h"
#include "executor/volumes.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

using Kind = wire::Mount::Kind;

constexpr std::size_t kOptionsMax = 4095;  // of a mount: a page with its NUL
constexpr std::size_t kHostNameMax = 63;
constexpr std::size_t kWordSizeMax = 131071;
constexpr const char* kStaging = "/argo/staging";  // as in Argo's pods

diag::Result<void> make_folder(const std::string& path) {
  if (make_folders(path)) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", path, std::strerror(errno)));
}

// All that is decided about the step before it is written down in one of the two ways.
struct Step {
  Environment environment;
  std::vector<std::string> words;
  ContainerSpec spec;
  std::string host_name;
};

std::string host_name_of(const Task& task) {
  std::string name = task.pod_name.substr(0, kHostNameMax);
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name;
}

std::string working_folder_of(const value::Value& container, const ImageConfig& config) {
  std::string folder(container["workingDir"].string_or(""));
  if (folder.empty()) folder = config.working_folder;
  return clean_path("/" + folder);
}

// A pod's own volumes can be written by whatever user its containers have.
void open_to_all(const Placement& volume, const Task& task) {
  const std::string own =
      task.volumes_path.empty() ? task.work_path + "/volumes" : task.volumes_path;
  struct stat st = {};
  if (!is_below(volume.source, own) || ::stat(volume.source.c_str(), &st) != 0) return;
  if (S_ISDIR(st.st_mode)) (void)::chmod(volume.source.c_str(), 0777);
}

// A place to tell progress, unless the template has a volume of its own there.
diag::Result<void> add_progress(const Task& task, Environment& environment,
                                std::vector<Placement>& volumes) {
  const auto holds_it = [](const Placement& v) { return is_below(kProgressFolder, v.path); };
  if (std::ranges::any_of(volumes, holds_it)) return {};
  const std::string folder = progress_folder(task);
  TRY_VOID(make_folder(folder));
  (void)::chmod(folder.c_str(), 0777);  // whatever user the image has
  environment.set("ARGO_PROGRESS_FILE", fmt::format("{}/progress", kProgressFolder));
  volumes.push_back({.path = kProgressFolder, .source = folder});
  return {};
}

std::vector<VolumeMount> mounts_of(const View& view) {
  std::vector<VolumeMount> mounts;
  for (const Placement& volume : view.volumes()) {
    mounts.insert(mounts.begin(),
                  {volume.path, volume.source, volume.is_read_only, volume.trusted});
  }
  return mounts;
}

// Puts a text where the step finds it; anybody may read it there.
diag::Result<std::string> stage(const View& view, std::string_view name, std::string_view text,
                                unsigned mode) {
  std::string path = fmt::format("{}/{}", kStaging, name);
  TRY(const std::string place, view.place_for(path));
  TRY_VOID(write_file(place, text, mode));
  (void)::chmod(place.c_str(), mode);
  return path;
}

diag::Result<void> stage_words(const Task& task, const value::Value& container, const View& view,
                               std::vector<std::string>& words) {
  const std::string_view source =
      task.template_body["script"].is_map() ? container["source"].string_or("") : "";
  if (!source.empty()) {
    TRY(std::string path, stage(view, "script", source, 0755));
    words.push_back(std::move(path));
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].size() <= kWordSizeMax) continue;
    TRY(const std::string path, stage(view, fmt::format("argo_arg_{}.txt", i - 1), words[i], 0644));
    words[i] = "@" + path;
  }
  return {};
}

std::vector<std::string> programs_of(const std::string& word, const Environment& environment) {
  if (word.find('/') != std::string::npos) return {word};
  std::vector<std::string> programs;
  const std::string* const path = environment.find("PATH");
  std::string_view rest;
  if (path != nullptr) rest = *path;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    if (!folder.empty()) programs.push_back(fmt::format("{}/{}", folder, word));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return programs;
}

// The errno with which none of the programs could be started; 0 when one may be.
int exec_error(const std::vector<std::string>& programs, const View& view,
               const std::string& working_folder) {
  int error = ENOENT;
  for (const std::string& program : programs) {
    const std::string real =
        view.real_path(program.starts_with('/') ? program : working_folder + "/" + program);
    struct stat st = {};
    if (real.empty() || ::stat(real.c_str(), &st) != 0) continue;
    if (S_ISREG(st.st_mode) && (st.st_mode & 0111U) != 0) return 0;
    error = EACCES;
  }
  return error;
}

std::string text_in(const View& view, const char* path) {
  const std::string real = view.real_path(path);
  auto text = real.empty() ? diag::Result<std::string>("") : read_file(real);
  return text ? std::move(*text) : "";
}

void add_sandbox(const Step& step, wire::Launch& launch) {
  const ContainerSpec& spec = step.spec;
  const auto at_root = [&spec](const std::string& path) { return spec.root + path; };
  launch.mounts.push_back({Kind::kProc, "", at_root("/proc"), ""});
  launch.mounts.push_back({Kind::kDevices, "", at_root("/dev"), ""});
  launch.mounts.push_back({Kind::kSys, "", at_root("/sys"), ""});
  for (const VolumeMount& volume : spec.volumes) {
    launch.mounts.push_back({volume.is_read_only ? Kind::kBindReadOnly : Kind::kBind, volume.source,
                             at_root(volume.path), volume.trusted});
  }
  launch.mounts.push_back({Kind::kPivot, "", spec.root, ""});
  launch.cwd = spec.working_folder;
  launch.programs = programs_of(step.words[0], step.environment);
  launch.argv = step.words;
  launch.env = spec.env;
  launch.isolation.sets_user = !spec.user.is_root();
  launch.isolation.uid = spec.user.uid;
  launch.isolation.gid = spec.user.gid;
  launch.isolation.groups = spec.user.groups;
  launch.isolation.no_new_privileges = spec.no_new_privileges;
}

// A runtime follows symbolic links, so what may hold some is mounted for it beforehand.
diag::Result<void> stage_volumes(const std::string& bundle, std::vector<VolumeMount>& volumes,
                                 wire::Launch& launch) {
  std::size_t i = 0;
  for (VolumeMount& volume : volumes) {
    const std::string place = fmt::format("{}/volumes/{}", bundle, i++);
    if (volume.trusted.empty()) continue;
    struct stat st = {};
    const bool is_folder = ::stat(volume.source.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    TRY_VOID(make_folder(is_folder ? place : parent_path(place)));
    if (!is_folder) TRY_VOID(write_file(place, "", 0600));
    launch.mounts.push_back({Kind::kBind, std::exchange(volume.source, place), place,
                             std::exchange(volume.trusted, "")});
  }
  return {};
}

diag::Result<void> add_container(const Task& task, Step& step, const Runtime& runtime,
                                 wire::Launch& launch) {
  const std::string bundle = task.work_path + "/bundle";
  TRY_VOID(stage_volumes(bundle, step.spec.volumes, launch));
  const std::string state = bundle + "/state";
  TRY_VOID(make_folder(state));
  TRY_VOID(write_file(bundle + "/config.json",
                      value::to_json(runtime_config(step.spec), {.escape_html = false})));
  ::unlink((task.work_path + "/runtime.log").c_str());  // of an attempt before
  launch.mounts.push_back({Kind::kTemporary, "", state, "mode=700,size=16m"});
  launch.mounts.push_back({Kind::kProc, "", "/proc", ""});
  const bool has_limits = step.spec.limits.any();
  if (!has_limits) launch.mounts.push_back({Kind::kNoCgroups, "", "/sys/fs/cgroup", ""});
  launch.cwd = bundle;
  launch.programs = {runtime.path};
  launch.argv = {runtime.name,   "--root", state, "--log", task.work_path + "/runtime.log",
                 "--log-format", "json"};
  if (!has_limits) {
    launch.argv.push_back(runtime.name == "crun" ? "--cgroup-manager=disabled" : "--rootless=true");
  }
  launch.argv.insert(launch.argv.end(), {"run", "--bundle", bundle, "step"});
  launch.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "TIPHYS_STEP=" + task.key};
  return {};
}

}  // namespace

diag::Result<Prepared> prepare_in_image(const Task& task, const Image& image,
                                        const Runtime& runtime, const PrepareSettings& settings) {
  const value::Value& container = main_container(task.template_body);
  Step step;
  TRY(step.environment, container_environment(task, container, task.container, settings.lookup));
  TRY(step.words, words_in_image(container, step.environment, image.config));
  TRY(std::vector<Placement> volumes,
      place_volumes(task, container, step.environment,
                    {settings.lookup, settings.home, settings.host_paths}));
  for (const Placement& volume : volumes) open_to_all(volume, task);
  // A volume may lie over the image's own files.
  const bool is_bare = volumes.empty();
  TRY_VOID(add_progress(task, step.environment, volumes));

  Prepared prepared;
  TRY(prepared.view,
      View::make_in_image({.scratch = task.work_path,
                           .layers = image.layers,
                           .volumes = std::move(volumes),
                           .working_folder = working_folder_of(container, image.config)}));
  const View& view = prepared.view;
  if (view.image_options().size() > kOptionsMax) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("image '{}' has too many layers for one mount", image.name));
  }
  TRY(const ImageUser user, image_user(task, image.config, [&](const char* path) {
        const auto read = [&view, path] { return text_in(view, path); };
        return is_bare ? settings.image_facts.text(image.layers, path, read) : read();
      }));
  TRY_VOID(load_input_artifacts(task, view, settings.lookup, settings.artifact_root));
  TRY_VOID(stage_words(task, container, view, step.words));
  TRY_VOID(write_file(task.work_path + "/view", view.save()));
  step.host_name = host_name_of(task);
  add_image_environment(step.environment, image.config, step.host_name, user.home);

  step.spec = {.root = view.image_root(),
               .is_root_read_only = security_of(task, "readOnlyRootFilesystem").bool_or(false),
               .words = step.words,
               .env = step.environment.lines(),
               .working_folder = view.working_folder(),
               .user = user,
               .volumes = mounts_of(view),
               .capabilities = capabilities_of(security_of(task, "capabilities")),
               .no_new_privileges = !security_of(task, "allowPrivilegeEscalation").bool_or(true),
               .limits = runtime.sets_limits ? limits_of(container) : ResourceLimits(),
               .cgroup = cgroup_of_step(settings.home, task.key)};

  wire::Launch& launch = prepared.launch;
  launch.key = task.key;
  launch.log_path = task.log_path;
  launch.wants_stdout = task.wants_result;
  launch.isolation.is_wanted = true;
  launch.isolation.host_name = step.host_name;
  const std::vector<std::string> programs = programs_of(step.words[0], step.environment);
  const auto look = [&] { return exec_error(programs, view, view.working_folder()); };
  const bool has_inputs = !task.template_body["inputs"]["artifacts"].list().empty();
  const bool is_known = is_bare && !has_inputs && !programs.empty() && programs[0].starts_with('/');
  prepared.exec_error =
      is_known ? settings.image_facts.exec_error(image.layers, programs, look) : look();
  const bool is_sandbox = runtime.path.empty();
  const bool is_read_only = is_sandbox && step.spec.is_root_read_only;
  launch.mounts.push_back({is_read_only ? Kind::kOverlayReadOnly : Kind::kOverlay, "overlay",
                           view.image_root(), view.image_options()});
  if (is_sandbox) {
    add_sandbox(step, launch);
  } else {
    TRY_VOID(add_container(task, step, runtime, launch));
  }
  return prepared;
}

std::string runtime_complaint(const Task& task) {
  auto text = read_file(task.work_path + "/runtime.log");
  if (!text) return {};
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    auto line = value::parse_json(rest.substr(0, end));
    if (line && (*line)["level"].string_or("") == "error") {
      return std::string((*line)["msg"].string_or(""));
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return {};
}

}  // namespace tiphys::executor
