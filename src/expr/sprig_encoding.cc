// sprig's encodings and checksums.
#include <array>

#include <fmt/core.h>
#include <openssl/evp.h>

#include "expr/base64.h"
#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

Value b64enc(Arguments a, CallContext& context) {
  TRY_VOID(context.grow(a[0].as_string().size() * 4 / 3));
  return RuntimeValue(base64_encode(a[0].as_string()));
}

// If the text only lacks its padding, Go points at the start of the last group.
std::string base64_error(std::string_view text, std::string message) {
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    const bool valid = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '+' || c == '/';
    if (!valid) return message;
    ++digits;
  }
  return fmt::format("illegal base64 data at input byte {}", text.size() - digits % 4);
}

// The decoders give the error's text as their result, as sprig does.
Value b64dec(Arguments a, CallContext&) {
  auto bytes = base64_decode(a[0].as_string());
  if (bytes) return RuntimeValue(std::move(*bytes));
  return RuntimeValue(base64_error(a[0].as_string(), bytes.error().message));
}

Value b32enc(Arguments a, CallContext& context) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : a[0].as_string()) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (count += 8; count >= 5; count -= 5) {
      out += kBase32[(bits >> static_cast<unsigned>(count - 5)) & 31U];
    }
  }
  if (count > 0) out += kBase32[(bits << static_cast<unsigned>(5 - count)) & 31U];
  while (out.size() % 8 != 0) out += '=';
  TRY_VOID(context.grow(out.size()));
  return RuntimeValue(std::move(out));
}

std::string bad_base32(std::size_t at) {
  return fmt::format("illegal base32 data at input byte {}", at);
}

Value b32dec(Arguments a, CallContext&) {
  std::string text;
  for (const char c : a[0].as_string()) {
    if (c != '\n' && c != '\r') text += c;
  }
  std::string out;
  const std::size_t end = std::min(text.find('='), text.size());
  std::uint32_t bits = 0;
  int count = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const std::size_t digit = kBase32.find(text[i]);
    if (digit == std::string_view::npos) return RuntimeValue(bad_base32(i));
    bits = (bits << 5U) | static_cast<std::uint32_t>(digit);
    count += 5;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    }
  }
  const std::size_t last = end % 8;
  const std::size_t padding = text.size() - end;
  if (padding == 0 && last != 0) return RuntimeValue(bad_base32(end - last));
  if (last == 1 || last == 3 || last == 6) return RuntimeValue(bad_base32(end));
  if (padding != (last == 0 ? 0 : 8 - last)) return RuntimeValue(bad_base32(text.size()));
  if (text.find_first_not_of('=', end) != std::string::npos) return RuntimeValue(bad_base32(end));
  return RuntimeValue(std::move(out));
}

Value digest(const std::string& text, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes = {};
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), bytes.data(), &length, kind, nullptr) != 1) {
    return bad_expression("the checksum could not be computed");
  }
  std::string out;
  for (unsigned int i = 0; i < length; ++i) out += fmt::format("{:02x}", bytes[i]);
  return RuntimeValue(std::move(out));
}

Value sha1sum(Arguments a, CallContext&) { return digest(a[0].as_string(), EVP_sha1()); }
Value sha256sum(Arguments a, CallContext&) { return digest(a[0].as_string(), EVP_sha256()); }
Value sha512sum(Arguments a, CallContext&) { return digest(a[0].as_string(), EVP_sha512()); }

Value adler32sum(Arguments a, CallContext&) {
  constexpr std::uint32_t kPrime = 65521;
  std::uint32_t low = 1;
  std::uint32_t high = 0;
  for (const char c : a[0].as_string()) {
    low = (low + static_cast<unsigned char>(c)) % kPrime;
    high = (high + low) % kPrime;
  }
  return RuntimeValue(std::to_string((high << 16U) | low));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"adler32sum", sig::kText, adler32sum, "the Adler-32 checksum as a decimal number"},
    {"b32dec", sig::kText, b32dec, "text from Base32, or the error's text"},
    {"b32enc", sig::kText, b32enc, "as Base32"},
    {"b64dec", sig::kText, b64dec, "text from Base64, or the error's text"},
    {"b64enc", sig::kText, b64enc, "as Base64"},
    {"sha1sum", sig::kText, sha1sum, "the SHA-1 checksum in hexadecimal"},
    {"sha256sum", sig::kText, sha256sum, "the SHA-256 checksum in hexadecimal"},
    {"sha512sum", sig::kText, sha512sum, "the SHA-512 checksum in hexadecimal"},
});

}  // namespace

std::span<const Builtin> sprig_encoding_rows() { return kRows; }

}  // namespace tiphys::expr
