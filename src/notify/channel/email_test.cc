// A mail must be what RFC 5322 and MIME want, to one recipient, with no header but ours.
#include "notify/channel/channel_fixture.h"
#include "notify/channel/mail_text.h"

namespace tiphys::notify {
namespace {

constexpr const char* kConfig = R"({"host": "smtp.x", "from": "CI <ci@x.org>"})";

struct EmailTest : ChannelTest {
  EmailTest() { succeed(); }

  std::string mail(std::string_view message, std::string_view config = kConfig) const {
    return ask<MailRequest>("email", config, message, "a@b.org").message;
  }
  /// The lines of the header that begin with `name`.
  std::string head(std::string_view name, std::string_view message) const {
    const std::string all = mail(message);
    const std::size_t begin = all.find("\r\n" + std::string(name) + ":") + 2;
    std::size_t end = all.find("\r\n", begin);
    while (all[end + 2] == ' ') end = all.find("\r\n", end + 2);
    return all.substr(begin, end - begin);
  }
  static std::vector<std::string> recipients(std::string_view config, std::string_view message) {
    return find_channel("email")->destinations(json(config), json(message));
  }
};

TEST_F(EmailTest, IsPlainTextAndHtml) {
  EXPECT_EQ(mail(R"({"title": "T", "text": "größer < 1 & \"x\"\n.dot", "link": "https://l"})"),
            "From: CI <ci@x.org>\r\n"
            "To: a@b.org\r\n"
            "Subject: T\r\n"
            "Date: Thu, 26 Nov 2026 10:01:06 +0000\r\n"
            "Message-ID: <msg_2x9Zq0cT@x.org>\r\n"
            "References: <0b5c2d6e-77aa-4a1b-9c1e-0123456789ab@x.org>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=\"=_tiphys_alternative\"\r\n"
            "\r\n"
            "--=_tiphys_alternative\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "T\r\n"
            "\r\n"
            "gr=C3=B6=C3=9Fer < 1 & \"x\"\r\n"
            "=2Edot\r\n"
            "\r\n"
            "https://l\r\n"
            "--=_tiphys_alternative\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "<!DOCTYPE html>\r\n"
            "<html><body style=3D\"font-family:sans-serif\">\r\n"
            "<h3 style=3D\"color:#2EA44F\">T</h3>\r\n"
            "<div>\r\n"
            "gr=C3=B6=C3=9Fer &lt; 1 &amp; &quot;x&quot;<br>\r\n"
            "=2Edot<br>\r\n"
            "</div>\r\n"
            "<p><a href=3D\"https://l\">Open the workflow</a></p>\r\n"
            "</body></html>\r\n"
            "--=_tiphys_alternative--\r\n");
}

TEST_F(EmailTest, GoesToEachRecipientAlone) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(recipients(R"({"to": "a@x, b@x c@x;d@x,a@x"})", "null"),
            (Texts{"a@x", "b@x", "c@x", "d@x"}));
  EXPECT_EQ(recipients(R"({"to": ["a@x", "B C <b@x>"]})", "null"), (Texts{"a@x", "B C <b@x>"}));
  EXPECT_EQ(recipients(R"({"to": "a@x"})", R"({"to": "B C <b@x>, c@x"})"),
            (Texts{"B C <b@x>", "c@x"}));
  EXPECT_EQ(recipients("{}", "null"), Texts{""});
  const auto r = ask<MailRequest>("email", kConfig, "null", "Ærø <b@x>");
  EXPECT_EQ(r.to, "b@x");
  EXPECT_EQ(r.from, "ci@x.org");
  EXPECT_NE(r.message.find("To: =?utf-8?B?w4Zyw7g=?= <b@x>\r\n"), std::string::npos);
  EXPECT_EQ(refusal("email", kConfig), "to: required");
}

