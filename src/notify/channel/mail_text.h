// The pieces of a mail: RFC 5322 headers, RFC 2047 and 2231 for what is not ASCII, RFC 2045 bodies.
//
// None of these can be made to begin a header or a part of its own: what goes into a header is
// checked before (is_header_text), and encoded bodies hold no line that a boundary could be.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::notify {

/// `text` as it is when it is plain ASCII, else as encoded words with blanks between.
[[nodiscard]] std::string encoded_header(std::string_view text);

/// `NAME: TEXT` and CRLF; lines longer than 76 are folded at blanks. `text` is ASCII.
[[nodiscard]] std::string folded_header(std::string_view name, std::string_view text);

/// `; NAME="TEXT"`, with its encoded form beside it when the text is not ASCII.
[[nodiscard]] std::string header_parameter(std::string_view name, std::string_view text);

/// Text as quoted-printable: lines of 76 at most that end in CRLF.
[[nodiscard]] std::string quoted_printable(std::string_view text);
/// Bytes as base64 in lines of 76 that end in CRLF.
[[nodiscard]] std::string base64_lines(std::string_view bytes);

/// `Alice Liddell <alice@example.com>`, or an address alone.
struct Mailbox {
  std::string name;     // may be empty
  std::string address;  // ASCII
};
/// nullopt for what is no address, or could be more than one.
[[nodiscard]] std::optional<Mailbox> parse_mailbox(std::string_view text);
/// For the headers From, To and Reply-To: quoted or encoded as needed.
[[nodiscard]] std::string mailbox_text(const Mailbox& mailbox);

}  // namespace tiphys::notify
