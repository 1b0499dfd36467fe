// Requests must go out as Go's client sends them, and outcomes must read as Argo's agent reports
// them.
#include "executor/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "value/json.h"

namespace tiphys::executor {
namespace {

using namespace std::chrono_literals;

/// An HTTP server on loopback that answers by path, a thread for each connection.
class Server {
 public:
  Server() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::listen(listener_, 256);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& t : threads_) t.join();
  }

  [[nodiscard]] std::string url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port, path);
  }
  /// The requests that came to this path, whole.
  std::vector<std::string> requests(const std::string& path) {
    const std::lock_guard lock(mutex);
    return seen_[path];
  }

  int port = 0;
  std::mutex mutex;
  std::atomic<int> at_once = 0;
  std::atomic<int> at_once_max = 0;

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { serve(fd); });
    }
  }
  static std::size_t body_size(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }
  void serve(int fd) {
    std::string in;
    char buffer[65536];
    for (;;) {
      std::size_t end = 0;
      while ((end = in.find("\r\n\r\n")) == std::string::npos ||
             in.size() < end + 4 + body_size(in.substr(0, end))) {
        const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) {
          forget(fd);
          return;
        }
        in.append(buffer, static_cast<std::size_t>(n));
      }
      const std::string whole = in.substr(0, end + 4 + body_size(in.substr(0, end)));
      in.erase(0, whole.size());
      const std::size_t blank = whole.find(' ');
      const std::string path = whole.substr(blank + 1, whole.find(' ', blank + 1) - blank - 1);
      {
        const std::lock_guard lock(mutex);
        seen_[path].push_back(whole);
      }
      const std::string answer = answer_to(path);
      if (answer.empty()) {
        ::shutdown(fd, SHUT_RDWR);
        forget(fd);
        return;
      }
      if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
    }
  }
  void forget(int fd) {
    const std::lock_guard lock(mutex);
    std::erase(open_, fd);
    ::close(fd);
  }
  std::string answer_to(const std::string& path) {
    const auto reply = [](int status, const std::string& body, const std::string& headers = "") {
      return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                         headers, body);
    };
    if (path == "/hang-up") return {};
    if (path == "/missing") return reply(404, "nothing here");
    if (path == "/found") return reply(302, "", "Location: /ok\r\n");
    if (path == "/again") return reply(307, "", "Location: /ok\r\n");
    if (path == "/loop") return reply(302, "", "Location: /loop\r\n");
    if (path == "/away") {
      return reply(302, "", fmt::format("Location: http://localhost:{}/ok\r\n", port));
    }
    if (path == "/slow") {
      const int now = ++at_once;
      int seen = at_once_max;
      while (seen < now && !at_once_max.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(300ms);
      --at_once;
    }
    if (path == "/never") std::this_thread::sleep_for(3s);
    return reply(200, "hello", "x-one: 1\r\nX-One: 2\r\n");
  }

  int listener_ = -1;
  std::thread acceptor_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::map<std::string, std::vector<std::string>> seen_;
};

struct HttpTest : testing::Test {
  HttpTest() {
    Lookup lookup;
    lookup.secret = [](const std::string& name_space, const std::string& name,
                       const std::string& key) -> diag::Result<std::string> {
      if (name_space == "argo" && name == "creds" && key == "token") return "s3cret";
      return diag::fail(diag::Code::kNotFound,
                        fmt::format("secret '{}' does not have the key '{}'", name, key));
    };
    HttpOptions options;
    options.condition = [this](const std::string& text, const value::Value& request,
                               const value::Value& response) -> diag::Result<bool> {
      seen_request = request;
      seen_response = response;
      if (text == "broken") return diag::fail(diag::Code::kBadExpression, "cannot compile");
      return text == "true";
    };
    Listener listener;
    listener.on_running = [this](const std::string& key, clock::Instant) {
      const std::lock_guard lock(mutex);
      ++running[key];
      changed.notify_all();
    };
    listener.on_finished = [this](const std::string& key, Outcome outcome) {
      const std::lock_guard lock(mutex);
      outcomes[key] = std::move(outcome);
      changed.notify_all();
    };
    listener.on_sent = [this](const std::string& key, clock::Instant at) {
      const std::lock_guard lock(mutex);
      sent_at[key].push_back(at);
    };
    executor = make_http_executor(options, listener, lookup);
  }
  static Task task(const std::string& key, const std::string& http) {
    Task t;
    t.key = key;
    t.name_space = "argo";
    auto parsed = value::parse_json("{\"http\":" + http + "}");
    EXPECT_TRUE(parsed) << http;
    if (parsed) t.template_body = *parsed;
    return t;
  }
  Outcome wait_for(const std::string& key) {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 20s, [&] { return outcomes.contains(key); })) << key;
    return outcomes[key];
  }
  Outcome run(const std::string& http) {
    const std::string key = fmt::format("uid.{}", ++count);
    executor->start({task(key, http)});
    return wait_for(key);
  }
  std::string get(const std::string& path, const std::string& more = "") {
    return fmt::format("{{\"url\":\"{}\"{}}}", server.url(path), more);
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  Server server;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, Outcome> outcomes;
  std::map<std::string, int> running;
  std::map<std::string, std::vector<clock::Instant>> sent_at;
  value::Value seen_request;
  value::Value seen_response;
  int count = 0;
  std::unique_ptr<Executor> executor;
};

