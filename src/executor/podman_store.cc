#include "executor/podman_store.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/program_output.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

using value::Value;

// `graphroot = "DIR"` of a storage.conf.
std::string configured_folder(const std::string& file) {
  auto text = read_file(file);
  if (!text) return {};
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("graphroot")) continue;
    const std::size_t open = line.find('"');
    const std::size_t close = line.rfind('"');
    if (open < close) return std::string(line.substr(open + 1, close - open - 1));
  }
  return {};
}

std::string store_folder() {
  const char* const home = std::getenv("HOME");
  const std::string own = home == nullptr ? "" : std::string(home);
  if (::geteuid() != 0) {
    std::string folder = configured_folder(own + "/.config/containers/storage.conf");
    return folder.empty() ? own + "/.local/share/containers/storage" : folder;
  }
  for (const char* file : {"/etc/containers/storage.conf", "/usr/share/containers/storage.conf"}) {
    if (std::string folder = configured_folder(file); !folder.empty()) return folder;
  }
  return "/var/lib/containers/storage";
}

// `STORE/overlay/ID/diff` by its short name, as the options of a mount must fit into a page.
std::string short_layer(const std::string& folder) {
  auto link = read_file(parent_path(folder) + "/link");
  if (!link || link->empty()) return folder;
  std::string place = fmt::format("{}/l/{}", parent_path(parent_path(folder)), *link);
  return ::access(place.c_str(), F_OK) == 0 ? place : folder;
}

}  // namespace

std::optional<std::string> find_in_podman(const std::string& name) {
  auto text = read_file(store_folder() + "/overlay-images/images.json");
  if (!text) return std::nullopt;
  auto images = value::parse_json(*text);
  if (!images) return std::nullopt;
  const std::string wanted = full_image_name(name);
  // podman calls what it built itself localhost/NAME, and finds it without that.
  const std::string local = full_image_name("localhost/" + name);
  const std::string* const names[] = {&wanted, &local};
  for (const std::string* one : names) {
    for (const Value& image : images->list()) {
      for (const Value& known : image["names"].list()) {
        if (full_image_name(known.string_or("")) == *one) {
          return std::string(image["id"].string_or(""));
        }
      }
      const std::string_view digest = image["digest"].string_or("");
      if (!digest.empty() && one->ends_with(fmt::format("@{}", digest))) {
        return std::string(image["id"].string_or(""));
      }
    }
  }
  return std::nullopt;
}

diag::Result<Image> load_podman_image(const std::string& id, const std::string& name) {
  TRY(const std::string text, program_output({"podman", "image", "inspect", id}));
  TRY(const Value shown, value::parse_json(text));
  const value::List& images = shown.list();
  if (images.empty()) return diag::fail(diag::Code::kIo, "podman shows nothing");
  const Value& driver = images[0]["GraphDriver"];
  std::string upper(driver["Data"]["UpperDir"].string_or(""));
  if (driver["Name"].string_or("") != "overlay" || upper.empty()) {
    return diag::fail(diag::Code::kIo, fmt::format("podman's storage driver '{}' is not overlay",
                                                   driver["Name"].string_or("")));
  }
  Image image{.name = name,
              .layers = {short_layer(upper)},
              .config = parse_image_config(images[0]["Config"])};
  std::string_view rest = driver["Data"]["LowerDir"].string_or("");
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    image.layers.push_back(short_layer(std::string(rest.substr(0, colon))));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
  }
  return image;
}

diag::Result<void> podman_pull(const std::string& name) {
  TRY_VOID(program_output({"podman", "pull", "--quiet", name}));
  return {};
}

}  // namespace tiphys::executor
