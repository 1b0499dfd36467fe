#include "expr/base64.h"

#include <cstdint>

#include <fmt/core.h>

namespace tiphys::expr {
namespace {
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const std::uint32_t group = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    out += kAlphabet[group >> 18U];
    out += kAlphabet[(group >> 12U) & 63U];
    out += i + 1 < bytes.size() ? kAlphabet[(group >> 6U) & 63U] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[group & 63U] : '=';
  }
  return out;
}

diag::Result<std::string> base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;    // symbols in this group, padding included
  int padding = 0;  // '=' seen in this group
  bool closed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') continue;
    const auto symbol = kAlphabet.find(c);
    const bool pad = c == '=' && count >= 2;
    if (closed || (symbol == std::string_view::npos && !pad) || (padding > 0 && !pad)) {
      return diag::fail(diag::Code::kBadExpression,
                        fmt::format("illegal base64 data at input byte {}", i));
    }
    bits = bits << 6U | (pad ? 0U : static_cast<std::uint32_t>(symbol));
    padding += pad ? 1 : 0;
    if (++count < 4) continue;
    out += static_cast<char>(bits >> 16U & 0xFFU);
    if (padding < 2) out += static_cast<char>(bits >> 8U & 0xFFU);
    if (padding < 1) out += static_cast<char>(bits & 0xFFU);
    closed = padding > 0;
    bits = 0;
    count = 0;
    padding = 0;
  }
  if (count != 0) {
    return diag::fail(diag::Code::kBadExpression,
                      fmt::format("illegal base64 data at input byte {}", text.size()));
  }
  return out;
}

}  // namespace tiphys::expr
