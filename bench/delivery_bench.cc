// How many notifications a second go through the outbox to a receiver on loopback, each committed
// and synced before and after, against a bare loop of libcurl that keeps nothing.
//
//   delivery_bench [COUNT] [CHANNELS] [WORKFLOWS]     default 20000, 8 and 200
// Prints one line of JSON; `engine` is what the engine spent. TIPHYS_HOME is not used: the state is
// a new folder below TMPDIR.
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "executor/supervisor.h"
#include "net/curl_loop.h"
#include "net/http_server.h"
#include "runtime/host.h"
#include "store/open.h"
#include "value/json.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using tiphys::value::Map;
using tiphys::value::Value;

constexpr int kAtOnce = 256;  // of the bare loop: what the outbox may have under way, too

struct Figures {
  double seconds = 0;
  double cpu_seconds = 0;  // of the sender
  std::string stats = {};  // the engine's, as JSON
};

double cpu_now() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <typename Work>
Figures taken_by(const Work& work) {
  const auto start = Clock::now();
  const double cpu = cpu_now();
  work();
  return {.seconds = std::chrono::duration<double>(Clock::now() - start).count(),
          .cpu_seconds = cpu_now() - cpu};
}

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "delivery_bench: {}\n", what);
  std::exit(1);
}

// A receiver in a process of its own. Gives its pid and, in `port`, where it listens.
pid_t start_receiver(std::uint16_t& port) {
  int pipe_fds[2];
  if (::pipe(pipe_fds) != 0) fail("no pipe");
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto server = tiphys::net::HttpServer::listen({});
    if (!server) ::_exit(1);
    (*server)->start([](const auto&) { return tiphys::net::HttpServerAnswer{}; });
    const std::uint16_t at = (*server)->port();
    if (::write(pipe_fds[1], &at, sizeof at) != sizeof at) ::_exit(1);
    for (;;) ::pause();
  }
  if (::read(pipe_fds[0], &port, sizeof port) != sizeof port) fail("no receiver");
  return pid;
}

// The same posts by libcurl alone, kAtOnce under way.
Figures bare_loop(int count, const std::string& url, const std::string& body) {
  std::mutex mutex;
  std::condition_variable is_over;
  int started = 0;
  int ended = 0;
  std::vector<CURL*> handles;
  curl_slist* lines = curl_slist_append(nullptr, "Content-Type: application/json");
  lines = curl_slist_append(lines, "Expect:");
  tiphys::net::CurlLoop* loop = nullptr;
  tiphys::net::CurlLoop own(
      {.on_wake =
           [&] {
             while (started < count && static_cast<int>(handles.size()) < kAtOnce) {
               CURL* easy = curl_easy_init();
               curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
               curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.c_str());
               curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines);
               curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
               curl_easy_setopt(
                   easy, CURLOPT_WRITEFUNCTION,
                   +[](char*, std::size_t size, std::size_t n, void*) { return size * n; });
               handles.push_back(easy);
               ++started;
               loop->add(easy);
             }
           },
       .on_done =
           [&](CURL* easy, CURLcode code) {
             if (code != CURLE_OK) fail(curl_easy_strerror(code));
             if (++ended == count) {
               const std::lock_guard lock(mutex);
               is_over.notify_one();
             } else if (started < count) {
               ++started;
               loop->add(easy);
             }
           }});
  loop = &own;
  const Figures figures = taken_by([&] {
    std::unique_lock lock(mutex);
    own.wake();
    is_over.wait(lock);
  });
  own.stop();
  for (CURL* easy : handles) curl_easy_cleanup(easy);
  curl_slist_free_all(lines);
  return figures;
}

const char* const kEvent =
    R"json({"type": "workflow.failed", "workflow": {"name": "w", "namespace": "default",
            "phase": "Failed", "message": "main: Error (exit code 1)", "duration": 1.5}})json";

