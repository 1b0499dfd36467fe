#include "executor/content_digest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "diag/error.h"

namespace tiphys::executor {

Hasher::Hasher() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Hasher::add(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Hasher::digest() {
  Digest digest = {};
  CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::string hex(const Digest& digest) { return fmt::format("{:02x}", fmt::join(digest, "")); }

std::optional<Digest> digest_of_hex(std::string_view text) {
  Digest digest = {};
  if (text.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* const from = text.data() + 2 * i;
    if (std::from_chars(from, from + 2, digest[i], 16).ptr != from + 2) return std::nullopt;
  }
  return digest;
}

std::optional<Digest> digest_of_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  Hasher hasher;
  std::vector<char> buffer(std::size_t{1} << 18U);
  ssize_t n = 0;
  while ((n = ::read(fd, buffer.data(), buffer.size())) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) hasher.add({buffer.data(), static_cast<std::size_t>(n)});
  }
  ::close(fd);
  if (n < 0) return std::nullopt;
  return hasher.digest();
}

}  // namespace tiphys::executor
