// Text for people who read it in a chat or a mail: cleaned, escaped and cut to what a service
// takes.
//
// Steps' messages and logs hold anything: colours for terminals, half characters, megabytes. What
// leaves here is valid UTF-8 within a limit, and never ends inside of a character or an escape.
// Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "diag/error.h"
#include "notify/notice.h"
#include "value/value.h"

namespace tiphys::notify {

/// Without terminal escapes and control characters; tabs and line breaks (as `\n`) stay, blanks at
/// the end go, invalid bytes become U+FFFD.
[[nodiscard]] std::string clean_text(std::string_view text);
/// The same on one line: each run of tabs and line breaks is a blank.
[[nodiscard]] std::string clean_line(std::string_view text);

/// How much of a text a service takes, by bytes or as JavaScript counts (UTF-16).
struct TextLimit {
  enum class Unit { kBytes, kUtf16 };
  std::size_t max = 0;
  Unit unit = Unit::kBytes;
};

/// Appends one character (as UTF-8) in the escaped form of a markup.
using Escape = void (*)(std::string& out, std::string_view character);
/// `&`, `<`, `>` and `"` for HTML; Slack knows the first three.
void escape_html(std::string& out, std::string_view character);
void escape_slack(std::string& out, std::string_view character);
/// With a backslash: all that means something in Markdown, in Telegram's MarkdownV2.
void escape_markdown(std::string& out, std::string_view character);
void escape_markdown_v2(std::string& out, std::string_view character);

/// The beginning of `text`, escaped, that is within the limit; what was cut shows as an ellipsis.
[[nodiscard]] std::string fit_text(std::string_view text, TextLimit limit, Escape escape = nullptr);

/// The body that `make(text)` gives, where `text` is cut until the body has no more than
/// `bytes_max`. Errors: kInvalidManifest when it is too large even without the text.
template <typename Make>
[[nodiscard]] diag::Result<std::string> fit_body(std::string_view text, std::size_t text_max,
                                                 std::size_t bytes_max, Make make) {
  std::size_t max = std::min(text_max, text.size());
  while (true) {
    std::string body = make(fit_text(text, {.max = max}));
    if (body.size() <= bytes_max) return body;
    if (max == 0) {
      return diag::fail(diag::Code::kInvalidManifest,
                        fmt::format("the message has {} bytes, more than the {} that are taken",
                                    body.size(), bytes_max));
    }
    // as much less as the text is of the body: a little too little, so that it comes near
    const std::size_t less = (body.size() - bytes_max) * max / body.size() + 8;
    max = max > less ? max - less : 0;
  }
}

/// What a message says: the user's words where given, else the default ones.
struct Words {
  DefaultMessage::Severity severity = DefaultMessage::Severity::kInfo;
  std::string title;  // may be empty only for a user's own text
  std::string text;
  std::string link;
  bool is_own = false;  // `text` is the user's, who may use the markup of the service in it
};

/// The words for `notice`. `message` is a text, or a map whose `title`, `text`, `link` and
/// `severity` (good, bad, info) replace the default ones. A user's `text` alone is the whole
/// message: no default title and no link are added to it.
[[nodiscard]] Words words_of(const Notice& notice, const value::Value& message);

/// A value as text: a string as it is, null as "", the rest as JSON.
[[nodiscard]] std::string plain_text(const value::Value& v);

}  // namespace tiphys::notify
