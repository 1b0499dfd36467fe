#include "executor/preparation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "executor/artifacts.h"
#include "executor/path_words.h"
#include "executor/progress_files.h"
#include "executor/step_log.h"
#include "executor/step_table.h"
#include "executor/volumes.h"

namespace tiphys::executor {
namespace {

diag::Result<void> make_folder(const std::string& path) {
  if (make_folders(path)) return {};
  return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", path, std::strerror(errno)));
}

}  // namespace

diag::Result<std::string> read_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    std::string reason = std::strerror(errno);
    reason[0] = static_cast<char>(reason[0] | 0x20);  // Go's errors begin in lower case
    return diag::fail(errno == ENOENT ? diag::Code::kNotFound : diag::Code::kIo,
                      fmt::format("open {}: {}", path, reason));
  }
  std::string text;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  }
  const int error = errno;
  ::close(fd);
  if (n == 0) return text;
  return diag::fail(diag::Code::kIo, fmt::format("read {}: {}", path, std::strerror(error)));
}

diag::Result<void> write_file(const std::string& path, std::string_view text, unsigned mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) {
    return diag::fail(diag::Code::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  const int error = errno;
  ::close(fd);
  if (text.empty()) return {};
  return diag::fail(diag::Code::kIo, fmt::format("write {}: {}", path, std::strerror(error)));
}

const value::Value& main_container(const value::Value& template_body) {
  const value::Value& container = template_body["container"];
  return container.is_null() ? template_body["script"] : container;
}

View prepared_view(const Task& task) {
  auto text = read_file(task.work_path + "/view");
  return text ? View::load(*text) : View();
}

namespace {

// What a template says about the file system.
ViewRequest view_request(const Task& task, const value::Value& container,
                         std::vector<Placement> volumes, bool may_mount) {
  ViewRequest request;
  request.scratch = task.work_path;
  request.volumes = std::move(volumes);
  request.may_mount = may_mount;
  std::vector<std::string> inputs;
  const value::Value& body = task.template_body;
  for (const value::Value& artifact : body["inputs"]["artifacts"].list()) {
    const std::string_view path = artifact["path"].string_or("");
    if (path.starts_with('/')) inputs.push_back(clean_path(path));
  }
  request.declared = inputs;
  const auto add_output = [&](std::string_view path) {
    if (!path.starts_with('/')) return;
    const std::string clean = clean_path(path);
    request.declared.push_back(clean);
    if (std::find(inputs.begin(), inputs.end(), clean) == inputs.end()) {
      request.outputs.push_back(clean);
    }
  };
  for (const value::Value& artifact : body["outputs"]["artifacts"].list()) {
    add_output(artifact["path"].string_or(""));
  }
  for (const value::Value& parameter : body["outputs"]["parameters"].list()) {
    add_output(parameter["valueFrom"]["path"].string_or(""));
  }
  const std::string_view folder = container["workingDir"].string_or("");
  if (folder.starts_with('/') && ::access(std::string(folder).c_str(), F_OK) != 0) {
    request.declared.push_back(clean_path(folder));
  }
  return request;
}

void add_mentions(std::vector<std::string>& mentioned, std::string_view text) {
  if (text.find('/') == std::string_view::npos) return;
  for (std::string& path : mentioned_paths(text)) mentioned.push_back(std::move(path));
}

// Words that are too long for execve are passed as files, as Argo does: the program has to know
// `@FILE`.
diag::Result<void> offload_long_words(std::vector<std::string>& words, const Task& task) {
  constexpr std::size_t kWordSizeMax = 131071;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].size() <= kWordSizeMax) continue;
    TRY_VOID(make_folder(task.work_path));
    const std::string path = fmt::format("{}/argo_arg_{}.txt", task.work_path, i - 1);
    TRY_VOID(write_file(path, words[i]));
    words[i] = "@" + path;
  }
  return {};
}

diag::Result<void> make_working_folder(const value::Value& container, const View& view) {
  const std::string_view folder = container["workingDir"].string_or("");
  if (!folder.starts_with('/') || !view.real_path(folder).starts_with('/')) return {};
  if (::access(view.real_path(folder).c_str(), F_OK) == 0) return {};
  TRY(const std::string place, view.place_for(folder));
  return make_folder(place);
}

