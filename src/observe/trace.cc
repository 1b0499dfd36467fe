#include "observe/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "value/json.h"

namespace tiphys::observe {

namespace {

constexpr std::size_t kLinesMax = 64U << 10U;  // what is kept back at most

// The format counts in microseconds. An arrow binds to the slice that contains it, its end
// excluded.
constexpr clock::Duration kMoment{1000};

double microseconds(std::int64_t ns) { return static_cast<double>(ns) / 1000; }

}  // namespace

diag::Result<Trace> Trace::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot write the trace '{}': {}", path, std::strerror(errno)));
  }
  return Trace(file);
}

Trace::Trace(Trace&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      lines_(std::move(other.lines_)),
      has_events_(other.has_events_) {}

Trace::~Trace() {
  if (file_ < 0) return;
  lines_ += has_events_ ? "\n]\n" : "[]\n";
  flush();
  ::close(file_);
}

void Trace::flush() {
  std::string_view rest = lines_;
  while (!rest.empty()) {
    const ssize_t n = ::write(file_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  lines_.clear();
}

void Trace::add(value::Map event, Place place) {
  event.set("pid", place.group);
  event.set("tid", place.lane);
  lines_ += std::exchange(has_events_, true) ? ",\n" : "[\n";
  lines_ +=
      value::to_json(value::Value(std::move(event)), {.key_order = value::KeyOrder::kAsGiven});
  if (lines_.size() > kLinesMax) flush();
}

void Trace::add_at(value::Map event, Place place, clock::Instant at) {
  event.set("ts", microseconds(at.ns));
  add(std::move(event), place);
}

void Trace::name_group(int group, std::string_view name) {
  add({{"name", "process_name"}, {"ph", "M"}, {"args", value::Map{{"name", name}}}},
      {.group = group, .lane = 0});
}

void Trace::name_lane(Place place, std::string_view name) {
  add({{"name", "thread_name"}, {"ph", "M"}, {"args", value::Map{{"name", name}}}}, place);
}

void Trace::slice(Place place, std::string_view name, clock::Instant from, clock::Instant to,
                  const value::Map& arguments) {
  const clock::Duration took = std::max(to - from, kMoment);
  add_at({{"name", name},
          {"ph", "X"},
          {"cat", "tiphys"},
          {"dur", microseconds(took.ns)},
          {"args", arguments}},
         place, from);
}

void Trace::arrow_from(std::uint64_t number, Place place, clock::Instant at) {
  add_at(
      {{"name", "fires"}, {"ph", "s"}, {"cat", "hook"}, {"id", static_cast<std::int64_t>(number)}},
      place, at - kMoment);
}

void Trace::arrow_to(std::uint64_t number, Place place, clock::Instant at) {
  add_at({{"name", "fires"},
          {"ph", "f"},
          {"bp", "e"},
          {"cat", "hook"},
          {"id", static_cast<std::int64_t>(number)}},
         place, at);
}

}  // namespace tiphys::observe
