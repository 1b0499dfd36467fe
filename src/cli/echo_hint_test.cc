// Who runs goldens without their server is told how to start it, and nobody else is.
#include "cli/echo_hint.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tiphys::cli {
namespace {

struct EchoHintTest : testing::Test {
  EchoHintTest() {
    std::string name = testing::TempDir() + "tiphys-echo-XXXXXX";
    folder = mkdtemp(name.data());
    // A port that is bound is nobody else's, and until listen() nobody answers there.
    socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = std::to_string(ntohs(address.sin_port));
  }
  ~EchoHintTest() override {
    ::close(socket);
    std::filesystem::remove_all(folder);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name) << text;
  }

  std::string folder;
  std::string port;
  int socket = -1;
};

TEST_F(EchoHintTest, IsForThoseWhoNeedTheServer) {
  write("a.yaml", "url: http://127.0.0.1:" + port + "/x");
  write("b.yaml", "command: ['true']");
  EXPECT_EQ(echo_hint(folder, {"a", "b"}), "") << "there is no such server";
  write("echo_server.py", "PORT = " + port);
  EXPECT_EQ(echo_hint(folder, {"a", "b"}),
            "note: 1 of the goldens calls 127.0.0.1:" + port +
                ", where nobody answers; start their server first: python3 " + folder +
                "/echo_server.py " + port);
  EXPECT_EQ(echo_hint(folder, {"b"}), "");
  write("echo_server.py", "PORT = none");
  EXPECT_EQ(echo_hint(folder, {"a", "b"}), "") << "the steps serve that port";
}

TEST_F(EchoHintTest, IsNotForThoseWhoHaveStartedIt) {
  write("a.yaml", "url: http://127.0.0.1:" + port + "/x");
  write("echo_server.py", "PORT = " + port);
  ASSERT_EQ(::listen(socket, 1), 0);
  EXPECT_EQ(echo_hint(folder, {"a"}), "");
}

}  // namespace
}  // namespace tiphys::cli