// Images keep their own program in the root folder (`/argosay`), and scripts call it there: when
// the words name it, it is put there from the PATH, for this step only.
void add_root_program(std::vector<Placement>& volumes, const value::Value& container,
                      const std::vector<std::string>& words, std::string_view source,
                      const Environment& environment, const Images& images) {
  auto image = images.find(container["image"].string_or(""));
  if (image == images.end() || image->second.entrypoint.empty()) return;
  const std::string& program = image->second.entrypoint.front();
  const std::string path = "/" + program;
  if (program.find('/') != std::string::npos || ::access(path.c_str(), F_OK) == 0) return;
  auto names_it = [&](std::string_view text) { return text.find(path) != std::string_view::npos; };
  if (!names_it(source) && !std::ranges::any_of(words, names_it)) return;
  Environment host = environment;
  add_host_environment(host);
  for (const std::string& candidate : program_candidates(program, host)) {
    if (::access(candidate.c_str(), X_OK) != 0) continue;
    volumes.push_back({.path = path, .source = candidate});
    return;
  }
}

// Whether nothing is put into the step's folder or looked for there: then it need not be the step's
// own.
bool leaves_nothing(const Task& task, const value::Value& container) {
  const value::Value& body = task.template_body;
  const bool is_of_pod = !task.volumes_path.empty();  // its attempts go on in the same folder
  return !is_of_pod && body["container"].is_map() && container["volumeMounts"].list().empty() &&
         body["inputs"]["artifacts"].list().empty() && body["outputs"].map().empty();
}

}  // namespace

diag::Result<Prepared> prepare(const Task& task, const PrepareSettings& settings) {
  const value::Value& container = main_container(task.template_body);
  if (!container.is_map()) {
    return diag::fail(diag::Code::kInvalidManifest, "the template has no container and no script");
  }
  TRY(Environment environment,
      container_environment(task, container, task.container, settings.lookup));
  environment.set("ARGO_PROGRESS_FILE", progress_path(task));
  TRY(std::vector<std::string> words, container_words(container, environment, settings.images));
  Prepared prepared;
  if (leaves_nothing(task, container)) {
    TRY(prepared.passed_on, settings.folders.take(parent_path(task.work_path)));
  } else {
    TRY_VOID(make_folder(task.work_path + "/wd"));
  }
  const std::string work_folder =
      prepared.passed_on.empty() ? task.work_path + "/wd" : prepared.passed_on;
  TRY(std::vector<Placement> volumes,
      place_volumes(task, container, environment,
                    {settings.lookup, settings.home, settings.host_paths}));

  const bool is_script = task.template_body["script"].is_map();
  std::string source(is_script ? container["source"].string_or("") : "");
  add_root_program(volumes, container, words, source, environment, settings.images);
  ViewRequest request = view_request(task, container, std::move(volumes), settings.may_mount);
  for (const std::string& word : words) add_mentions(request.mentioned, word);
  for (const value::Value& entry : container["env"].list()) {
    add_mentions(request.mentioned, entry["value"].string_or(""));
  }
  add_mentions(request.mentioned, source);

  TRY(prepared.view, View::make(request));
  const View& view = prepared.view;
  TRY_VOID(load_input_artifacts(task, view, settings.lookup, settings.artifact_root));
  TRY_VOID(make_working_folder(container, view));
  if (const std::string saved = view.save(); !saved.empty()) {
    TRY_VOID(write_file(task.work_path + "/view", saved));
  }
  for (std::string& word : words) word = view.rewrite(std::move(word));
  if (!source.empty()) {
    const std::string path = task.work_path + "/script";
    TRY_VOID(write_file(path, view.rewrite(std::move(source)), 0755));
    words.push_back(path);
  }
  TRY_VOID(offload_long_words(words, task));
  add_host_environment(environment);

  wire::Launch& launch = prepared.launch;
  launch.key = task.key;
  launch.log_path = task.log_path;
  launch.wants_stdout = task.wants_result;
  launch.cwd = view.rewrite(std::string(container["workingDir"].string_or(work_folder)));
  launch.root = view.root();
  launch.mounts = view.mounts();
  launch.programs = program_candidates(words[0], environment);
  if (launch.mounts.empty()) {
    launch.programs = settings.programs.found_first(std::move(launch.programs), steady_now());
  }
  launch.argv = std::move(words);
  for (std::string& line : launch.env = environment.lines()) line = view.rewrite(std::move(line));
  return prepared;
}

}  // namespace tiphys::executor
