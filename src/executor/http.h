// Sends the requests of http templates.
//
// One thread, one curl multi handle driven by epoll: many requests at once, connections reused
// (curl_multi_poll with re-added handles measured 14 ms a request instead of 0.06). A request
// without a recorded outcome is sent again after a crash, with the same Idempotency-Key.
#pragma once

#include <memory>

#include "executor/executor.h"
#include "executor/http_exchange.h"

namespace tiphys::executor {

struct HttpOptions {
  SuccessCondition condition = {};  // needed by templates with a successCondition
  bool refuses_private = false;     // also loopback and private networks, not only link-local ones
  int requests_max = 128;  // at once; the rest wait their turn, and their timeout does not run yet
};

/// The functions of `listener` are called from the executor's thread; on_running when the request
/// is being sent. Destroying the executor ends its requests without telling anybody.
[[nodiscard]] std::unique_ptr<Executor> make_http_executor(HttpOptions options, Listener listener,
                                                           Lookup lookup);

}  // namespace tiphys::executor
