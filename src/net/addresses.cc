#include "net/addresses.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>

namespace tiphys::net {

namespace {

bool is_in(std::uint32_t address, std::uint32_t net, int bits) {
  return (address ^ net) >> (32 - bits) == 0;
}

const char* kind_of(std::uint32_t v4) {
  if (is_in(v4, 0xA9FE0000U, 16)) return "link-local";  // 169.254/16, the metadata services
  if (is_in(v4, 0x64646464U, 32)) return "a metadata service";
  if (is_in(v4, 0xE0000000U, 3)) return "no address of a host";  // multicast and reserved
  return nullptr;
}

bool is_private(std::uint32_t v4) {
  return is_in(v4, 0x0A000000U, 8) || is_in(v4, 0xAC100000U, 12) || is_in(v4, 0xC0A80000U, 16) ||
         is_in(v4, 0x7F000000U, 8) || is_in(v4, 0x64400000U, 10) || is_in(v4, 0, 8);
}

struct Judgement {
  const char* kind = nullptr;  // never spoken to
  bool is_private = false;
};

Judgement judge(const in6_addr& v6) {
  std::uint8_t b[16];
  std::memcpy(b, &v6, sizeof b);
  // Those of NAT64 (RFC 6052), of 6to4 (RFC 3056) and the old compatible ones lead to an IPv4 host.
  constexpr std::uint8_t kNat64[12] = {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0};
  const bool is_6to4 = b[0] == 0x20 && b[1] == 0x02;
  if (is_6to4) std::memcpy(b + 12, b + 2, 4);
  const bool is_nat64 = std::memcmp(b, kNat64, sizeof kNat64) == 0;
  if (IN6_IS_ADDR_UNSPECIFIED(&v6)) return {nullptr, true};  // this machine
  if (IN6_IS_ADDR_V4MAPPED(&v6) || IN6_IS_ADDR_V4COMPAT(&v6) || is_nat64 || is_6to4) {
    const std::uint32_t v4 = std::uint32_t{b[12]} << 24U | std::uint32_t{b[13]} << 16U |
                             std::uint32_t{b[14]} << 8U | std::uint32_t{b[15]};
    return {kind_of(v4), is_private(v4)};
  }
  constexpr std::uint8_t kMetadata[16] = {0xFD, 0, 0x0E, 0xC2, 0, 0, 0, 0,
                                          0,    0, 0,    0,    0, 0, 2, 0x54};
  if (std::memcmp(b, kMetadata, sizeof b) == 0) return {"a metadata service", true};
  if (b[0] == 0xFE && (b[1] & 0xC0U) == 0x80) return {"link-local", true};
  if (b[0] == 0xFF) return {"no address of a host", true};
  return {nullptr, (b[0] & 0xFEU) == 0xFC || (b[0] == 0xFE && (b[1] & 0xC0U) == 0xC0) ||
                       IN6_IS_ADDR_LOOPBACK(&v6)};  // also the old site-local ones
}

}  // namespace

std::string address_refusal(const sockaddr& address, bool refuses_private) {
  char text[INET6_ADDRSTRLEN] = "";
  Judgement judgement;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    const std::uint32_t number = ntohl(v4.sin_addr.s_addr);
    judgement = {kind_of(number), is_private(number)};
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    judgement = judge(v6.sin6_addr);
  } else {
    return "it is no internet address";
  }
  if (judgement.kind != nullptr) return fmt::format("{} is {}", text, judgement.kind);
  return refuses_private && judgement.is_private ? fmt::format("{} is private", text) : "";
}

std::string host_refusal(std::string_view host, bool refuses_private) {
  if (host.starts_with('[')) host = host.substr(1, host.find_first_of("]%") - 1);
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string text(host);
  sockaddr_storage storage{};
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_aton(text.c_str(), &v4.sin_addr) != 0) {
    v4.sin_family = AF_INET;
    std::memcpy(&storage, &v4, sizeof v4);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    return "";
  }
  return address_refusal(reinterpret_cast<const sockaddr&>(storage), refuses_private);
}

}  // namespace tiphys::net
