#include "notify/channel/mail_parts.h"

#include <fmt/format.h>

#include "expr/base64.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/mail_text.h"

namespace tiphys::notify {

namespace {

constexpr std::size_t kTextMax = 256UL * 1024;
constexpr std::size_t kAttachedMax = 10UL * 1024 * 1024;  // base64 makes 14 MB of it; many take 20
constexpr std::size_t kNameMax = 100;
constexpr std::string_view kLogMark = "  | ";  // of notice.cc
// `=_` comes in no quoted-printable and no base64 text
constexpr std::string_view kOuter = "=_tiphys_mixed";
constexpr std::string_view kInner = "=_tiphys_alternative";

std::string plain_of(const Words& words) {
  std::string out = words.title;
  if (!out.empty()) out += "\n\n";
  out += words.text;
  if (!words.link.empty()) out += "\n\n" + words.link;
  return fit_text(out, {kTextMax}) + "\n";
}

std::string escaped(std::string_view text) { return fit_text(text, {4 * kTextMax}, escape_html); }

// Paragraphs, with the ends of logs as they were printed.
std::string html_lines(std::string_view text) {
  std::string out;
  bool in_log = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool is_log = line.starts_with(kLogMark);
    if (is_log) line.remove_prefix(kLogMark.size());
    if (is_log && !in_log) out += "<pre style=\"background:#f6f8fa;padding:8px\">";
    if (!is_log && in_log) out += "</pre>\n";
    out += is_log ? escaped(line) + "\n" : escaped(line) + "<br>\n";
    in_log = is_log;
  }
  return in_log ? out + "</pre>\n" : out;
}

std::string html_of(const Words& words) {
  std::string out = "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n";
  if (!words.title.empty()) {
    out += fmt::format("<h3 style=\"color:#{:06X}\">{}</h3>\n", color_of(words.severity),
                       escaped(words.title));
  }
  out += "<div>\n" + html_lines(fit_text(words.text, {kTextMax})) + "</div>\n";
  if (!words.link.empty()) {
    out += fmt::format("<p><a href=\"{}\">Open the workflow</a></p>\n", escaped(words.link));
  }
  return out + "</body></html>\n";
}

std::string text_part(std::string_view type, std::string_view text) {
  return fmt::format(
      "Content-Type: text/{}; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
      type, quoted_printable(text));
}

std::string attached_part(const Attachment& a) {
  return folded_header("Content-Type", a.type) +
         folded_header("Content-Disposition", "attachment" + header_parameter("filename", a.name)) +
         "Content-Transfer-Encoding: base64\r\n\r\n" + base64_lines(a.bytes);
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_header_name(text.substr(0, slash)) &&
         is_header_name(text.substr(slash + 1));
}

diag::Result<Attachment> given_attachment(const value::Value& given) {
  constexpr Field kFields[] = {{"name", FieldKind::kPlain, true},
                               {"text", FieldKind::kAny},
                               {"base64", FieldKind::kPlain},
                               {"contentType", FieldKind::kPlain}};
  const auto wrong = check_fields(given, kFields, Unknown::kRefused);
  if (!wrong.empty()) return refuse("message.attachments." + wrong.front());
  if (given["text"].is_null() == given["base64"].is_null()) {
    return refuse("message.attachments: want text or base64");
  }
  Attachment out = {.name = text_in(given, "name"),
                    .type = text_in(given, "contentType"),
                    .bytes = plain_text(given["text"])};
  if (!is_header_text(out.name)) {
    return refuse("message.attachments.name: has a line break or control character");
  }
  out.name = fit_text(out.name, {kNameMax});
  if (!given["base64"].is_null()) {
    auto bytes = expr::base64_decode(text_in(given, "base64"));
    if (!bytes) return refuse("message.attachments.base64: " + bytes.error().message);
    out.bytes = std::move(*bytes);
  }
  if (out.type.empty()) {
    out.type = given["text"].is_null() ? "application/octet-stream" : "text/plain; charset=utf-8";
  } else if (!is_media_type(out.type)) {
    return refuse("message.attachments.contentType: want TYPE/SUBTYPE");
  }
  return out;
}

}  // namespace

diag::Result<std::vector<Attachment>> attachments_of(const Draft& draft, bool has_logs) {
  std::vector<Attachment> out;
  std::size_t size = 0;
  for (const value::Value& given : draft.message["attachments"].list()) {
    TRY(Attachment attachment, given_attachment(given));
    size += attachment.bytes.size();
    out.push_back(std::move(attachment));
  }
  if (size > kAttachedMax) {
    return refuse(fmt::format("message.attachments: {} bytes, more than {}", size, kAttachedMax));
  }
  if (!has_logs) return out;
  for (const value::Value& failure : draft.notice.event["failures"].list()) {
    const bool has_whole = failure["wholeLog"].is_string();
    const std::string log = plain_text(failure[has_whole ? "wholeLog" : "log"]);
    size += log.size();
    if (log.empty() || size > kAttachedMax) continue;
    std::string name = fit_text(clean_line(plain_text(failure["displayName"])), {kNameMax});
    out.push_back({.name = (name.empty() ? "step" : name) + ".log",
                   .type = "text/plain; charset=utf-8",
                   .bytes = log});
  }
  return out;
}

std::string mail_content(const Words& words, std::string_view own_html,
                         const std::vector<Attachment>& attachments) {
  std::string inner =
      fmt::format("Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n", kInner);
  inner += fmt::format("--{}\r\n{}", kInner, text_part("plain", plain_of(words)));
  inner += fmt::format("--{}\r\n{}", kInner,
                       text_part("html", own_html.empty() ? html_of(words) : own_html));
  inner += fmt::format("--{}--\r\n", kInner);
  if (attachments.empty()) return inner;
  std::string out = fmt::format("Content-Type: multipart/mixed; boundary=\"{}\"\r\n\r\n", kOuter);
  out += fmt::format("--{}\r\n{}", kOuter, inner);
  for (const Attachment& a : attachments) {
    out += fmt::format("--{}\r\n{}", kOuter, attached_part(a));
  }
  return out + fmt::format("--{}--\r\n", kOuter);
}

}  // namespace tiphys::notify
