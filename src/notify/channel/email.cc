#include <algorithm>

#include <fmt/format.h>

#include "clock/strftime.h"
#include "net/http_text.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/channel/mail_parts.h"
#include "notify/channel/mail_text.h"

namespace tiphys::notify {

namespace {

using Security = MailRequest::Security;

constexpr Field kConfig[] = {
    {"host", FieldKind::kText, true},
    {"port"},
    {"security"},
    {"username"},
    {"password"},
    {"from", FieldKind::kText, true},
    {"to", FieldKind::kTexts},
    {"replyTo", FieldKind::kPlain},
    {"subjectPrefix", FieldKind::kPlain},
    {"attachLogs", FieldKind::kBool},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"to", FieldKind::kTexts},
    {"html", FieldKind::kAny},
    {"attachments", FieldKind::kList},
    {"attachLogs", FieldKind::kBool},
};

constexpr std::size_t kSubjectMax = 250;

// The mailboxes of a list, or of a text with commas between; blanks are between addresses only.
std::vector<std::string> mailboxes_in(const value::Value& field) {
  std::vector<std::string> out;
  for (const std::string& text : texts_in(field)) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find_first_of(",;\n"), rest.size());
      const std::string_view piece = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (piece.find('<') == std::string_view::npos) {
        for (std::string& word : words_in(piece)) out.push_back(std::move(word));
      } else {
        out.push_back(clean_line(piece));
      }
    }
  }
  std::vector<std::string> unique;
  for (std::string& word : out) {
    if (std::ranges::find(unique, word) == unique.end()) unique.push_back(std::move(word));
  }
  return unique;
}

// `True` and `False` are what the secret of step-notify-email has in `tls`, where they mean these.
std::optional<Security> security_of(std::string_view word) {
  if (word.empty() || word == "starttls") return Security::kStartTls;
  if (word == "tls" || word == "True" || word == "true") return Security::kTls;
  if (word == "none" || word == "False" || word == "false") return Security::kNone;
  return std::nullopt;
}

