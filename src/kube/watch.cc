#include "kube/watch.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "kube/clocks.h"
#include "kube/pod_view.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

constexpr int kPage = 500;
constexpr int kWatchSeconds = 50;  // the server ends it then; a bookmark says where to go on
constexpr long kSilenceSeconds = kWatchSeconds + 10;  // a server that hangs does not end it
constexpr std::int64_t kPauseMin = 200'000'000;
constexpr std::int64_t kPauseMax = 15'000'000'000;
constexpr int kGone = 410;

}  // namespace

struct PodWatch::State : std::enable_shared_from_this<PodWatch::State> {
  State(Client& its_client, std::string path, std::string selector, Calls its_calls)
      : client(its_client),
        pods_path(std::move(path)),
        label_selector(std::move(selector)),
        calls(std::move(its_calls)) {}

  Client& client;
  const std::string pods_path;
  const std::string label_selector;  // escaped
  const Calls calls;

  std::mutex mutex;  // guards what follows
  bool is_ended = false;
  bool is_under_way = false;
  std::uint64_t request = 0;
  std::string version = {};  // empty: list first
  std::int64_t pause = 0;

  // Of the stream, in the client's thread.
  std::string rest;
  bool is_too_old = false;
  bool has_begun = false;

  void go_on();
  void list(const std::string& from);
  void on_page(Answer answer);
  void watch();
  void on_bytes(std::string_view bytes);
  void on_line(std::string_view line);
  void on_watch_end(const Answer& answer);
  void try_later(const Answer& answer);
  void begin(Request what, Client::OnDone on_done, Client::OnBytes bytes = {});
};

void PodWatch::State::begin(Request what, Client::OnDone on_done, Client::OnBytes bytes) {
  const std::lock_guard lock(mutex);
  if (is_ended) return;
  request = client.send(std::move(what), std::move(on_done), std::move(bytes));
}

void PodWatch::State::go_on() {
  std::string from;
  {
    const std::lock_guard lock(mutex);
    if (is_ended || is_under_way) return;
    is_under_way = true;
    from = version;
  }
  if (from.empty()) {
    list("");
  } else {
    watch();
  }
}

void PodWatch::State::list(const std::string& from) {
  std::string path = fmt::format("{}?labelSelector={}&limit={}", pods_path, label_selector, kPage);
  if (!from.empty()) path += "&continue=" + net::uri_encoded(from);
  begin({.path = std::move(path)},
        [self = shared_from_this()](Answer answer) { self->on_page(std::move(answer)); });
}

void PodWatch::State::on_page(Answer answer) {
  auto parsed = answer.ok() ? value::parse_json(answer.body, kUnread)
                            : diag::Result<value::Value>(diag::fail(diag::Code::kIo, ""));
  if (!parsed) return try_later(answer);
  for (const value::Value& pod : (*parsed)["items"].list()) calls.on_pod(pod);
  const value::Value& metadata = (*parsed)["metadata"];
  if (const std::string_view more = metadata["continue"].string_or(""); !more.empty()) {
    return list(std::string(more));
  }
  {
    const std::lock_guard lock(mutex);
    version = metadata["resourceVersion"].string_or("");
    pause = 0;
  }
  calls.on_listed();
  watch();
}

void PodWatch::State::watch() {
  rest.clear();
  is_too_old = false;
  has_begun = false;
  Request what{.path = {}, .silence_seconds = kSilenceSeconds};
  {
    const std::lock_guard lock(mutex);
    what.path = fmt::format(
        "{}?labelSelector={}&watch=true&allowWatchBookmarks=true&timeoutSeconds={}"
        "&resourceVersion={}",
        pods_path, label_selector, kWatchSeconds, version);
  }
  begin(
      std::move(what),
      [self = shared_from_this()](const Answer& answer) { self->on_watch_end(answer); },
      [self = shared_from_this()](std::string_view bytes) { self->on_bytes(bytes); });
}

void PodWatch::State::on_bytes(std::string_view bytes) {
  rest.append(bytes);
  std::size_t begun = 0;
  for (std::size_t end = 0; (end = rest.find('\n', begun)) != std::string::npos; begun = end + 1) {
    on_line(std::string_view(rest).substr(begun, end - begun));
  }
  rest.erase(0, begun);
}

void PodWatch::State::on_line(std::string_view line) {
  auto event = value::parse_json(line, kUnread);
  if (!event || is_too_old) return;
  const std::string_view type = (*event)["type"].string_or("");
  const value::Value& object = (*event)["object"];
  if (type == "ERROR") {
    is_too_old = object["code"].int_or(0) == kGone;
    return;
  }
  {
    const std::lock_guard lock(mutex);
    if (is_ended) return;
    version = object["metadata"]["resourceVersion"].string_or(version);
    pause = 0;
  }
  has_begun = true;
  if (type == "ADDED" || type == "MODIFIED") calls.on_pod(object);
  if (type == "DELETED") calls.on_gone(object);
}

void PodWatch::State::on_watch_end(const Answer& answer) {
  if (is_too_old || answer.status == kGone) {
    const std::lock_guard lock(mutex);
    version.clear();
  } else if (!answer.ok() && !(answer.status == 0 && has_begun)) {
    return try_later(answer);
  }
  {
    const std::lock_guard lock(mutex);
    is_under_way = false;
    // one that ends at once, again and again, is not asked for again at once
    if (has_begun || is_too_old) pause = 0;
  }
  if (has_begun || version.empty()) {
    go_on();
  } else {
    try_later(answer);
  }
}

void PodWatch::State::try_later(const Answer& answer) {
  std::int64_t wait = 0;
  bool is_first = false;
  {
    const std::lock_guard lock(mutex);
    if (is_ended) return;
    is_under_way = false;
    is_first = pause == 0;
    pause = std::clamp(pause * 2, kPauseMin, kPauseMax);
    wait = std::max(pause, answer.retry_after.ns);
    // A version that the server does not take is not tried again; the list tells all that there is.
    if (answer.status >= 400 && answer.status < 500 && answer.status != 429) version.clear();
  }
  if (!answer.ok()) calls.on_trouble(answer, is_first);
  calls.wake_me(steady_now() + wait);
}

PodWatch::PodWatch(Client& client, std::string name_space, std::string label_selector, Calls calls)
    : state_(std::make_shared<State>(
          client, fmt::format("/api/v1/namespaces/{}/pods", net::uri_encoded(name_space)),
          net::uri_encoded(label_selector), std::move(calls))) {}

PodWatch::~PodWatch() {
  const std::lock_guard lock(state_->mutex);
  state_->is_ended = true;
  if (state_->request != 0) state_->client.abandon(state_->request);
}

void PodWatch::wake() { state_->go_on(); }

}  // namespace tiphys::kube
