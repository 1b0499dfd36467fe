#include "executor/image.h"

#include <fmt/format.h>

namespace tiphys::executor {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<std::string> words_of(const value::Value& list) {
  std::vector<std::string> words;
  for (const value::Value& word : list.list()) words.emplace_back(word.string_or(""));
  return words;
}

}  // namespace

ImageConfig parse_image_config(const value::Value& config) {
  return {.start = {.entrypoint = words_of(config["Entrypoint"]), .cmd = words_of(config["Cmd"])},
          .env = words_of(config["Env"]),
          .working_folder = std::string(config["WorkingDir"].string_or("")),
          .user = std::string(config["User"].string_or(""))};
}

std::string full_image_name(std::string_view image) {
  std::string name(image);
  const std::size_t slash = name.find('/');
  const std::string first = slash == std::string::npos ? "" : name.substr(0, slash);
  const bool has_registry = first == "localhost" || first.find('.') != std::string::npos ||
                            first.find(':') != std::string::npos;
  if (!has_registry) {
    name.insert(0, slash == std::string::npos ? "docker.io/library/" : "docker.io/");
  }
  if (name.find('@') != std::string::npos) {  // the digest says it all
    const std::size_t at = name.find('@');
    const std::size_t colon = name.find(':', name.find('/'));
    if (colon < at) name.erase(colon, at - colon);
    return name;
  }
  if (name.find(':', name.rfind('/')) == std::string::npos) name += ":latest";
  return name;
}

diag::Result<std::vector<std::string>> words_in_image(const value::Value& container,
                                                      const Environment& environment,
                                                      const ImageConfig& config) {
  const std::string name(container["image"].string_or(""));
  return container_words(container, environment, {{name, config.start}});
}

void add_image_environment(Environment& environment, const ImageConfig& config,
                           const std::string& host_name, const std::string& user_home) {
  const auto add = [&environment](std::string_view name, std::string_view value) {
    if (environment.find(name) == nullptr) environment.set(name, std::string(value));
  };
  for (const std::string& line : config.env) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    add(std::string_view(line).substr(0, equals), std::string_view(line).substr(equals + 1));
  }
  add("PATH", kPath);
  add("HOSTNAME", host_name);
  add("HOME", user_home);
}

}  // namespace tiphys::executor
