// The program's own log lines: a message, and fields that programs can search for.
//
// On stderr, as stdout is for what was asked for. Text for people (`warning: MESSAGE node=a`), JSON
// for collectors. Values of parameters, outputs and secrets do not belong into fields; texts of
// failures go through without_urls() first, as a webhook's URL often is its password.
// Thread-safe, except set_up_log().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::observe {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kWarn;
  LogFormat format = LogFormat::kText;
  bool text_has_time = false;  // JSON always has it
};

/// From now on, log() writes to stderr in this form.
void set_up_log(const LogOptions& options);
/// Whether lines of this level are written; ask before fields are made that cost something.
[[nodiscard]] bool is_logged(LogLevel level);
/// Writes a line. Fields that are null or "" are left out.
void log(LogLevel level, std::string_view message, const value::Map& fields = {});

/// `debug`, `info`, `warn` (or `warning`), `error`; nullopt for any other word.
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view word);

/// The line that log() writes, without line feed. Pure.
[[nodiscard]] std::string log_line(const LogOptions& options, clock::Instant at, LogLevel level,
                                   std::string_view message, const value::Map& fields);
/// The text with each URL cut behind its host, and without user and password. Pure.
[[nodiscard]] std::string without_urls(std::string_view text);

}  // namespace tiphys::observe
