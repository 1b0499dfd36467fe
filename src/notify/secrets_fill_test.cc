// A receiver that repeats what it was sent must not get a secret into a log.
#include "notify/secrets_fill.h"

#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::notify {

namespace {

std::vector<std::string> secrets_of(const std::string& text) {
  const auto config = *value::parse_json(R"({"f": {"secretKeyRef": {"name": "n", "key": "k"}}})");
  const auto filled =
      fill_secrets(config, [&](const std::string&, const std::string&) { return text; });
  return filled ? filled->secrets : std::vector<std::string>();
}

}  // namespace

TEST(SecretsFill, RedactsWhatASecretLooksLikeElsewhere) {
  const auto redact = [](const std::string& secret, const std::string& text) {
    return redacted(text, secrets_of(secret));
  };
  EXPECT_EQ(redact("a/b+c\"d", "x a/b+c\"d a%2Fb%2Bc%22d a/b+c\\\"d"), "x *** *** ***");
  EXPECT_EQ(redact("https://h.example/services/T0/B0/Zs8k3k2jd", "POST /services/T0/B0/Zs8k3k2jd"),
            "POST /***");
  EXPECT_EQ(redact("https://h.example/services/T0/Zs8k3k2jd", "no such hook: Zs8k3k2jd"),
            "no such hook: ***");
  EXPECT_EQ(redact("https://h.example/in?key=Zs8k3k2jd", "key Zs8k3k2jd"), "key ***");
  EXPECT_EQ(redact("https://h.example/in", "in the end"), "in the end");
  EXPECT_EQ(redact("Bearer Zs8k3k2jd", "token Zs8k3k2jd"), "token ***");
  EXPECT_EQ(redact("abc", "abc"), "abc");
}

TEST(SecretsFill, CredentialsOfARequestAreSecrets) {
  std::vector<std::string> secrets = {"pass"};
  HttpRequest request;
  request.headers = {{"Authorization", "Basic dTpwYXNzd29yZA=="}, {"X", "plain"}};
  add_credentials_of(request, secrets);
  EXPECT_EQ(secrets, (std::vector<std::string>{"dTpwYXNzd29yZA==", "pass"}));
  add_credentials_of(MailRequest{}, secrets);
  EXPECT_EQ(secrets.size(), 2U);
}

}  // namespace tiphys::notify
