#include "executor/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "executor/pod_fields.h"
#include "spec/node_id.h"

namespace tiphys::executor {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* kFromHost[] = {
    "PATH",     "HOME",       "USER",        "LOGNAME",  "SHELL",        "LANG",
    "LANGUAGE", "LC_ALL",     "TZ",          "TMPDIR",   "http_proxy",   "https_proxy",
    "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"};

const std::map<std::string_view, ImageStart>& known_images() {
  static const std::map<std::string_view, ImageStart> images = {
      {"alpine", {{}, {"sh"}}},
      {"busybox", {{}, {"sh"}}},
      {"debian", {{}, {"bash"}}},
      {"ubuntu", {{}, {"bash"}}},
      {"fedora", {{}, {"bash"}}},
      {"bash", {{}, {"bash"}}},
      {"golang", {{}, {"bash"}}},
      {"python", {{}, {"python3"}}},
      {"node", {{}, {"node"}}},
      {"perl", {{}, {"perl"}}},
      {"ruby", {{}, {"irb"}}},
      {"curlimages/curl", {{"curl"}, {}}},
      {"alpine/curl", {{"curl"}, {}}},
      {"alpine/git", {{"git"}, {}}},
      {"bitnami/kubectl", {{"kubectl"}, {}}},
      {"argoproj/argosay", {{"argosay"}, {}}},
      {"docker/whalesay", {{}, {"cowsay"}}},
  };
  return images;
}

// `docker.io/library/alpine:3@sha256:..` is `alpine`.
std::string_view bare_image(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    image = image.substr(0, colon);
  }
  for (const std::string_view prefix : {"docker.io/", "registry-1.docker.io/", "library/"}) {
    if (image.starts_with(prefix)) image.remove_prefix(prefix.size());
  }
  return image;
}

const ImageStart* find_image(std::string_view image, const Images& images) {
  if (const auto it = images.find(image); it != images.end()) return &it->second;
  const std::string_view bare = bare_image(image);
  if (const auto it = images.find(bare); it != images.end()) return &it->second;
  const auto it = known_images().find(bare);
  return it == known_images().end() ? nullptr : &it->second;
}

diag::Result<std::optional<std::string>> key_of_object(
    const value::Value& ref, std::string_view what, const Task& task,
    const std::function<diag::Result<std::string>(const std::string&, const std::string&,
                                                  const std::string&)>& find) {
  const std::string name(ref["name"].string_or(""));
  const std::string key(ref["key"].string_or(""));
  auto found = find ? find(task.name_space, name, key)
                    : diag::Result<std::string>(diag::fail(diag::Code::kNotFound, "no lookup"));
  if (found) return std::optional<std::string>(std::move(*found));
  if (found.error().code != diag::Code::kNotFound) return std::unexpected(found.error());
  if (ref["optional"].bool_or(false)) return std::optional<std::string>();
  if (found.error().message.starts_with("secrets \"")) {  // the whole object is missing
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("CreateContainerConfigError: secret \"{}\" not found", name));
  }
  return diag::fail(diag::Code::kNotFound,
                    fmt::format("CreateContainerConfigError: couldn't find key {} in {} {}/{}", key,
                                what, task.name_space, name));
}

diag::Result<std::optional<std::string>> value_from(const value::Value& from, const Task& task,
                                                    const Lookup& lookup) {
  if (const value::Value& ref = from["secretKeyRef"]; !ref.is_null()) {
    return key_of_object(ref, "Secret", task, lookup.secret);
  }
  if (const value::Value& ref = from["configMapKeyRef"]; !ref.is_null()) {
    return key_of_object(ref, "ConfigMap", task, lookup.config_map);
  }
  if (const value::Value& ref = from["fieldRef"]; !ref.is_null()) {
    return std::optional<std::string>(pod_field(task, ref["fieldPath"].string_or("")));
  }
  return std::optional<std::string>("0");  // resourceFieldRef: nothing is limited here
}

diag::Result<void> add_env_from(const value::Value& source, const Task& task, const Lookup& lookup,
                                Environment& environment) {
  const bool is_secret = !source["secretRef"].is_null();
  const value::Value& ref = source[is_secret ? "secretRef" : "configMapRef"];
  const std::string name(ref["name"].string_or(""));
  const auto& find = is_secret ? lookup.secret_entries : lookup.config_map_entries;
  if (!find) {
    return diag::fail(diag::Code::kNotFound, "CreateContainerConfigError: envFrom has no source");
  }
  auto entries = find(task.name_space, name);
  if (!entries) {
    if (ref["optional"].bool_or(false)) return {};
    return diag::fail(diag::Code::kNotFound,
                      fmt::format("CreateContainerConfigError: {} \"{}\" not found",
                                  is_secret ? "secret" : "configmap", name));
  }
  const std::string prefix(source["prefix"].string_or(""));
  for (auto& [key, text] : *entries) environment.set(prefix + key, std::move(text));
  return {};
}

}  // namespace

