#include "executor/oci_layout.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/program_output.h"
#include "executor/step_log.h"
#include "value/json.h"

namespace tiphys::executor {
namespace {

using value::Value;

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

diag::Result<Value> read_json(const std::string& path) {
  TRY(const std::string text, read_file(path));
  auto parsed = value::parse_json(text);
  if (parsed) return std::move(*parsed);
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("{}: {}", path, parsed.error().message));
}

// `sha256:..` as a file of the layout; "" for what cannot be a digest.
std::string blob_path(const std::string& layout, std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos || digest.find('/') != std::string_view::npos) return {};
  return fmt::format("{}/blobs/{}/{}", layout, digest.substr(0, colon), digest.substr(colon + 1));
}

// `latest` in the layout `busybox`, or a whole name.
bool is_called(std::string_view annotation, const std::string& layout, const std::string& wanted) {
  if (annotation.empty()) return false;
  if (full_image_name(annotation) == wanted) return true;
  const std::string folder = layout.substr(layout.rfind('/') + 1);
  return full_image_name(fmt::format("{}:{}", folder, annotation)) == wanted;
}

std::optional<OciPlace> find_in_layout(const std::string& layout, const std::string& wanted) {
  auto index = read_json(layout + "/index.json");
  if (!index) return std::nullopt;
  const value::List& manifests = (*index)["manifests"].list();
  for (const Value& m : manifests) {
    std::string digest(m["digest"].string_or(""));
    const Value& notes = m["annotations"];
    const bool is_it =
        is_called(notes["org.opencontainers.image.ref.name"].string_or(""), layout, wanted) ||
        is_called(notes["io.containerd.image.name"].string_or(""), layout, wanted) ||
        (wanted.find('@') != std::string::npos && wanted.ends_with("@" + digest));
    if (is_it) return OciPlace{layout, std::move(digest)};
  }
  // Of a layout with one image that has no name, the folder's name is the image's.
  const std::string folder = layout.substr(layout.rfind('/') + 1);
  const bool is_nameless = manifests.size() == 1 && manifests[0]["annotations"].map().empty();
  if (!is_nameless || full_image_name(folder) != wanted) return std::nullopt;
  return OciPlace{layout, std::string(manifests[0]["digest"].string_or(""))};
}

// Turns the tar format's whiteouts into overlayfs's.
diag::Result<void> convert_whiteouts(const std::string& folder) {
  std::vector<std::filesystem::path> marks;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(kWhiteout)) marks.push_back(entry.path());
  }
  for (const std::filesystem::path& mark : marks) {
    const std::string name = mark.filename().string();
    const std::string above = mark.parent_path().string();
    ::unlink(mark.c_str());
    int result = 0;
    if (name == kOpaque) {
      const char* const key = ::geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
      result = ::lsetxattr(above.c_str(), key, "y", 1, 0);
    } else {
      const std::string hidden = above + "/" + name.substr(kWhiteout.size());
      result = ::mknod(hidden.c_str(), S_IFCHR, makedev(0, 0));
    }
    if (result != 0) {
      return diag::fail(diag::Code::kIo,
                        fmt::format("whiteout {}: {}", mark.string(), std::strerror(errno)));
    }
  }
  return {};
}

// Unpacks one layer beside its place and moves it there, so that what is there is complete.
diag::Result<std::string> layer_folder(const std::string& layout, std::string_view digest,
                                       const std::string& layers_folder) {
  const std::string blob = blob_path(layout, digest);
  if (blob.empty()) {
    return diag::fail(diag::Code::kInvalidManifest, fmt::format("bad digest '{}'", digest));
  }
  // 20 of the digest's 64 digits: a mount's options must fit into a page.
  const std::string short_name(digest.substr(digest.find(':') + 1, 20));
  std::string folder = fmt::format("{}/{}", layers_folder, short_name);
  if (::access(folder.c_str(), F_OK) == 0) return folder;
  const std::string fresh = fmt::format("{}/.{}.{}", layers_folder, short_name, ::getpid());
  remove_tree(fresh);
  if (!make_folders(fresh) || ::chmod(fresh.c_str(), 0755) != 0) {
    return diag::fail(diag::Code::kIo, fmt::format("mkdir {}: {}", fresh, std::strerror(errno)));
  }
  std::vector<std::string> words = {"tar", "-x", "-f", blob, "-C", fresh, "-p", "--numeric-owner"};
  if (::geteuid() != 0) {  // devices cannot be made, owners not given
    words.insert(words.end(), {"--no-same-owner", "--exclude=dev/*"});
  }
  if (auto unpacked = program_output(std::move(words)); !unpacked) {
    remove_tree(fresh);
    return diag::fail(diag::Code::kIo,
                      fmt::format("layer {}: {}", digest, unpacked.error().message));
  }
  TRY_VOID(convert_whiteouts(fresh));
  if (::rename(fresh.c_str(), folder.c_str()) != 0) {
    const int why = errno;
    remove_tree(fresh);  // another engine may have been as quick
    if (::access(folder.c_str(), F_OK) == 0) return folder;
    return diag::fail(diag::Code::kIo, fmt::format("rename {}: {}", folder, std::strerror(why)));
  }
  return folder;
}

// The manifest for this machine, behind an index of several.
diag::Result<Value> manifest_of(const std::string& layout, std::string digest) {
#if defined(__aarch64__)
  constexpr std::string_view kArchitecture = "arm64";
#else
  constexpr std::string_view kArchitecture = "amd64";
#endif
  for (int depth = 0; depth < 3; ++depth) {
    TRY(Value manifest, read_json(blob_path(layout, digest)));
    if (manifest["layers"].is_list()) return manifest;
    digest.clear();
    for (const Value& m : manifest["manifests"].list()) {
      if (m["platform"]["architecture"].string_or(kArchitecture) != kArchitecture) continue;
      digest = m["digest"].string_or("");
      break;
    }
    if (digest.empty()) break;
  }
  return diag::fail(diag::Code::kInvalidManifest, "no manifest for this machine in " + layout);
}

}  // namespace

std::optional<OciPlace> find_in_layouts(const std::string& folder, const std::string& name) {
  const std::string wanted = full_image_name(name);
  if (auto found = find_in_layout(folder, wanted)) return found;
  std::error_code error;
  std::vector<std::string> layouts;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    layouts.push_back(entry.path().string());
  }
  std::ranges::sort(layouts);
  for (const std::string& layout : layouts) {
    if (auto found = find_in_layout(layout, wanted)) return found;
  }
  return std::nullopt;
}

diag::Result<Image> load_oci_image(const OciPlace& place, const std::string& name,
                                   const std::string& layers_folder) {
  TRY(const Value manifest, manifest_of(place.layout, place.digest));
  TRY(const Value config,
      read_json(blob_path(place.layout, manifest["config"]["digest"].string_or(""))));
  Image image{.name = name, .layers = {}, .config = parse_image_config(config["config"])};
  for (const Value& layer : manifest["layers"].list()) {
    TRY(std::string folder,
        layer_folder(place.layout, layer["digest"].string_or(""), layers_folder));
    std::erase(image.layers, folder);  // overlayfs takes no folder twice; the uppermost counts
    image.layers.insert(image.layers.begin(), std::move(folder));
  }
  return image;
}

}  // namespace tiphys::executor
