// A small HTTP/1.1 server for programs on this machine or in the same pod: each request is answered
// by a function.
//
// One thread, many connections, kept alive. Not for the open internet: no TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"

namespace tiphys::net {

struct HttpServerRequest {
  std::string method;
  std::string target;         // path and query
  std::string authorization;  // the header, or ""
  std::string body;
};

struct HttpServerAnswer {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // more of them: name and text
};

class HttpServer {
 public:
  using Handler = std::function<HttpServerAnswer(const HttpServerRequest&)>;
  struct Options {
    std::string address = "127.0.0.1";  // an IP address
    std::uint16_t port = 0;             // 0: any free one
    std::size_t body_max = 4U << 20U;   // larger ones are answered 413
    /// A request must be whole within this, and a connection may be idle as long.
    clock::Duration patience = clock::Duration::seconds(60);
  };

  /// Listens at once; requests are answered from start() on. Errors: kIo with the address.
  [[nodiscard]] static diag::Result<std::unique_ptr<HttpServer>> listen(const Options& options);
  HttpServer() = default;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  /// Closes connections and waits for the thread.
  virtual ~HttpServer() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  /// `handler` is called in the server's thread, one call at a time. Call it once.
  virtual void start(Handler handler) = 0;
};

}  // namespace tiphys::net