void Environment::set(std::string_view name, std::string value) {
  const auto it = std::ranges::find(all_, name, &Variable::first);
  if (it != all_.end()) {
    it->second = std::move(value);
  } else {
    all_.emplace_back(name, std::move(value));
  }
}

const std::string* Environment::find(std::string_view name) const {
  const auto it = std::ranges::find(all_, name, &Variable::first);
  return it == all_.end() ? nullptr : &it->second;
}

std::vector<std::string> Environment::lines() const {
  std::vector<std::string> lines;
  lines.reserve(all_.size());
  for (const auto& [name, value] : all_) lines.push_back(name + "=" + value);
  return lines;
}

std::string Environment::expand(std::string_view text) const {
  std::string out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out.append(text.substr(0, dollar));
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out.push_back('$');
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.starts_with('(') ? text.find(')') : std::string_view::npos;
    const std::string* const found =
        end == std::string_view::npos ? nullptr : find(text.substr(1, end - 1));
    if (found == nullptr) {
      out.push_back('$');
      continue;
    }
    out.append(*found);
    text.remove_prefix(end + 1);
  }
  return out;
}

diag::Result<Environment> container_environment(const Task& task, const value::Value& container,
                                                std::string_view container_name,
                                                const Lookup& lookup) {
  Environment environment;
  for (const value::Value& source : container["envFrom"].list()) {
    TRY_VOID(add_env_from(source, task, lookup, environment));
  }
  for (const value::Value& entry : container["env"].list()) {
    const std::string_view name = entry["name"].string_or("");
    if (entry["valueFrom"].is_null()) {
      environment.set(name, environment.expand(entry["value"].string_or("")));
      continue;
    }
    TRY(std::optional<std::string> found, value_from(entry["valueFrom"], task, lookup));
    if (found) environment.set(name, std::move(*found));
  }
  environment.set("ARGO_CONTAINER_NAME", std::string(container_name));
  environment.set("ARGO_NODE_ID", spec::node_id(task.workflow, task.node_name));
  environment.set("ARGO_INCLUDE_SCRIPT_OUTPUT", task.wants_result ? "true" : "false");
  environment.set("ARGO_WORKFLOW_NAME", task.workflow);
  environment.set("ARGO_POD_NAME", task.pod_name);
  environment.set("TIPHYS_STEP", task.key);  // by which a later supervisor knows the process
  return environment;
}

void add_host_environment(Environment& environment) {
  for (const char* name : kFromHost) {
    const char* const value = std::getenv(name);
    if (value != nullptr && environment.find(name) == nullptr) environment.set(name, value);
  }
  if (environment.find("PATH") == nullptr) environment.set("PATH", std::string(kDefaultPath));
}

diag::Result<std::vector<std::string>> container_words(const value::Value& container,
                                                       const Environment& environment,
                                                       const Images& images) {
  std::vector<std::string> words;
  const value::List& args = container["args"].list();
  for (const value::Value& word : container["command"].list()) {
    words.push_back(environment.expand(word.string_or("")));
  }
  bool takes_cmd = false;
  if (words.empty()) {
    const std::string_view image = container["image"].string_or("");
    const ImageStart* const start = find_image(image, images);
    if (start == nullptr) {
      return diag::fail(
          diag::Code::kNotFound,
          fmt::format("failed to look-up entrypoint/cmd for image \"{}\", you must either "
                      "explicitly specify the command, or list the image's command in 'images' of "
                      "the ConfigMap workflow-controller-configmap",
                      image));
    }
    words = start->entrypoint;
    takes_cmd = args.empty();
    if (takes_cmd) words.insert(words.end(), start->cmd.begin(), start->cmd.end());
  }
  for (const value::Value& word : args) words.push_back(environment.expand(word.string_or("")));
  if (words.empty() || words[0].empty()) {
    return diag::fail(diag::Code::kNotFound, "the container has no command and no args");
  }
  return words;
}

namespace {

void add_candidates(const std::string& name, const Environment& environment,
                    std::vector<std::string>& candidates) {
  std::string_view path = kDefaultPath;
  if (const std::string* found = environment.find("PATH")) path = *found;
  while (!path.empty()) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    if (!folder.empty()) candidates.push_back(fmt::format("{}/{}", folder, name));
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
}

}  // namespace

std::vector<std::string> program_candidates(const std::string& word,
                                            const Environment& environment) {
  // An image's own program often stands in its root folder (`/argosay`); here it comes from the
  // PATH.
  const bool is_in_root = word.starts_with('/') && word.find('/', 1) == std::string::npos;
  if (word.find('/') != std::string::npos && !is_in_root) return {word};
  std::vector<std::string> candidates;
  if (is_in_root) candidates.push_back(word);
  const std::string name = is_in_root ? word.substr(1) : word;
  add_candidates(name, environment, candidates);
  // Images of Python have it under both names, Debian under one.
  if (name == "python") add_candidates("python3", environment, candidates);
  return candidates;
}

}  // namespace tiphys::executor