// 0 for what is no port; `port` may be empty.
int port_of(std::string_view port, Security security) {
  if (port.empty()) {
    constexpr int kSmtp = 25;
    constexpr int kSubmission = 587;
    constexpr int kSubmissions = 465;
    if (security == Security::kNone) return kSmtp;
    return security == Security::kTls ? kSubmissions : kSubmission;
  }
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  const int number = std::stoi(std::string(port));
  return number <= 65535 ? number : 0;
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

// All but letters, digits and `.-_` as =XX, which an id of RFC 5322 can hold.
std::string id_text(std::string_view id) {
  std::string out = net::uri_encoded(id);
  std::ranges::replace(out, '%', '=');
  std::ranges::replace(out, '~', '-');
  return out;
}

std::string headers_of(const Draft& draft, const Mailbox& from, const Mailbox& to,
                       const std::string& subject) {
  const std::string domain = from.address.substr(from.address.find('@') + 1);
  std::string out = folded_header("From", mailbox_text(from));
  out += folded_header("To", mailbox_text(to));
  if (const auto reply = parse_mailbox(text_in(draft.config, "replyTo"))) {
    out += folded_header("Reply-To", mailbox_text(*reply));
  }
  out += folded_header("Subject", encoded_header(subject));
  out += folded_header("Date", clock::strftime("%a, %d %b %Y %H:%M:%S +0000", draft.now));
  out += folded_header("Message-ID", fmt::format("<{}@{}>", id_text(draft.notice.id), domain));
  const std::string uid = plain_text(draft.notice.event["workflow"]["uid"]);
  // mails of one workflow are one conversation
  if (!uid.empty())
    out += folded_header("References", fmt::format("<{}@{}>", id_text(uid), domain));
  return out + "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
}

diag::Result<std::string> subject_of(const Draft& draft, const Words& words) {
  std::string title = words.title;
  if (title.empty()) title = default_message(draft.notice).title;
  std::string subject = fit_text(text_in(draft.config, "subjectPrefix") + title, {kSubjectMax});
  if (!is_header_text(subject)) return refuse("title: has a line break or control character");
  return subject;
}

class Email final : public FieldChannel {
 public:
  Email() : FieldChannel(kConfig, kMessage) {}

  [[nodiscard]] std::vector<std::string> destinations(const value::Value& config,
                                                      const value::Value& message) const override {
    std::vector<std::string> out = mailboxes_in(either(message, config, "to"));
    if (out.empty()) out.emplace_back();
    return out;
  }

  [[nodiscard]] bool wants_logs(const value::Value& config,
                                const value::Value& message) const override {
    return flag_in(message, "attachLogs", flag_in(config, "attachLogs", true));
  }

  /// `status` is of SMTP: 4xx may pass, 5xx does not.
  [[nodiscard]] Verdict judge(const Answer& answer, clock::Instant) const override {
    const bool has_status = answer.status >= 200 && answer.status < 600;
    if (answer.error.empty() && answer.status >= 200 && answer.status < 300) return {};
    std::string reason = clean_line(answer.error.empty() ? answer.body : answer.error);
    if (has_status) reason = fmt::format("SMTP {}: {}", answer.status, reason);
    return {.kind = answer.status >= 500 && has_status ? Verdict::Kind::kRefused
                                                       : Verdict::Kind::kRetry,
            .reason = reason.empty() ? "no answer" : reason};
  }

 private:
  void find_problems(const value::Value& config, std::vector<std::string>& out) const override {
    const std::string word = text_in(config, "security");
    const auto security = security_of(word);
    if (!security) out.emplace_back("security: want one of starttls, tls, none");
    const std::string port = text_in(config, "port");
    if (!port.empty() && port_of(port, Security::kNone) == 0) {
      out.emplace_back("port: want a number from 1 to 65535");
    }
    const std::string host = text_in(config, "host");
    if (!host.empty() && !is_host(host)) out.emplace_back("host: want a name or an address");
    for (const std::string_view name : {"from", "replyTo"}) {
      const std::string text = text_in(config, name);
      if (text.empty() || parse_mailbox(text)) continue;
      out.push_back(fmt::format("{}: want NAME@DOMAIN or TEXT <NAME@DOMAIN>", name));
    }
    for (const std::string& to : mailboxes_in(config["to"])) {
      if (!parse_mailbox(to))
        out.push_back(fmt::format("to: \"{}\" is no address", clean_line(to)));
    }
    if (!config["password"].is_null() && config["username"].is_null()) {
      out.emplace_back("username: required with a password");
    }
  }

  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& config = draft.config;
    if (draft.destination.empty()) return refuse("to: required");
    const auto from = parse_mailbox(text_in(config, "from"));
    const auto to = parse_mailbox(draft.destination);
    if (!from) return refuse("from: want NAME@DOMAIN or TEXT <NAME@DOMAIN>");
    if (!to) return refuse(fmt::format("to: \"{}\" is no address", clean_line(draft.destination)));
    Words words = words_of(draft.notice, draft.message);
    TRY(const std::string subject, subject_of(draft, words));
    TRY(const std::vector<Attachment> attachments,
        attachments_of(draft, wants_logs(config, draft.message)));
    MailRequest out;
    out.host = text_in(config, "host");
    out.security = security_of(text_in(config, "security")).value_or(Security::kStartTls);
    out.port = port_of(text_in(config, "port"), out.security);
    out.password = text_in(config, "password");
    if (!out.password.empty()) out.user = text_in(config, "username");  // else nobody logs in
    out.from = from->address;
    out.to = to->address;
    out.message = headers_of(draft, *from, *to, subject) +
                  mail_content(words, plain_text(draft.message["html"]), attachments);
    out.skips_verification = flag_in(config, "insecureSkipVerify", false);
    return out;
  }
};

}  // namespace

const Channel& email_channel() {
  static const Email channel;
  return channel;
}

}  // namespace tiphys::notify
