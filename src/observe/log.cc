#include "observe/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "clock/rfc3339.h"
#include "value/json.h"

namespace tiphys::observe {

namespace {

constexpr value::JsonStyle kOneLine{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

LogOptions& current() {
  static LogOptions options;
  return options;
}

const char* word_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

bool is_empty(const value::Value& v) {
  return v.is_null() || (v.is_string() && v.as_string().empty());
}

// Bare where it reads as one word.
std::string text_of(const value::Value& v) {
  const bool is_word =
      v.is_string() && std::ranges::all_of(v.as_string(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '=' && c != '\x7f';
      });
  return is_word ? v.as_string() : value::to_json(v, kOneLine);
}

}  // namespace

void set_up_log(const LogOptions& options) {
  current() = options;
  auto logger =
      std::make_shared<spdlog::logger>("tiphys", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");  // log_line() makes all of it
  logger->set_level(spdlog_level(options.level));
  spdlog::set_default_logger(std::move(logger));
}

bool is_logged(LogLevel level) { return spdlog::should_log(spdlog_level(level)); }

void log(LogLevel level, std::string_view message, const value::Map& fields) {
  if (!is_logged(level)) return;
  const clock::Instant now = {std::chrono::duration_cast<std::chrono::nanoseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count()};
  const std::string line = log_line(current(), now, level, message, fields);
  spdlog::log(spdlog_level(level), "{}", line);
}

std::optional<LogLevel> parse_log_level(std::string_view word) {
  if (word == "debug") return LogLevel::kDebug;
  if (word == "info") return LogLevel::kInfo;
  if (word == "warn" || word == "warning") return LogLevel::kWarn;
  if (word == "error") return LogLevel::kError;
  return std::nullopt;
}

std::string log_line(const LogOptions& options, clock::Instant at, LogLevel level,
                     std::string_view message, const value::Map& fields) {
  if (options.format == LogFormat::kJson) {
    value::Map all{{"time", clock::rfc3339_micro(at)}, {"level", word_of(level)}, {"msg", message}};
    for (const auto& [name, v] : fields) {
      if (!is_empty(v)) all.set(name, v);
    }
    return value::to_json(value::Value(std::move(all)), kOneLine);
  }
  std::string line = options.text_has_time ? clock::rfc3339_micro(at) + ' ' : "";
  line += word_of(level);
  line += ": ";
  line += message;
  for (const auto& [name, v] : fields) {
    if (!is_empty(v)) line += ' ' + name + '=' + text_of(v);
  }
  return line;
}

std::string without_urls(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, scheme + 3));
    text.remove_prefix(scheme + 3);
    std::string_view url = text.substr(0, text.find_first_of(" \t\n\r\"'<>"));
    text.remove_prefix(url.size());
    const std::size_t end = std::min(url.find_first_of("/?#"), url.size());
    const std::string_view authority = url.substr(0, end);
    const std::size_t user = authority.rfind('@');
    out.append(user == std::string_view::npos ? authority : authority.substr(user + 1));
    if (end < url.size()) out.append("/...");
  }
}

}  // namespace tiphys::observe
