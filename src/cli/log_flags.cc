#include "cli/log_flags.h"

#include "observe/log.h"

namespace tiphys::cli {

void add_log_flags(Command app, Session& session) {
  app.add_option("--loglevel", session.log_level,
                 "debug, info, warn or error (default: warn, of a server info)")
      .from_environment("TIPHYS_LOG_LEVEL")
      .checked([](const std::string& word) {
        return observe::parse_log_level(word)
                   ? ""
                   : "unknown level '" + word + "': want debug, info, warn or error";
      });
  app.add_option("--log-format", session.log_format, "of log lines: text or json")
      .from_environment("TIPHYS_LOG_FORMAT")
      .checked([](const std::string& word) {
        return word == "text" || word == "json"
                   ? ""
                   : "unknown format '" + word + "': want text or json";
      });
  app.add_flag("-v,--verbose", session.is_verbose, "the same as --loglevel debug");
  app.on_parsed([&session] { set_up_log(session, false); });
}

void add_trace_flag(Command command, std::string& file) {
  command.add_option("--trace", file,
                     "write a timeline of steps, hooks and commits there, for ui.perfetto.dev");
}

void set_up_log(const Session& session, bool is_server) {
  using observe::LogLevel;
  LogLevel level = is_server ? LogLevel::kInfo : LogLevel::kWarn;
  if (const auto given = observe::parse_log_level(session.log_level)) level = *given;
  if (session.is_verbose) level = LogLevel::kDebug;
  const bool is_json = session.log_format == "json";
  observe::set_up_log({.level = level,
                       .format = is_json ? observe::LogFormat::kJson : observe::LogFormat::kText,
                       .text_has_time = is_server});
}

}  // namespace tiphys::cli
