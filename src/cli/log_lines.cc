#include "cli/log_lines.h"

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "spec/node_id.h"

namespace tiphys::cli {

namespace {

// The sum of the code points of a UTF-8 text.
unsigned sum_of(std::string_view text) {
  unsigned sum = 0;
  unsigned point = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) {
      point = (point << 6) | (byte & 0x3FU);
      continue;
    }
    sum += point;
    point = byte < 0x80   ? byte
            : byte < 0xE0 ? byte & 0x1FU
            : byte < 0xF0 ? byte & 0x0FU
                          : byte & 0x07U;
  }
  return sum + point;
}

}  // namespace

std::string pod_of(const std::string& workflow, const value::Value& node) {
  const value::Value& ref = node["templateRef"]["template"];
  const std::string_view tmpl =
      ref.is_string() ? ref.as_string() : node["templateName"].string_or("");
  return spec::pod_name(workflow, node["name"].string_or(""), tmpl);
}

std::string_view log_time(std::string_view stored) { return stored.substr(0, stored.find(' ')); }

std::string_view log_text(std::string_view stored) {
  const std::size_t blank = stored.find(' ');
  return blank == std::string_view::npos ? std::string_view() : stored.substr(blank + 1);
}

std::string format_log_line(const std::string& pod, std::string_view stored,
                            const LogStyle& style) {
  std::string line = pod + ": ";
  if (style.timestamps) line.append(log_time(stored)).append(" ");
  line.append(log_text(stored));
  if (!style.color) return line;
  return fmt::format("\x1b[{}m{}\x1b[0m", 32 + sum_of(pod) % 6, line);
}

diag::Result<LogFilter> LogFilter::make(const std::string& grep, clock::Instant since) {
  LogFilter filter;
  filter.since_ = since;
  if (grep.empty()) return filter;
  filter.grep_ = std::make_unique<re2::RE2>(grep, re2::RE2::Quiet);
  if (filter.grep_->ok()) return filter;
  return diag::fail(diag::Code::kInvalidManifest,
                    fmt::format("--grep '{}': {}", grep, filter.grep_->error()));
}

bool LogFilter::passes(std::string_view stored) const {
  if (since_.is_set()) {
    auto at = clock::parse_rfc3339(log_time(stored));
    if (at && *at < since_) return false;
  }
  const std::string_view text = log_text(stored);
  return !grep_ || re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *grep_);
}

}  // namespace tiphys::cli
