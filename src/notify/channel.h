// A kind of destination: turns a notice into a request, and judges the answer.
//
// A channel does no I/O: sending is the courier's (courier.h), waiting and giving up the outbox's
// (outbox.h). So each channel is a pure function from its configuration and a notice to bytes, and
// is tested as one. Adding a channel: its file in channel/, one line in channels.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "notify/notice.h"
#include "value/value.h"

namespace tiphys::notify {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One HTTP request, ready to be sent.
struct HttpRequest {
  std::string method = "POST";
  std::string url;
  HeaderList headers;
  std::string body;
  bool skips_verification = false;  // of the TLS certificate
};

/// One mail to one recipient, ready to be sent.
struct MailRequest {
  std::string host;
  int port = 0;
  enum class Security { kNone, kStartTls, kTls } security = Security::kStartTls;
  std::string user;
  std::string password;
  std::string from;  // the envelope's addresses
  std::string to;
  std::string message;  // headers and body, RFC 5322, lines end in CRLF
  bool skips_verification = false;
};

/// A command of this machine; the notice is its standard input as JSON.
struct CommandRequest {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string input;
};

using Request = std::variant<HttpRequest, MailRequest, CommandRequest>;

/// What came back.
struct Answer {
  int status = 0;      // HTTP status, SMTP reply code, or exit code; see `error`
  HeaderList headers;  // of HTTP, names in lower case
  std::string body;    // at most its first 64 KiB
  std::string error;   // not empty: nothing came back (refused, timeout ...), and this is why
};

/// What an answer means.
struct Verdict {
  enum class Kind { kDelivered, kRetry, kRefused };  // kRefused: trying again cannot help
  Kind kind = Kind::kDelivered;
  std::string reason = {};                          // for kRetry and kRefused, one line
  std::optional<clock::Duration> retry_after = {};  // the service's own word (429, Retry-After)
  value::Value memory = {};  // what the next message of the same workflow here wants to know
};

/// What a channel makes a request from.
struct Draft {
  const Notice& notice;
  /// The channel's `spec` in its NotificationChannel manifest with its secrets filled in: each
  /// `{secretKeyRef: {name, key}}` has become a text.
  const value::Value& config;
  /// The user's own words and fields: `text`, `title`, ... by channel; null for the default.
  const value::Value& message;
  /// One of destinations(): a mail address, a chat id, or "" where the channel has only one.
  std::string_view destination;
  /// What the verdict of the workflow's last delivered message to this destination kept; or null.
  const value::Value& memory;
  clock::Instant now;
};

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  /// Everyone that a message goes to, each tracked alone; {""} for a single endpoint. `config` as
  /// in Draft, but secrets may still be references.
  [[nodiscard]] virtual std::vector<std::string> destinations(const value::Value& config,
                                                              const value::Value& message) const;
  /// Whether a message shows whole logs, so that `failures[].wholeLog` is to be in its event.
  [[nodiscard]] virtual bool wants_logs(const value::Value& /*config*/,
                                        const value::Value& /*message*/) const {
    return false;
  }
  /// What is wrong with a channel's `spec`, each with the path of the field: `url: required`.
  /// Empty if nothing is.
  [[nodiscard]] virtual std::vector<std::string> problems(const value::Value& config) const = 0;
  /// The same of a message for it (`titel: unknown field ...`); its tags still stand, so a value
  /// that holds one may become anything.
  [[nodiscard]] virtual std::vector<std::string> problems_of_message(
      const value::Value& message) const = 0;
  /// Errors: kInvalidManifest (a field is missing or of a wrong kind). A line break in what becomes
  /// a header is an error, never sent.
  [[nodiscard]] virtual diag::Result<Request> request(const Draft& draft) const = 0;
  /// The default: 2xx delivered; 408, 425, 429 and 5xx and no answer at all retry (with
  /// Retry-After); else refused.
  [[nodiscard]] virtual Verdict judge(const Answer& answer, clock::Instant now) const;
};

/// The channel of a kind: `webhook`, `email`, `slack` ...; null when there is none.
[[nodiscard]] const Channel* find_channel(std::string_view kind);
/// All kinds, sorted.
[[nodiscard]] std::vector<std::string_view> channel_kinds();

/// The verdict of HTTP in general, which channels build theirs on.
[[nodiscard]] Verdict judge_http(const Answer& answer, clock::Instant now);

}  // namespace tiphys::notify
