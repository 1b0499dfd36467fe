#include "runtime/new_names.h"

#include <fmt/format.h>
#include <sys/random.h>

namespace tiphys::runtime {

namespace {

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const auto n = getrandom(bytes.data() + have, count - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  return bytes;
}

// Kubernetes' letters for generated names: no vowels, so that no words come about.
std::string name_suffix() {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (const char c : random_bytes(5))
    suffix += kLetters[static_cast<unsigned char>(c) % kLetters.size()];
  return suffix;
}

}  // namespace

std::string generated_name(std::string_view prefix) { return std::string(prefix) + name_suffix(); }

std::string new_uid() {
  std::string b = random_bytes(16);
  b[6] = static_cast<char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<char>((b[8] & 0x3f) | 0x80);
  std::string uid;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uid += '-';
    uid += fmt::format("{:02x}", static_cast<unsigned char>(b[i]));
  }
  return uid;
}

}  // namespace tiphys::runtime