void fill(tiphys::store::Store& store, int count, int channels, int workflows,
          const std::string& url) {
  for (int c = 0; c < channels; ++c) {
    const Value manifest = Map{
        {"spec",
         Map{{"kind", "webhook"}, {"atOnce", kAtOnce / channels}, {"config", Map{{"url", url}}}}}};
    if (!store.put_object({.kind = "NotificationChannel",
                           .name_space = "default",
                           .name = fmt::format("c{}", c),
                           .json = tiphys::value::to_json(manifest),
                           .created_at = {1}})) {
      fail("a channel cannot be stored");
    }
  }
  const Value event = *tiphys::value::parse_json(kEvent);
  tiphys::store::Batch batch;
  for (int i = 0; i < count; ++i) {
    const std::string channel = fmt::format("c{}", i % channels);
    batch.deliveries.push_back(
        {.id = fmt::format("msg_{}", i),
         .uid = fmt::format("uid-{}", i / channels % workflows),
         .name_space = "default",
         .workflow = "w",
         .node = "w.onExit",
         .channel = channel,
         .kind = "webhook",
         .destination = "",
         .state = "pending",
         .created_at = {1},
         .next_at = {1},
         .payload = tiphys::value::to_json(
             Value(Map{{"event", event}, {"message", Value()}, {"channel", channel}}))});
    if (batch.deliveries.size() < 5000 && i + 1 < count) continue;
    if (!store.commit(batch)) fail("the outbox cannot be filled");
    batch = {};
  }
}

Figures outbox(int count, int channels, int workflows, const std::string& url,
               const std::string& home) {
  tiphys::runtime::Config config;
  config.home = home;
  auto store = tiphys::store::open(config.store_address());
  if (!store) fail(store.error().message);
  fill(**store, count, channels, workflows, url);
  Figures figures;
  {
    auto host = tiphys::runtime::Host::open(config);
    if (!host) fail(host.error().message);
    figures = taken_by([&] {
      (*host)->adopt_notifications();
      if (auto ran = (*host)->run([] { return true; }, {}); !ran) fail(ran.error().message);
    });
    figures.stats =
        tiphys::value::to_json(tiphys::observe::as_map((*host)->stats(), (*host)->usage()),
                               {.key_order = tiphys::value::KeyOrder::kAsGiven});
  }
  const auto totals = (*store)->delivery_totals();
  std::int64_t delivered = 0;
  for (const auto& [key, t] : *totals) delivered += t.delivered;
  if (delivered != count) fail(fmt::format("{} of {} have arrived", delivered, count));
  return figures;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "__supervisor") {
    return tiphys::executor::supervisor_main(argc, argv);
  }
  const int count = argc > 1 ? std::atoi(argv[1]) : 20'000;
  const int channels = argc > 2 ? std::atoi(argv[2]) : 8;
  const int workflows = argc > 3 ? std::atoi(argv[3]) : 200;
  std::uint16_t port = 0;
  const pid_t receiver = start_receiver(port);
  const std::string url = fmt::format("http://127.0.0.1:{}/in", port);
  std::string folder = (fs::temp_directory_path() / "tiphys-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) fail("no folder");
  const Figures bare = bare_loop(count, url, kEvent);
  const Figures ours = outbox(count, channels, workflows, url, folder);
  ::kill(receiver, SIGTERM);
  ::waitpid(receiver, nullptr, 0);
  fs::remove_all(folder);
  fmt::print(
      "{{\"count\": {}, \"channels\": {}, \"workflows\": {}, \"bareASecond\": {:.0f}, "
      "\"outboxASecond\": {:.0f}, \"bareCpuUs\": {:.1f}, \"outboxCpuUs\": {:.1f}, "
      "\"engine\": {}}}\n",
      count, channels, workflows, count / bare.seconds, count / ours.seconds,
      bare.cpu_seconds / count * 1e6, ours.cpu_seconds / count * 1e6, ours.stats);
  return 0;
}