TEST_F(HttpTest, SendsTheFieldsOfTheTemplateAndGivesTheBody) {
  const Outcome outcome =
      run(get("/ok", R"(,"method":"PUT","body":"{\"a\":1}","headers":[{"name":"x-token","valueFrom":
             {"secretKeyRef":{"name":"creds","key":"token"}}},{"name":"Two","value":"1"},
             {"name":"Two","value":"2"},{"name":"host","value":"example.org"}])"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kSucceeded) << outcome.message;
  EXPECT_EQ(outcome.outputs["result"].string_or(""), "hello");
  EXPECT_FALSE(outcome.exit_code);
  ASSERT_EQ(server.requests("/ok").size(), 1U);
  const std::string sent = server.requests("/ok")[0];
  EXPECT_TRUE(sent.starts_with("PUT /ok HTTP/1.1\r\n")) << sent;
  EXPECT_TRUE(has(sent, "X-Token: s3cret\r\n")) << sent;
  EXPECT_TRUE(has(sent, "Two: 1\r\nTwo: 2\r\n")) << sent;
  EXPECT_TRUE(has(sent, "Host: example.org\r\n")) << sent;
  EXPECT_TRUE(has(sent, "Idempotency-Key: uid.1\r\n")) << sent;
  EXPECT_TRUE(has(sent, "Content-Length: 7\r\n")) << sent;
  EXPECT_FALSE(has(sent, "Content-Type")) << sent;
  EXPECT_FALSE(has(sent, "Expect")) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\n{\"a\":1}")) << sent;
  EXPECT_EQ(running["uid.1"], 1);
}

TEST_F(HttpTest, SendsRawBytesInsteadOfTheBody) {
  run(get("/ok", R"(,"method":"POST","body":"x","bodyFrom":{"bytes":"aGkAYg=="})"));
  EXPECT_TRUE(server.requests("/ok")[0].ends_with(std::string("hi\0b", 4)));
  run(get("/empty", R"(,"method":"POST","body":"x","bodyFrom":{})"));
  EXPECT_TRUE(has(server.requests("/empty")[0], "Content-Length: 0"));
}

TEST_F(HttpTest, ReportsOtherStatusesAndKeepsTheBody) {
  const Outcome outcome = run(get("/missing"));
  EXPECT_EQ(outcome.phase, Outcome::Phase::kFailed);
  EXPECT_EQ(outcome.message, "received non-2xx response code: 404");
  EXPECT_EQ(outcome.outputs["result"].string_or(""), "nothing here");
}

TEST_F(HttpTest, AsksTheSuccessCondition) {
  EXPECT_EQ(run(get("/missing", R"(,"successCondition":"true")")).phase,
            Outcome::Phase::kSucceeded);
  const Outcome no = run(get("/ok", R"(,"successCondition":"false","headers":[
      {"name":"x-a","value":"1"},{"name":"x-b","valueFrom":{"secretKeyRef":
      {"name":"creds","key":"token"}}}])"));
  EXPECT_EQ(no.message, "successCondition 'false' evaluated false");
  EXPECT_EQ(no.outputs["result"].string_or(""), "hello");
  EXPECT_EQ(value::to_json(seen_request["headers"]), R"({"x-a":["1"]})");
  EXPECT_EQ(seen_request["method"].string_or("?"), "");
  EXPECT_EQ(seen_response["statusCode"].int_or(0), 200);
  EXPECT_EQ(value::to_json(seen_response["headers"]["X-One"]), R"(["1","2"])");
  const Outcome broken = run(get("/ok", R"(,"successCondition":"broken")"));
  EXPECT_EQ(broken.message, "cannot compile");
  EXPECT_TRUE(broken.outputs.is_null());
}

TEST_F(HttpTest, FollowsRedirectsAsGoDoes) {
  EXPECT_EQ(run(get("/found", R"(,"method":"POST","body":"b","headers":[
      {"name":"Content-Type","value":"text/plain"}])"))
                .phase,
            Outcome::Phase::kSucceeded);
  std::string sent = server.requests("/ok")[0];
  EXPECT_TRUE(sent.starts_with("GET /ok ")) << sent;
  EXPECT_FALSE(has(sent, "Content-Type")) << sent;
  EXPECT_TRUE(has(sent, "Referer: " + server.url("/found"))) << sent;

  run(get("/again", R"(,"method":"POST","body":"b")"));
  sent = server.requests("/ok")[1];
  EXPECT_TRUE(sent.starts_with("POST /ok ")) << sent;
  EXPECT_TRUE(sent.ends_with("\r\n\r\nb")) << sent;

  run(get("/away", R"(,"headers":[{"name":"Authorization","value":"Bearer x"}])"));
  EXPECT_FALSE(has(server.requests("/ok")[2], "Bearer"));

  const Outcome loop = run(get("/loop"));
  EXPECT_EQ(loop.message, "Get \"/loop\": stopped after 10 redirects");
  EXPECT_EQ(server.requests("/loop").size(), 10U);
}

TEST_F(HttpTest, SaysWhatWentWrongInGosWords) {
  EXPECT_EQ(run(R"({"url":"http://user:pw@127.0.0.1:1/x","method":"POST"})").message,
            "Post \"http://user:***@127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection "
            "refused");
  EXPECT_EQ(run(R"({"url":"/api/v1"})").message,
            "Get \"/api/v1\": unsupported protocol scheme \"\"");
  EXPECT_EQ(run(R"({"url":"http:///x"})").message,
            "Get \"http:///x\": http: no Host in request URL");
  EXPECT_EQ(run(get("/hang-up")).message, fmt::format("Get \"{}\": EOF", server.url("/hang-up")));
  EXPECT_EQ(run(get("/ok", R"(,"headers":[{"name":"A","valueFrom":{"secretKeyRef":
                                 {"name":"creds","key":"nope"}}}])"))
                .message,
            "secret 'creds' does not have the key 'nope'");
  EXPECT_EQ(
      run(get("/ok", R"(,"headers":[{"name":"A","value":"x\r\nB: y"}])")).message,
      fmt::format("Get \"{}\": net/http: invalid header field value for \"A\"", server.url("/ok")));
}

TEST_F(HttpTest, TellsWhenARequestIsOnItsConnection) {
  const Outcome outcome = run(get("/found"));  // a redirect
  ASSERT_EQ(sent_at["uid.1"].size(), 1U);
  EXPECT_GE(sent_at["uid.1"][0], outcome.started_at);
  EXPECT_LE(sent_at["uid.1"][0], outcome.finished_at);
  run(R"({"url":"http://127.0.0.1:1/"})");  // nobody listens
  EXPECT_TRUE(sent_at["uid.2"].empty());
}

TEST_F(HttpTest, StopsAtTheTimeout) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run(get("/never", R"(,"timeoutSeconds":1)")).message,
            fmt::format("Get \"{}\": context deadline exceeded", server.url("/never")));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2500ms);
}

TEST_F(HttpTest, SendsManyRequestsAtOnce) {
  std::vector<Task> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(task(fmt::format("m.{}", i), get("/slow")));
  executor->start(std::move(tasks));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(wait_for(fmt::format("m.{}", i)).phase, Outcome::Phase::kSucceeded);
  }
  EXPECT_GT(server.at_once_max.load(), 5);
}

TEST_F(HttpTest, ACancelledRequestEndsAtOnce) {
  executor->start({task("c", get("/never"))});
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [&] { return running["c"] == 1; }));
  }
  executor->cancel("c", clock::Duration::seconds(10));
  EXPECT_EQ(wait_for("c").message,
            fmt::format("Get \"{}\": context canceled", server.url("/never")));
}

TEST(HttpWords, HeadersAndHosts) {
  EXPECT_EQ(canonical_header("content-tYPE"), "Content-Type");
  EXPECT_TRUE(is_same_or_subdomain("a.example.org", "example.org"));
  EXPECT_FALSE(is_same_or_subdomain("badexample.org", "example.org"));
  EXPECT_EQ(*decode_base64("aGVs\nbG8="), "hello");
  EXPECT_FALSE(decode_base64("a*"));
}

}  // namespace
}  // namespace tiphys::executor
