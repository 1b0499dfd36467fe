// What all channels have in common: tables of their fields, checked before a request is made.
//
// Pure; a FieldChannel has no state, so any thread may use it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "notify/channel.h"
#include "notify/channel/fields.h"
#include "notify/message_text.h"

namespace tiphys::notify {

class FieldChannel : public Channel {
 public:
  [[nodiscard]] std::vector<std::string> problems(const value::Value& config) const final;
  [[nodiscard]] std::vector<std::string> problems_of_message(
      const value::Value& message) const final;
  [[nodiscard]] diag::Result<Request> request(const Draft& draft) const final;

 protected:
  /// `config` and `message` are tables that live as long as the program; `title`, `text`, `link`
  /// and `severity` are in every message. A message that is a text stands for `{text: TEXT}`.
  FieldChannel(std::span<const Field> config, std::span<const Field> message)
      : config_(config), message_(message) {}

  /// What the table cannot say: fields that exclude or need each other.
  virtual void find_problems(const value::Value& config, std::vector<std::string>& out) const;
  /// The request; the draft's fields are known to be of their kinds, the required ones are there.
  [[nodiscard]] virtual diag::Result<Request> make(const Draft& draft) const = 0;

 private:
  [[nodiscard]] std::vector<Field> message_fields() const;

  std::span<const Field> config_;
  std::span<const Field> message_;
};

/// The error of a message or configuration that is wrong.
[[nodiscard]] std::unexpected<diag::Error> refuse(std::string why);

/// A POST of `body` (JSON) to `url`; takes `insecureSkipVerify` from the configuration.
[[nodiscard]] HttpRequest json_post(const value::Value& config, std::string url, std::string body);
/// The JSON text of a body, members in the given order.
[[nodiscard]] std::string json_body(const value::Value& body);

/// `{title, text, link}` where the message gives one of them, else null: for channels that send the
/// event itself.
[[nodiscard]] value::Value own_words(const Draft& draft);
/// Sets a member unless the text is empty.
void set_text(value::Map& map, std::string name, std::string text);

/// The answer's body if it is JSON, else null.
[[nodiscard]] value::Value json_answer(const Answer& answer);
/// The verdict on a service that answers 200 and says in the number `field` of its body how it
/// went: 0 is delivered, the codes in `retry` are tried again after `pause`, others are refused
/// with the text in the member `text`. A 200 answer without such a number is refused, too.
[[nodiscard]] Verdict judge_code(const Answer& answer, clock::Instant now, std::string_view field,
                                 std::string_view text, std::span<const std::int64_t> retry,
                                 clock::Duration pause);

/// The colour of a severity as 0xRRGGBB.
[[nodiscard]] int color_of(DefaultMessage::Severity severity);

}  // namespace tiphys::notify
