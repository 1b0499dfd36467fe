#include "cli/echo_hint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <re2/re2.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "cli/inputs.h"

namespace tiphys::cli {

namespace {

bool answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // nobody knows
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_up = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return is_up;
}

}  // namespace

std::string echo_hint(const std::string& folder, const std::vector<std::string>& names) {
  static const RE2 kCall(R"(https?://(?:127\.0\.0\.1|localhost):(\d{1,5})\b)");
  const std::string server = folder + "/echo_server.py";
  if (!std::filesystem::exists(server)) return "";
  const std::string source = read_file(server).value_or("");
  std::map<int, std::size_t> callers;  // by port
  for (const std::string& name : names) {
    const std::string text = read_file(fmt::format("{}/{}.yaml", folder, name)).value_or("");
    re2::StringPiece rest(text);
    std::set<int> ports;
    for (int port = 0; RE2::FindAndConsume(&rest, kCall, &port);) ports.insert(port);
    for (const int port : ports) ++callers[port];
  }
  for (const auto& [port, count] : callers) {
    // Steps may serve ports of their own.
    if (port > 65535 || source.find(std::to_string(port)) == std::string::npos) continue;
    if (answers(static_cast<std::uint16_t>(port))) continue;
    return fmt::format(
        "note: {} of the goldens {} 127.0.0.1:{}, where nobody answers; start their server first: "
        "python3 {} {}",
        count, count == 1 ? "calls" : "call", port, server, port);
  }
  return "";
}

}  // namespace tiphys::cli