TEST_F(EmailTest, ReachesTheServerAsConfigured) {
  auto r = ask<MailRequest>("email", kConfig, "null", "a@b");
  EXPECT_EQ(r.host, "smtp.x");
  EXPECT_EQ(r.port, 587);
  EXPECT_EQ(r.security, MailRequest::Security::kStartTls);
  EXPECT_EQ(r.user, "");
  r = ask<MailRequest>("email", R"({"host": "h", "from": "a@b", "security": "True", "username": "u",
      "password": "p", "insecureSkipVerify": true})",
                       "null", "a@b");
  EXPECT_EQ(r.port, 465);
  EXPECT_EQ(r.security, MailRequest::Security::kTls);
  EXPECT_EQ(r.user + r.password, "up");
  EXPECT_TRUE(r.skips_verification);
  r = ask<MailRequest>("email", R"({"host": "h", "from": "a@b", "security": "none", "port": 2525})",
                       "null", "a@b");
  EXPECT_EQ(r.port, 2525);
  EXPECT_EQ(r.security, MailRequest::Security::kNone);
}

TEST_F(EmailTest, EncodesSubjectsAndFoldsThem) {
  EXPECT_EQ(head("Subject", R"({"title": "Grüße"})"), "Subject: =?utf-8?B?R3LDvMOfZQ==?=");
  EXPECT_EQ(head("Subject", R"({"title": "=?utf-8?B?QQ==?="})"),
            "Subject: =?utf-8?B?PT91dGYtOD9CP1FRPT0/PQ==?=")
      << "must be shown as it is";
  std::string words;
  for (int i = 0; i < 40; ++i) words += "world ";
  for (const std::string& title : {words, std::string(200, 'x'), "世界" + words}) {
    const std::string got = head("Subject", value::to_json(value::Map{{"title", title}}));
    std::size_t begin = 0;
    while (begin < got.size()) {
      const std::size_t end = std::min(got.find("\r\n", begin), got.size());
      EXPECT_LE(end - begin, 78U) << got;
      begin = end + 2;
    }
  }
}

TEST_F(EmailTest, CannotBeMadeToHaveOtherHeaders) {
  const char* why = "title: has a line break or control character";
  EXPECT_EQ(refusal("email", kConfig, R"({"title": "a\r\nBcc: x@y"})", "a@b"), why);
  EXPECT_EQ(refusal("email", kConfig, R"({"title": "a\nBcc: x@y"})", "a@b"), why);
  EXPECT_EQ(head("Subject", R"({"title": "a\n"})"), "Subject: a") << "at its end it is none";
  for (const char* to : {"a@b\r\nBcc: x@y", "a@b\n", "a@b, c@d", "a b@c", "a", "@b", "a@", "a@b@c",
                         "<a@b", "x <a@b> y", "é@b", "-oQ@b", "a@b>", "\"a\"@b", "a@b\r"}) {
    EXPECT_NE(refusal("email", kConfig, "null", to), "") << to;
  }
  EXPECT_NE(refusal("email", R"({"host": "h", "from": "a@b\r\nBcc: c@d"})", "null", "a@b"), "");
  EXPECT_NE(refusal("email", R"({"host": "h\r\nRCPT", "from": "a@b"})", "null", "a@b"), "");
  EXPECT_NE(
      refusal("email", kConfig, R"({"attachments": [{"name": "a\r\nX: y", "text": "x"}]})", "a@b"),
      "");
  EXPECT_NE(
      refusal("email", kConfig,
              R"({"attachments": [{"name": "a", "text": "x", "contentType": "a/b\r\nX: y"}]})",
              "a@b"),
      "");
}

TEST_F(EmailTest, HasAttachments) {
  const std::string got = mail(R"({"text": "t", "attachments": [
      {"name": "näme \"1\".txt", "text": "hello"},
      {"name": "b.bin", "base64": "AAEC", "contentType": "image/png"}]})");
  EXPECT_NE(got.find("Content-Type: multipart/mixed; boundary=\"=_tiphys_mixed\"\r\n\r\n"
                     "--=_tiphys_mixed\r\nContent-Type: multipart/alternative;"),
            std::string::npos);
  EXPECT_TRUE(
      got.ends_with("--=_tiphys_alternative--\r\n"
                    "--=_tiphys_mixed\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Disposition: attachment; filename=\"n_me \\\"1\\\".txt\";\r\n"
                    " filename*=utf-8''n%C3%A4me%20%221%22.txt\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
                    "--=_tiphys_mixed\r\n"
                    "Content-Type: image/png\r\n"
                    "Content-Disposition: attachment; filename=\"b.bin\"\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n"
                    "--=_tiphys_mixed--\r\n"))
      << got;
  EXPECT_EQ(refusal("email", kConfig, R"({"attachments": [{"name": "a"}]})", "a@b"),
            "message.attachments: want text or base64");
  EXPECT_EQ(refusal("email", kConfig, R"({"attachments": [{"nme": "a"}]})", "a@b"),
            "message.attachments.name: required");
}

