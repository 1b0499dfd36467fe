#include "notify/channel/mail_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "expr/base64.h"
#include "net/http_text.h"
#include "notify/channel/fields.h"
#include "notify/message_text.h"

namespace tiphys::notify {

namespace {

constexpr std::size_t kLineMax = 76;
constexpr std::size_t kWordMax = 60;          // of ASCII, that is not encoded
constexpr std::size_t kEncodedBytesMax = 39;  // then an encoded word fits beside `Subject:`
constexpr std::size_t kAddressMax = 254;
constexpr std::string_view kBreak = "\r\n";
constexpr std::string_view kNotInNames = "<>,;:\"()[]\\@ ";

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool has_long_word(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) {
    length = c == ' ' ? 0 : length + 1;
    if (length > kWordMax) return true;
  }
  return false;
}

// The first bytes of `text`, at most `max`, that do not end inside of a character.
std::size_t whole_characters(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text.size();
  std::size_t size = max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return size > 0 ? size : max;
}

std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = whole_characters(text, kEncodedBytesMax);
    if (!out.empty()) out += ' ';
    out += "=?utf-8?B?" + expr::base64_encode(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.size() > kAddressMax || at == 0 || at == std::string_view::npos) return false;
  const std::string_view domain = text.substr(at + 1);
  const bool is_domain = !domain.empty() && std::ranges::all_of(domain, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  });
  return is_domain && text.front() != '-' && std::ranges::all_of(text.substr(0, at), [](char c) {
           return c > 0x20 && c < 0x7F && kNotInNames.find(c) == std::string_view::npos;
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string encoded_header(std::string_view text) {
  const bool is_plain =
      is_ascii(text) && !has_long_word(text) && text.find("=?") == std::string_view::npos;
  return is_plain ? std::string(text) : encoded_words(text);
}

std::string folded_header(std::string_view name, std::string_view text) {
  std::string out(name);
  out += ':';
  std::size_t column = out.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const bool is_too_long = column + 1 + word.size() > kLineMax && column > name.size() + 1;
    if (is_too_long) {
      out += kBreak;
      column = 0;
    }
    out += ' ';
    out += word;
    column += 1 + word.size();
  }
  out += kBreak;
  return out;
}

std::string header_parameter(std::string_view name, std::string_view text) {
  if (is_ascii(text)) return fmt::format("; {}={}", name, quoted(text));
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) ascii += byte >= 0x20 && byte < 0x7F ? c : '_';
  }
  return fmt::format("; {}={}; {}*=utf-8''{}", name, quoted(ascii), name, net::uri_encoded(text));
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += kBreak;
      column = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
    const bool is_blank = c == ' ' || c == '\t';
    const bool is_plain = (c > 0x20 && c < 0x7F && c != '=') || (is_blank && !ends_line);
    // a line that begins with a dot or `From ` is changed by some servers on the way
    const bool is_fragile = column == 0 && (c == '.' || text.substr(i).starts_with("From "));
    const std::string piece = is_plain && !is_fragile
                                  ? std::string(1, c)
                                  : fmt::format("={:02X}", static_cast<unsigned char>(c));
    const std::size_t room = ends_line ? kLineMax : kLineMax - 1;
    if (column + piece.size() > room) {
      out += "=";
      out += kBreak;
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  if (column > 0) out += kBreak;
  return out;
}

std::string base64_lines(std::string_view bytes) {
  const std::string text = expr::base64_encode(bytes);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += kLineMax) {
    out += text.substr(i, kLineMax);
    out += kBreak;
  }
  return out;
}

std::optional<Mailbox> parse_mailbox(std::string_view text) {
  if (!is_header_text(text)) return std::nullopt;
  text = trimmed(text);
  const std::size_t open = text.find('<');
  if (open == std::string_view::npos) {
    if (!is_address(text)) return std::nullopt;
    return Mailbox{.name = "", .address = std::string(text)};
  }
  if (text.back() != '>') return std::nullopt;
  const std::string_view address = text.substr(open + 1, text.size() - open - 2);
  if (!is_address(address)) return std::nullopt;
  std::string_view name = trimmed(text.substr(0, open));
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
    name = name.substr(1, name.size() - 2);
  }
  return Mailbox{.name = clean_line(name), .address = std::string(address)};
}

std::string mailbox_text(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  std::string name = encoded_header(mailbox.name);
  const bool has_specials = name.find_first_of("()<>[]:;@\\,.\"") != std::string::npos;
  if (name == mailbox.name && has_specials) name = quoted(name);
  return fmt::format("{} <{}>", name, mailbox.address);
}

}  // namespace tiphys::notify
