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
    lines_.emplace_back(message.payload.data(), message.payload.size());
  }
  void flush_() override {}

 private:
  std::vector<std::string> lines_;
};

LogNotes::LogNotes() : sink_(std::make_shared<Sink>()), before_(spdlog::default_logger()) {
  auto notes = std::make_shared<spdlog::logger>("notes", sink_);
  notes->set_level(before_->level());
  spdlog::set_default_logger(std::move(notes));
}

LogNotes::~LogNotes() {
  spdlog::set_default_logger(before_);
  for (const std::string& line : take()) (void)std::fprintf(stderr, "%s\n", line.c_str());
}

std::vector<std::string> LogNotes::take() { return sink_->take(); }

}  // namespace tiphys::cli