TEST_F(EmailTest, AttachesTheLogsOfFailedSteps) {
  notice.event = json(kSampleEvent);
  EXPECT_NE(mail("null").find("filename=\"compile.log\""), std::string::npos);
  EXPECT_EQ(mail(R"({"attachLogs": false})").find("filename"), std::string::npos);
  EXPECT_EQ(mail("null", R"({"host": "h", "from": "a@b", "attachLogs": false})").find("filename"),
            std::string::npos);
  fail_with("log", std::string(11UL * 1024 * 1024, 'x'));
  EXPECT_LT(mail("null").size(), 100'000U) << "too large for many servers";
}

TEST_F(EmailTest, JudgesReplyCodes) {
  using Kind = Verdict::Kind;
  EXPECT_EQ(judge("email", 250, "").kind, Kind::kDelivered);
  EXPECT_EQ(judge("email", 421, "busy").kind, Kind::kRetry);
  EXPECT_EQ(judge("email", 451, "").kind, Kind::kRetry);
  EXPECT_EQ(judge("email", 550, "no such\r\nuser").kind, Kind::kRefused);
  EXPECT_EQ(judge("email", 550, "no such\r\nuser").reason, "SMTP 550: no such user");
  EXPECT_EQ(judge("email", 0, "").kind, Kind::kRetry);
  const Verdict v = find_channel("email")->judge(
      {.status = 0, .headers = {}, .body = "", .error = "connection refused"}, now);
  EXPECT_EQ(v.kind, Kind::kRetry);
  EXPECT_EQ(v.reason, "connection refused");
}

TEST_F(EmailTest, HasProblems) {
  EXPECT_EQ(problems("email", R"({"host": "a b", "from": "x", "to": "y@z, q", "port": "99999",
      "security": "ssl", "password": "p"})"),
            "security: want one of starttls, tls, none\n"
            "port: want a number from 1 to 65535\n"
            "host: want a name or an address\n"
            "from: want NAME@DOMAIN or TEXT <NAME@DOMAIN>\n"
            "to: \"q\" is no address\n"
            "username: required with a password");
}

TEST(QuotedPrintable, HasShortLinesThatEndWhereTheTextsDo) {
  EXPECT_EQ(quoted_printable("a \nb\t\n=\n"), "a=20\r\nb=09\r\n=3D\r\n");
  EXPECT_EQ(quoted_printable("From x\n.\nFoo"), "=46rom x\r\n=2E\r\nFoo\r\n");
  EXPECT_EQ(quoted_printable(std::string(76, 'x')), std::string(76, 'x') + "\r\n");
  EXPECT_EQ(quoted_printable(std::string(77, 'x')), std::string(75, 'x') + "=\r\nxx\r\n");
  EXPECT_EQ(quoted_printable(std::string(74, 'x') + "é"), std::string(74, 'x') + "=\r\n=C3=A9\r\n");
  EXPECT_EQ(quoted_printable(""), "");
}

TEST(MailboxText, IsQuotedOrEncodedWhereNeeded) {
  EXPECT_EQ(mailbox_text(*parse_mailbox("\"Doe, \\\"J\" <a@b>")), "\"Doe, \\\\\\\"J\" <a@b>");
  EXPECT_EQ(mailbox_text(*parse_mailbox("A B <a@b>")), "A B <a@b>");
  EXPECT_EQ(mailbox_text(*parse_mailbox("<a+b@c.d>")), "a+b@c.d");
}

}  // namespace
}  // namespace tiphys::notify
