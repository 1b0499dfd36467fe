// A server must answer what it is asked, keep connections, and outlive clients that go or lie.
#include "net/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

struct HttpServerTest : testing::Test {
  void SetUp() override {
    auto made = HttpServer::listen({.body_max = 1000});
    ASSERT_TRUE(made) << made.error().message;
    server = std::move(*made);
    server->start([](const HttpServerRequest& r) -> HttpServerAnswer {
      return {.status = r.target == "/missing" ? 404 : 200,
              .content_type = "text/plain",
              .body = r.method + " " + r.target + " " + r.authorization + " " + r.body,
              .headers = {{"X-Target", r.target}, {"X-Two", "a"}, {"X-Two", "b"}}};
    });
  }
  [[nodiscard]] int connect() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  /// What comes until `end`, or until the connection is closed.
  static std::string read_until(int fd, const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && ::read(fd, &c, 1) == 1) text += c;
    return text;
  }
  static void write(int fd, const std::string& text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, AnswersOneRequestAfterTheOther) {
  const int fd = connect();
  for (int i = 0; i < 3; ++i) {
    write(fd,
          "POST /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n\r\nhi");
    const std::string answer = read_until(fd, "POST /a Bearer t hi");
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, EndsWith("POST /a Bearer t hi"));
  }
  ::close(fd);
}

TEST_F(HttpServerTest, GivesTheStatusOfItsFunction) {
  const int fd = connect();
  write(fd, "GET /missing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(read_until(fd, "\x01"), HasSubstr("HTTP/1.1 404 Not Found\r\n"));  // until it closes
  ::close(fd);
}

TEST_F(HttpServerTest, SendsTheHeadersOfItsFunction) {
  const int fd = connect();
  write(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = read_until(fd, "\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("X-Target: /x\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Two: a\r\nX-Two: b\r\n"));
  ::close(fd);
}

TEST_F(HttpServerTest, RefusesWhatIsTooLarge) {
  const int fd = connect();
  write(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_THAT(read_until(fd, "\r\n"), HasSubstr("413"));
  ::close(fd);
}

TEST_F(HttpServerTest, OutlivesWhoGoesOrTalksNonsense) {
  for (const char* text : {"", "POST /a HTTP/1.1\r\nContent-Le", "\xff\xfe nonsense\r\n\r\n"}) {
    const int fd = connect();
    write(fd, text);
    ::close(fd);
  }
  const int fd = connect();
  write(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(read_until(fd, "\r\n"), HasSubstr("200"));
  ::close(fd);
}

TEST_F(HttpServerTest, TellsOfAnAddressThatIsTaken) {
  const auto second = HttpServer::listen({.port = server->port()});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_FALSE(HttpServer::listen({.address = "nowhere"}));
}

}  // namespace
}  // namespace tiphys::net
