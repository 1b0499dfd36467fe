#include "kube/pod_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "executor/step_log.h"
#include "kube/clocks.h"
#include "net/http_text.h"
#include "step/report.h"

namespace tiphys::kube {
namespace {

constexpr std::int64_t kPause = 300'000'000;
// The kubelet knows a container's end up to a second before the watch tells it.
constexpr std::int64_t kPauseMin = 30'000'000;
constexpr std::int64_t kPauseMax = 2'000'000'000;
constexpr int kTriesAfterEnd = 6;
constexpr long kSilenceSeconds = 600;  // a step may have nothing to say

}  // namespace

struct PodLog::State : std::enable_shared_from_this<PodLog::State> {
  State(Client& its_client, PodLogPlan its_plan, Calls its_calls)
      : client(its_client), plan(std::move(its_plan)), calls(std::move(its_calls)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (fd >= 0) ::close(fd);
  }

  Client& client;
  const PodLogPlan plan;
  const Calls calls;

  std::mutex mutex;  // guards what follows
  bool is_ended = false;
  bool is_under_way = false;
  bool has_container_ended = false;
  bool was_begun_after_end = false;
  int tries_after_end = 0;
  std::int64_t pause = 0;
  std::uint64_t request = 0;

  // Of the stream, in the client's thread.
  std::string rest;
  std::string last_stamp;      // of the last line that was taken
  std::size_t last_count = 0;  // how many lines had it
  std::string skip_until;      // lines of this request up to here are known already
  std::size_t skip_count = 0;
  std::string report;
  std::size_t report_lines = 0;
  std::int64_t written = 0;
  int fd = -1;

  void begin();
  void on_bytes(std::string_view bytes);
  void on_line(std::string_view line);
  [[nodiscard]] bool is_known(std::string_view stamp);
  void keep(std::string_view line);
  void on_end(const Answer& answer);
};

void PodLog::State::begin() {
  Request what{.path = plan.path + "&timestamps=true&follow=true",
               .silence_seconds = kSilenceSeconds};
  const std::lock_guard lock(mutex);
  if (is_ended || is_under_way) return;
  is_under_way = true;
  was_begun_after_end = has_container_ended;
  rest.clear();
  skip_until = last_stamp;
  skip_count = last_count;
  if (!last_stamp.empty()) what.path += "&sinceTime=" + net::uri_encoded(last_stamp);
  request = client.send(
      std::move(what), [self = shared_from_this()](const Answer& answer) { self->on_end(answer); },
      [self = shared_from_this()](std::string_view bytes) { self->on_bytes(bytes); });
}

void PodLog::State::on_bytes(std::string_view bytes) {
  rest.append(bytes);
  std::size_t begun = 0;
  for (std::size_t end = 0; (end = rest.find('\n', begun)) != std::string::npos; begun = end + 1) {
    on_line(std::string_view(rest).substr(begun, end + 1 - begun));
  }
  rest.erase(0, begun);
}

// The API's sinceTime is a whole second: what it tells again is passed over.
bool PodLog::State::is_known(std::string_view stamp) {
  if (skip_until.empty()) return false;
  if (stamp < skip_until) return true;
  if (stamp == skip_until && skip_count > 0) return --skip_count, true;
  return false;
}

void PodLog::State::on_line(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return;
  const std::string_view stamp = line.substr(0, blank);
  if (is_known(stamp)) return;
  last_count = stamp == last_stamp ? last_count + 1 : 1;
  last_stamp = stamp;
  std::string_view text = line.substr(blank + 1);
  if (text.ends_with('\n')) text.remove_suffix(1);
  auto marked = step::marked(text, plan.nonce);
  if (!marked) {
    keep(line);
  } else if (marked->kind == step::Marked::Kind::kProgress) {
    calls.on_progress(std::move(marked->text));
  } else {
    report += marked->text;
    ++report_lines;
  }
}

void PodLog::State::keep(std::string_view line) {
  if (written >= plan.size_max || plan.file.empty()) return;
  if (fd < 0) {
    if (!executor::make_folders(plan.file.substr(0, plan.file.rfind('/')))) return;
    fd = ::open(plan.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  written += static_cast<std::int64_t>(line.size());
  std::string bounded;
  if (written >= plan.size_max) {
    bounded = fmt::format("{}{} [the rest of the output is not kept]\n", line,
                          line.substr(0, line.find(' ')));
    line = bounded;
  }
  while (fd >= 0 && !line.empty()) {
    const ssize_t n = ::write(fd, line.data(), line.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // a step must not fail because its log cannot be written
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

void PodLog::State::on_end(const Answer& answer) {
  bool is_over = false;
  std::int64_t wait = kPause;
  {
    const std::lock_guard lock(mutex);
    is_under_way = false;
    if (is_ended) return;
    if (answer.ok() && was_begun_after_end) is_over = true;
    // The container is gone with its pod, or the API has no log of it.
    if (!is_over && has_container_ended && ++tries_after_end >= kTriesAfterEnd) is_over = true;
    if (!is_over && answer.status == 404) is_over = true;
    if (is_over) is_ended = true;
    if (answer.ok()) wait = pause = std::clamp(pause * 2, kPauseMin, kPauseMax);
  }
  if (!is_over) return calls.wake_me(steady_now() + wait);
  if (!rest.empty()) on_line(rest);  // a last line without an end
  if (fd >= 0) ::close(fd);
  fd = -1;
  calls.on_over(std::move(report), report_lines);
}

PodLog::PodLog(Client& client, PodLogPlan plan, Calls calls)
    : state_(std::make_shared<State>(client, std::move(plan), std::move(calls))) {}

PodLog::~PodLog() {
  const std::lock_guard lock(state_->mutex);
  state_->is_ended = true;
  if (state_->request != 0) state_->client.abandon(state_->request);
}

void PodLog::wake() { state_->begin(); }

void PodLog::container_ended() {
  {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->has_container_ended, true)) return;
  }
  state_->begin();
}

}  // namespace tiphys::kube
