#include "net/http_server.h"

#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace tiphys::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// One client; lives as long as its connection.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const HttpServer::Options& options,
             const HttpServer::Handler& handler)
      : stream_(std::move(socket)), options_(options), handler_(handler) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(options_.body_max);
    stream_.expires_after(std::chrono::nanoseconds(options_.patience.ns));
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
  }

 private:
  void on_read(error_code error) {
    if (error == http::error::body_limit) {
      return answer({.status = 413, .content_type = "text/plain", .body = "too large\n"}, false);
    }
    if (error) return;  // it has gone, or says nothing that could be answered
    const auto& message = parser_->get();
    const HttpServerRequest request{
        .method = std::string(message.method_string()),
        .target = std::string(message.target()),
        .authorization = std::string(message[http::field::authorization]),
        .body = message.body()};
    answer(handler_(request), message.keep_alive());
  }

  void answer(HttpServerAnswer what, bool keeps_alive) {
    response_ = {static_cast<http::status>(what.status), 11};
    response_.set(http::field::content_type, what.content_type);
    for (const auto& [name, text] : what.headers) response_.insert(name, text);
    response_.body() = std::move(what.body);
    response_.keep_alive(keeps_alive);
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keeps_alive](error_code error, std::size_t) {
                        if (!error && keeps_alive) return self->read();
                        error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                      });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  const HttpServer::Options& options_;
  const HttpServer::Handler& handler_;
};

class BeastServer final : public HttpServer {
 public:
  explicit BeastServer(Options options) : options_(std::move(options)), acceptor_(context_) {}
  ~BeastServer() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] diag::Result<void> open() {
    error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (!error) {
      const tcp::endpoint at(address, options_.port);
      acceptor_.open(at.protocol(), error);
      if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
      if (!error) acceptor_.bind(at, error);
      if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (!error) return {};
    return diag::fail(diag::Code::kIo, fmt::format("cannot listen on {}:{}: {}", options_.address,
                                                   options_.port, error.message()));
  }

  [[nodiscard]] std::uint16_t port() const override {
    error_code error;
    return acceptor_.local_endpoint(error).port();
  }

  void start(Handler handler) override {
    handler_ = std::move(handler);
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::make_shared<Connection>(std::move(socket), options_, handler_)->read();
      }
      if (acceptor_.is_open()) accept();
    });
  }

  const Options options_;
  Handler handler_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace

diag::Result<std::unique_ptr<HttpServer>> HttpServer::listen(const Options& options) {
  auto server = std::make_unique<BeastServer>(options);
  TRY_VOID(server->open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace tiphys::net
