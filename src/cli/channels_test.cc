// A channel whose Secret is not there is told of when it is stored, at the place of the name.
#include "cli/channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <filesystem>

#include "store/secrets.h"

namespace tiphys::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kChannel =
    "apiVersion: notifications.tiphys.dev/v1\n"
    "kind: NotificationChannel\n"
    "metadata: {name: ops}\n"
    "spec:\n"
    "  kind: webhook\n"
    "  config:\n"
    "    url: {secretKeyRef: {name: hook, key: url}}\n"
    "    headers: {X-Key: {secretKeyRef: {name: hook, key: token}}}\n";

struct MissingSecretsTest : testing::Test {
  MissingSecretsTest() {
    std::string name = testing::TempDir() + "tiphys-channels-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~MissingSecretsTest() override { std::filesystem::remove_all(folder); }

  [[nodiscard]] std::vector<std::string> told(const std::string& text,
                                              const std::string& name_space = "") const {
    Documents documents;
    documents.manifests = spec::load_manifests(text, "c.yaml", documents.findings);
    EXPECT_THAT(documents.findings, IsEmpty());
    std::vector<std::string> out;
    for (const diag::Diagnostic& d : missing_secrets(documents, secrets(), name_space)) {
      EXPECT_EQ(d.severity, diag::Severity::kWarning);
      out.push_back(fmt::format("{}:{} {}", d.error.at.line, d.error.at.column, d.error.message));
    }
    return out;
  }
  [[nodiscard]] std::string secrets() const { return folder + "/secrets.json"; }

  std::string folder;
};

constexpr const char* kNone =
    "channel 'ops': there is no Secret 'hook' in namespace 'default': nothing can be sent without "
    "it";

TEST_F(MissingSecretsTest, EachReferenceHasItsPlace) {
  EXPECT_THAT(told(kChannel),
              ElementsAre(fmt::format("7:32 {}", kNone), fmt::format("8:44 {}", kNone)));
}

TEST_F(MissingSecretsTest, StoredOnesAndThoseBesideItCount) {
  ASSERT_TRUE(store::Secrets(secrets()).put("default", "hook", {{"url", "u"}, {"token", "t"}}));
  EXPECT_THAT(told(kChannel), IsEmpty());
  EXPECT_THAT(told(kChannel, "other"), testing::SizeIs(2)) << "it is of another namespace";
  const std::string beside =
      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: hook}\nstringData: {url: x}\n";
  EXPECT_THAT(told(kChannel + beside),
              ElementsAre("8:55 channel 'ops': Secret 'hook' in namespace 'default' has no key "
                          "'token': nothing can be sent without it"))
      << "it will replace the stored one";
}

TEST(PlainSecrets, AreToldAtTheirPlace) {
  Documents documents;
  documents.manifests = spec::load_manifests(
      "apiVersion: notifications.tiphys.dev/v1\n"
      "kind: NotificationChannel\n"
      "metadata: {name: ops}\n"
      "spec:\n"
      "  kind: webhook\n"
      "  config:\n"
      "    url: https://u:pw@h.example/in\n"
      "    signingSecrets: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw]\n"
      "    headers: {Authorization: {secretKeyRef: {name: hook, key: token}}}\n",
      "c.yaml", documents.findings);
  std::vector<std::string> told;
  for (const diag::Diagnostic& d : plain_secrets(documents)) {
    EXPECT_EQ(d.severity, diag::Severity::kWarning);
    told.push_back(fmt::format("{}:{} {}", d.error.at.line, d.error.at.column, d.error.message));
  }
  EXPECT_THAT(
      told,
      ElementsAre("7:10 channel 'ops': url has a password in it: give it as secretKeyRef",
                  "8:22 channel 'ops': signingSecrets/0 is a secret in plain text: give it as "
                  "secretKeyRef"));
}

}  // namespace
}  // namespace tiphys::cli
