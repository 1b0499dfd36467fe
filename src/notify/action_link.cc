#include "notify/action_link.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "notify/hmac.h"

namespace tiphys::notify {

namespace {

constexpr char kBetween = '~';  // in no uid, id or time
constexpr std::size_t kParts = 6;
constexpr std::int64_t kSecond = 1'000'000'000;

std::string signature_of(std::string_view words, std::string_view key) {
  std::string out;
  for (const char c : hmac_sha256(key, words)) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

// Takes as long wherever they differ.
bool is_same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differ |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return differ == 0;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = text.find(kBetween);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string action_token(const LinkedAction& action, std::string_view key) {
  const std::string words = fmt::format("{}~{}~{}~{}~{}", action.verb, action.uid, action.node,
                                        action.started_at, action.expires_at.ns / kSecond);
  return fmt::format("{}~{}", words, signature_of(words, key));
}

std::optional<LinkedAction> read_action_token(std::string_view token, std::string_view key,
                                              clock::Instant now) {
  const std::vector<std::string_view> parts = split(token);
  if (parts.size() != kParts || key.empty()) return std::nullopt;
  const std::string_view words = token.substr(0, token.rfind(kBetween));
  if (!is_same(parts.back(), signature_of(words, key))) return std::nullopt;
  std::int64_t seconds = 0;
  const std::string_view until = parts[4];
  const auto [end, error] = std::from_chars(until.data(), until.data() + until.size(), seconds);
  if (error != std::errc() || end != until.data() + until.size()) return std::nullopt;
  LinkedAction out{.verb = std::string(parts[0]),
                   .uid = std::string(parts[1]),
                   .node = std::string(parts[2]),
                   .started_at = std::string(parts[3]),
                   .expires_at = {seconds * kSecond}};
  if (now >= out.expires_at) return std::nullopt;
  return out;
}

}  // namespace tiphys::notify
