// What clients of HTTP read in headers and write in URLs.
#include "net/http_text.h"

#include <gtest/gtest.h>

namespace tiphys::net {
namespace {

TEST(HttpText, EncodesWhatAUrlCannotHold) {
  EXPECT_EQ(uri_encoded("a b/\xc3\xa9~"), "a%20b%2F%C3%A9~");
  EXPECT_EQ(uri_encoded("/a b", true), "/a%20b");
}

TEST(HttpText, FindsTheStatusOfAnAnswer) {
  EXPECT_EQ(status_in("HTTP/1.1 429 Too Many Requests\r\n"), 429);
  EXPECT_EQ(status_in("HTTP/2 200\r\n"), 200);
  EXPECT_EQ(status_in("HTTP/1.1\r\n"), 0);
  EXPECT_EQ(status_in("Server: HTTP/1.1 200\r\n"), std::nullopt);
}

TEST(HttpText, FindsAHeaderHoweverItIsWritten) {
  EXPECT_EQ(header_value("Retry-After: 7\r\n", "retry-after"), "7");
  EXPECT_EQ(header_value("ETAG:\"a b\" \t\r\n", "etag"), "\"a b\"");
  EXPECT_EQ(header_value("etag: \r\n", "etag"), "");
  EXPECT_EQ(header_value("etag:", "etag"), "");
  EXPECT_EQ(header_value("etags: 1\r\n", "etag"), std::nullopt);
  EXPECT_EQ(header_value("etag", "etag"), std::nullopt);
  EXPECT_EQ(header_value("", "etag"), std::nullopt);
}

}  // namespace
}  // namespace tiphys::net
