// A receiver with a Standard Webhooks library must take our signature, also while keys change.
#include "notify/standard_webhooks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "notify/hmac.h"

namespace tiphys::notify {
namespace {

// The example of the specification's own libraries.
constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr const char* kBody = R"({"test": 2432232314})";
constexpr const char* kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
constexpr clock::Instant kAt = {1'614'265'330'999'000'000};

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[c & 15];
  }
  return out;
}

TEST(WebhookHeaders, SignAsTheSpecificationDoes) {
  const auto headers = webhook_headers(kId, kAt, kBody, {kSecret});
  ASSERT_TRUE(headers);
  EXPECT_EQ(*headers, (HeaderList{{"webhook-id", kId},
                                  {"webhook-timestamp", "1614265330"},
                                  {"webhook-signature", kSignature}}));
}

TEST(WebhookHeaders, SignWithEachSecret) {
  const auto headers = webhook_headers(kId, kAt, kBody, {"whsec_bmV3", kSecret, "plain text"});
  ASSERT_TRUE(headers);
  const std::string& signatures = headers->back().second;
  EXPECT_EQ(std::ranges::count(signatures, ' '), 2);
  EXPECT_NE(signatures.find(std::string(" ") + kSignature + " "), std::string::npos) << signatures;
}

TEST(WebhookHeaders, HaveNoSignatureWithoutASecret) {
  EXPECT_EQ(webhook_headers(kId, kAt, kBody, {})->size(), 2U);
}

TEST(WebhookHeaders, TellOfABadSecretWithoutShowingIt) {
  for (const char* bad : {"whsec_", "whsec_a!b"}) {
    const auto headers = webhook_headers(kId, kAt, kBody, {bad});
    ASSERT_FALSE(headers) << bad;
    EXPECT_EQ(headers.error().message, "signing secret: no base64 after 'whsec_'");
  }
}

// RFC 4231, cases 2 and 6.
TEST(Hmac, IsThatOfTheRfc) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hmac_sha256("", "").size(), 32U);
}

}  // namespace
}  // namespace tiphys::notify
