#include "kube/image_reference.h"

#include <algorithm>

#include <fmt/format.h>

namespace tiphys::kube {
namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::size_t kRepositoryMax = 255;
constexpr std::size_t kTagMax = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

bool is_registry(std::string_view first) {
  return first == "localhost" || first.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(first, is_upper);
}

bool is_port(std::string_view port) {
  return !port.empty() && port.size() <= 5 && std::ranges::all_of(port, is_digit);
}

// A host name, an IPv4 address, or an IPv6 address in brackets; then perhaps a port.
bool is_host(std::string_view text) {
  std::size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos || end == 1) return false;
    const std::string_view address = text.substr(1, end - 1);
    if (!std::ranges::all_of(address, [](char c) { return is_hex(c) || c == ':' || c == '.'; })) {
      return false;
    }
    ++end;
  } else {
    end = std::min(text.find(':'), text.size());
    const auto is_plain = [](char c) {
      return is_digit(c) || is_lower(c) || is_upper(c) || c == '-' || c == '.';
    };
    if (end == 0 || !std::ranges::all_of(text.substr(0, end), is_plain)) return false;
  }
  return end == text.size() || (text[end] == ':' && is_port(text.substr(end + 1)));
}

// Lower case words with `.`, `_`, `__` or any number of `-` between them.
bool is_component(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t from = at;
    while (at < text.size() && (is_digit(text[at]) || is_lower(text[at]))) ++at;
    if (at == from) return false;
    if (at == text.size()) return true;
    const std::size_t end = text.find_first_not_of("._-", at);
    if (end == std::string_view::npos) return false;
    const std::string_view between = text.substr(at, end - at);
    const bool is_separator = between == "." || between == "_" || between == "__" ||
                              std::ranges::all_of(between, [](char c) { return c == '-'; });
    if (!is_separator) return false;
    at = end;
  }
  return false;  // ends with a separator
}

bool is_repository(std::string_view text) {
  if (text.size() > kRepositoryMax) return false;
  for (;;) {
    const std::size_t slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  const auto is_word = [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '_'; };
  return !text.empty() && text.size() <= kTagMax && is_word(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view text) {
  const std::size_t size = text.starts_with("sha256:") ? 64 : text.starts_with("sha512:") ? 128 : 0;
  return size > 0 && text.size() == size + 7 && std::ranges::all_of(text.substr(7), is_hex);
}

std::unexpected<diag::Error> refuse(std::string_view text, std::string_view why) {
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("\"{}\" is no name of an image: {}", text, why));
}

}  // namespace

std::string ImageReference::host() const {
  return registry == kDockerHub ? "registry-1.docker.io" : registry;
}

std::string ImageReference::full() const {
  return fmt::format("{}/{}{}{}", registry, repository, digest.empty() ? ":" : "@", version());
}

diag::Result<ImageReference> parse_image_reference(std::string_view text) {
  std::string_view rest = text;
  ImageReference made;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    made.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(made.digest)) {
      return refuse(text, "after '@', sha256: and 64 hexadecimal digits are expected");
    }
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && is_registry(rest.substr(0, slash))) {
    made.registry = rest.substr(0, slash);
    rest = rest.substr(slash + 1);
    if (!is_host(made.registry)) return refuse(text, "its registry is no host or host:port");
  }
  if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    made.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(made.tag)) {
      return refuse(text, "a tag has letters, digits, '_', '.' and '-', at most 128");
    }
  }
  if (!is_repository(rest)) {
    return refuse(text,
                  "a repository has lower case letters and digits, with '.', '_' or '-' between, "
                  "and '/' between its parts");
  }
  made.repository = rest;
  if (made.registry.empty() || made.registry == "index.docker.io") made.registry = kDockerHub;
  if (made.registry == kDockerHub && made.repository.find('/') == std::string::npos) {
    made.repository.insert(0, "library/");
  }
  if (!made.digest.empty()) {
    made.tag.clear();
  } else if (made.tag.empty()) {
    made.tag = "latest";
  }
  return made;
}

bool is_local_registry(std::string_view registry) {
  const std::string_view host =
      registry.substr(0, registry.starts_with('[') ? registry.find(']') + 1 : registry.find(':'));
  const bool is_number = std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
  return host == "localhost" || host == "[::1]" || (is_number && host.starts_with("127."));
}

}  // namespace tiphys::kube
