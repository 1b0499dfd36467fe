// Requests to a Kubernetes API server, many at once over one connection, and streams that go on:
// watches and logs.
//
// HTTP and TLS are libcurl's. A request that fails is told as it failed: what may be tried again is
// the caller's to decide. One thread, which begins with the first request.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "clock/instant.h"
#include "kube/cluster.h"
#include "kube/request_rate.h"
#include "net/curl_loop.h"

namespace tiphys::kube {

struct Request {
  std::string method = "GET";
  std::string path;          // with its query: `/api/v1/namespaces/steps/pods?limit=500`
  std::string body = {};     // JSON
  std::string type = {};     // of the body; empty: application/json
  std::string accept = {};   // empty: application/json
  long silence_seconds = 0;  // a stream, which may say nothing for so long; 0: it is none
  /// Asked whenever it is about to be sent, in the client's thread; false: it ends without an
  /// answer. What waits here may wait while the engine stands still, and libcurl itself repeats
  /// what it has sent over a connection that was used before and ends without an answer.
  std::function<bool()> may_go = {};
  bool is_sent_once = false;  // is not repeated like that
};

/// Request::accept of one whose answer is of no use but for the object's metadata: the server
/// writes less, and so there is less to read.
inline constexpr const char* kMetadataOnly =
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

/// Query of a request with an object: fields that the server does not know are no trouble either
/// way, and without warnings, which nobody would read, it looks for them less closely.
inline constexpr const char* kWithoutWarnings = "fieldValidation=Ignore";

struct Answer {
  int status = 0;            // 0: there was none, and `problem` says why
  std::string body = {};     // empty for a stream that began: its bytes were passed on
  std::string problem = {};  // one line, without credentials
  clock::Duration retry_after = {};

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  /// The server is overloaded, restarts or cannot be reached: another try may succeed.
  [[nodiscard]] bool is_passing() const { return status == 0 || status == 429 || status >= 500; }
  /// What a person should read: the message of the server's Status object, else the status.
  [[nodiscard]] std::string message() const;
};

class Client {
 public:
  using OnDone = std::function<void(Answer)>;
  using OnBytes = std::function<void(std::string_view)>;

  /// `rate` may be shared with other clients; null: there is no limit. Streams are not counted.
  explicit Client(Cluster cluster, std::shared_ptr<RequestRate> rate = {});
  /// Ends all requests; no function is called any more.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends it; `on_done` follows, in the client's thread, unless it is abandoned before. With
  /// `on_bytes`, the body of a 2xx answer goes there as it comes. Any thread, also in the
  /// functions.
  std::uint64_t send(Request request, OnDone on_done, OnBytes on_bytes = {});
  /// Ends it. A function that is being called at the moment may still finish.
  void abandon(std::uint64_t id);

  [[nodiscard]] const Cluster& cluster() const { return cluster_; }

 private:
  struct Exchange;
  [[nodiscard]] CURL* take_handle();
  void take_back(Exchange& exchange);
  void take_orders();
  void begin_held();
  void begin(std::unique_ptr<Exchange> exchange);
  void end(CURL* easy, CURLcode code);
  void set_identity(Exchange& exchange);
  static int on_send(void* self, char* peer, char* own, int peer_port, int own_port);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);

  const Cluster cluster_;
  const std::shared_ptr<RequestRate> rate_;
  TokenSource tokens_;
  std::mutex mutex_;  // guards the next three
  std::vector<std::unique_ptr<Exchange>> new_;
  std::vector<std::uint64_t> abandoned_;
  std::uint64_t last_id_ = 0;

  std::deque<std::unique_ptr<Exchange>> held_;  // until rate_ lets them go; the thread's own
  std::unordered_map<std::uint64_t, std::unique_ptr<Exchange>> running_;  // the thread's own
  std::vector<CURL*> idle_;  // handles that can be used again, which costs less than new ones
  net::CurlLoop loop_;       // last: its thread uses the others
};

}  // namespace tiphys::kube
