#include "cli/log_lines.h"

#include <fmt/format.h>

#include "spec/node_id.h"

namespace tiphys::cli {

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
  std::string line;
  if (style.prefix) line = pod + ": ";
  if (style.timestamps) line.append(log_time(stored)).append(" ");
  line.append(log_text(stored));
  if (!style.color) return line;
  unsigned sum = 0;
  for (const char c : pod) sum += static_cast<unsigned char>(c);
  return fmt::format("\x1b[{}m{}\x1b[0m", 32 + sum % 6, line);
}

}  // namespace tiphys::cli
