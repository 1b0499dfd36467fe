#include "kube/registry_credentials.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "expr/base64.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using value::Value;

struct Place {
  std::string_view host;  // without its port
  std::string_view port;
  std::string_view path;  // without slashes around
};

Place place_of(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  }
  Place place;
  const std::size_t slash = text.find('/');
  place.host = text.substr(0, slash);
  if (slash != std::string_view::npos) place.path = text.substr(slash + 1);
  for (const std::string_view version : {"v1", "v2"}) {  // `https://index.docker.io/v1/`
    if (place.path == version) place.path = {};
    if (place.path.starts_with(version) && place.path.substr(2).starts_with('/')) {
      place.path.remove_prefix(3);
    }
  }
  while (place.path.ends_with('/')) place.path.remove_suffix(1);
  const std::size_t colon = place.host.find(':', place.host.rfind(']') + 1);
  if (colon != std::string_view::npos) {
    place.port = place.host.substr(colon + 1);
    place.host = place.host.substr(0, colon);
  }
  if (place.host == "index.docker.io" || place.host == "registry-1.docker.io") {
    place.host = "docker.io";
  }
  return place;
}

// `*` is any number of characters, `?` is one.
bool fits(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last one, which may take one character more
  std::size_t taken = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      taken = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

// Each part between dots for itself: `*.io` is not `a.b.io`.
bool fits_host(std::string_view glob, std::string_view host) {
  for (;;) {
    const std::size_t end = glob.find('.');
    const std::size_t host_end = host.find('.');
    if (!fits(glob.substr(0, end), host.substr(0, host_end))) return false;
    if (end == std::string_view::npos || host_end == std::string_view::npos) {
      return end == host_end;
    }
    glob.remove_prefix(end + 1);
    host.remove_prefix(host_end + 1);
  }
}

std::optional<Credential> read_entry(const Value& entry) {
  Credential made{.user = std::string(entry["username"].string_or("")),
                  .password = std::string(entry["password"].string_or(""))};
  if (const std::string_view packed = entry["auth"].string_or(""); !packed.empty()) {
    const auto both = expr::base64_decode(packed);
    const std::size_t colon = both ? both->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    made = {.user = both->substr(0, colon), .password = both->substr(colon + 1)};
    made.password.erase(made.password.find_last_not_of('\0') + 1);  // as Docker pads it
  }
  if (made.user.empty() && made.password.empty()) return std::nullopt;
  return made;
}

}  // namespace

std::vector<Credential> credentials_for(const ImageReference& image,
                                        const std::vector<std::string>& docker_configs) {
  const Place wanted = place_of(image.registry);
  std::vector<std::pair<std::size_t, Credential>> found;  // by how much of the path is named
  for (const std::string& text : docker_configs) {
    const auto config = value::parse_json(text);
    if (!config) continue;
    const Value& auths = (*config)["auths"];
    for (const auto& [key, entry] : (auths.is_map() ? auths : *config).map()) {
      const Place place = place_of(key);
      if (place.port != wanted.port || !fits_host(place.host, wanted.host) ||
          !image.repository.starts_with(place.path)) {
        continue;
      }
      if (auto made = read_entry(entry)) found.emplace_back(place.path.size(), std::move(*made));
    }
  }
  std::ranges::stable_sort(found, std::greater(), [](const auto& f) { return f.first; });
  std::vector<Credential> all;
  for (auto& [size, credential] : found) {
    if (std::ranges::find(all, credential) == all.end()) all.push_back(std::move(credential));
  }
  return all;
}

}  // namespace tiphys::kube
