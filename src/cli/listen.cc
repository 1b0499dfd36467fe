#include "cli/listen.h"

#include <fmt/format.h>

#include "cli/command.h"

namespace tiphys::cli {

diag::Result<net::HttpServer::Options> parse_listen(const std::string& text) {
  net::HttpServer::Options options;
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool is_number =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == port.npos;
  if (!is_number || std::stoi(port) > 65535) {
    return wrong_usage(fmt::format("--listen '{}': want ADDRESS:PORT", text));
  }
  options.port = static_cast<std::uint16_t>(std::stoi(port));
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  if (!address.empty()) options.address = address == "localhost" ? "127.0.0.1" : address;
  return options;
}

std::string listen_text(const net::HttpServer::Options& options, std::uint16_t port) {
  const bool is_v6 = options.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", options.address, is_v6 ? "]" : "", port);
}

}  // namespace tiphys::cli
