// Where a command listens for HTTP.
#pragma once

#include <string>

#include "diag/error.h"
#include "net/http_server.h"

namespace tiphys::cli {

/// `ADDRESS:PORT`; without an ADDRESS (`:9090`) it is this machine only. Errors: what is wrong with
/// the flag `--listen`.
[[nodiscard]] diag::Result<net::HttpServer::Options> parse_listen(const std::string& text);

/// `127.0.0.1:9090`, `[::1]:9090`.
[[nodiscard]] std::string listen_text(const net::HttpServer::Options& options, std::uint16_t port);

}  // namespace tiphys::cli
