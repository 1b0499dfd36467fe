// SHA-256 of bytes as they pass, and of files. Each object for one thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace tiphys::executor {

using Digest = std::array<unsigned char, 32>;

class Hasher {
 public:
  Hasher();
  void add(std::string_view bytes);
  /// Of all that was added; then nothing can be added any more.
  [[nodiscard]] Digest digest();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

/// In small letters.
[[nodiscard]] std::string hex(const Digest& digest);
/// None when it is not written so.
[[nodiscard]] std::optional<Digest> digest_of_hex(std::string_view text);

/// Reads the file to its end. None when it cannot be read.
[[nodiscard]] std::optional<Digest> digest_of_file(const std::string& path);

}  // namespace tiphys::executor
