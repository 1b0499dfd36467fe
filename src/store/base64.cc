#include "store/base64.h"

#include <openssl/evp.h>

namespace tiphys::store {

namespace {
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::optional<std::string> decode_base64(std::string_view given) {
  std::string text;
  for (const char c : given) {
    if (c != '\n' && c != '\r' && c != ' ') text += c;
  }
  if (text.size() % 4 != 0) return std::nullopt;
  // OpenSSL takes a '=' anywhere for six zero bits.
  const std::size_t padding = text.find('=');
  if (padding != std::string::npos && (padding + 2 < text.size() || text.back() != '=')) {
    return std::nullopt;
  }
  std::string bytes(3 * (text.size() / 4) + 1, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text),
                                static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  std::size_t size = static_cast<std::size_t>(n);
  // EVP_DecodeBlock counts the padding as zero bytes.
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '=' && size > 0; --i) --size;
  bytes.resize(size);
  return bytes;
}

}  // namespace tiphys::store
