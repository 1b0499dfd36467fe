// A parameter of a workflow must not make the engine speak to a cloud's metadata service.
#include "net/addresses.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace tiphys::net {

namespace {

std::string refusal(const char* text, bool refuses_private = false) {
  sockaddr_storage storage{};
  if (std::strchr(text, ':') != nullptr) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    ::inet_pton(AF_INET6, text, &v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    ::inet_pton(AF_INET, text, &v4.sin_addr);
    std::memcpy(&storage, &v4, sizeof v4);
  }
  return address_refusal(reinterpret_cast<const sockaddr&>(storage), refuses_private);
}

}  // namespace

TEST(Addresses, RefusesLinkLocalAndMetadataAlways) {
  EXPECT_EQ(refusal("169.254.169.254"), "169.254.169.254 is link-local");
  EXPECT_EQ(refusal("::ffff:169.254.169.254"), "::ffff:169.254.169.254 is link-local");
  EXPECT_NE(refusal("100.100.100.100"), "");
  EXPECT_NE(refusal("::169.254.169.254"), "");
  EXPECT_NE(refusal("64:ff9b::169.254.169.254"), "");
  EXPECT_NE(refusal("2002:a9fe:a9fe::1"), "");
  EXPECT_NE(refusal("fe80::1"), "");
  EXPECT_NE(refusal("fd00:ec2::254"), "");
  EXPECT_NE(refusal("224.0.0.1"), "");
}

TEST(Addresses, RefusesPrivateOnesWhenToldTo) {
  for (const char* text :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fc00::1", "::", "fec0::1",
        "64:ff9b::10.0.0.1", "2002:a00:1::", "::ffff:10.0.0.1", "0.0.0.0"}) {
    EXPECT_EQ(refusal(text), "") << text;
    EXPECT_NE(refusal(text, true), "") << text;
  }
  EXPECT_EQ(refusal("93.184.216.34", true), "");
  EXPECT_EQ(refusal("172.32.0.1", true), "");
  EXPECT_EQ(refusal("2606:2800:220:1::1", true), "");
  EXPECT_EQ(refusal("64:ff9b::93.184.216.34", true), "");
}

TEST(Addresses, KnowsAHostThatIsAnAddressAsEveryoneWritesThem) {
  for (const char* host : {"169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
                           "169.254.43518", "169.254.169.254.", "[::ffff:169.254.169.254]",
                           "[fe80::1]", "[fe80::1%25eth0]", "fe80::1"}) {
    EXPECT_THAT(host_refusal(host, false), testing::HasSubstr("is link-local")) << host;
  }
  for (const char* host : {"10.0.0.1", "127.1", "[::1]", "0"}) {
    EXPECT_EQ(host_refusal(host, false), "") << host;
    EXPECT_THAT(host_refusal(host, true), testing::HasSubstr("is private")) << host;
  }
  for (const char* host : {"", "[", "localhost", "example.com", "93.184.216.34", "[]"}) {
    EXPECT_EQ(host_refusal(host, true), "") << host;
  }
}

}  // namespace tiphys::net
