#include "cli/log_notes.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <mutex>
#include <utility>

namespace tiphys::cli {

class LogNotes::Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = spdlog::level::to_string_view(message.level);
    lines_.push_back(std::string(level.data(), level.size()) + ": " +
                     std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}

 private:
  std::vector<std::string> lines_;
};

LogNotes::LogNotes() : sink_(std::make_shared<Sink>()), before_(spdlog::default_logger()) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("notes", sink_));
}

LogNotes::~LogNotes() {
  spdlog::set_default_logger(before_);
  for (const std::string& line : take()) (void)std::fprintf(stderr, "%s\n", line.c_str());
}

std::vector<std::string> LogNotes::take() { return sink_->take(); }

}  // namespace tiphys::cli
