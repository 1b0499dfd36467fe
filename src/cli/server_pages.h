// What `tiphys server --listen` answers: metrics for Prometheus, and the links of notifications
// that wait for a person.
//
// Reads the store through a connection of its own. Used by the HTTP server's thread.
#pragma once

#include <string>

#include "clock/instant.h"
#include "net/http_server.h"
#include "notify/action_link.h"
#include "runtime/config.h"
#include "store/store.h"

namespace tiphys::cli {

class ServerPages {
 public:
  /// `link_key` signs the links; "" when there are none.
  ServerPages(const runtime::Config& config, store::Store& store, std::string link_key)
      : config_(config), store_(store), link_key_(std::move(link_key)) {}

  /// `GET /metrics` (also `argo_workflows_gauge`, as Argo's controller has it), `GET /healthz`,
  /// and below `/actions/`: GET shows what a link is for, and POST does it. Reading a link changes
  /// nothing, since mail servers and chats read links, too.
  [[nodiscard]] net::HttpServerAnswer answer(const net::HttpServerRequest& request,
                                             clock::Instant now);

 private:
  [[nodiscard]] net::HttpServerAnswer metrics();
  [[nodiscard]] net::HttpServerAnswer action(const net::HttpServerRequest& request,
                                             std::string_view token, clock::Instant now);

  const runtime::Config& config_;
  store::Store& store_;
  const std::string link_key_;
};

/// Whether the workflow is still in the waiting that a link is about. Pure.
[[nodiscard]] bool still_waits(const value::Value& workflow, const notify::LinkedAction& action);

}  // namespace tiphys::cli
