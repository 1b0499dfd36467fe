// The other side of Argo's executor-plugin protocol: a template `plugin: {tiphys: {notify: ...}}`
// of a workflow on a cluster becomes rows of the outbox here.
//
// Argo's agent asks again until it hears of an end, also after it was killed, and says nothing of
// the node: only the workflow and the template with its inputs. So the same template of the same
// workflow is the same notification, with the same id, however often it is asked for.
// Used by one thread; the engine that sends has a store of its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "clock/instant.h"
#include "net/http_server.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

class PluginService {
 public:
  struct Options {
    std::string token;                // what callers must bring
    std::string channels_space = {};  // the namespace of the channels; "": that of the workflow
    bool allows_inline = false;  // templates may describe channels, without commands and secrets
    std::function<void()> on_accepted = [] {};  // there are new rows
  };
  PluginService(store::Store& store, Options options)
      : store_(store), options_(std::move(options)) {}

  /// Answers `POST /api/v1/template.execute`: 200 with `{}` for templates of other plugins, with a
  /// node that is Running until all of its messages have arrived (or are accepted, as the template
  /// says), then Succeeded or Failed, or Error for a channel that is none or not the caller's to
  /// use; 401 without the token; 400 for what is no such call; 503 when
  /// the store fails, which Argo tries again. `GET /healthz` needs no token.
  [[nodiscard]] net::HttpServerAnswer answer(const net::HttpServerRequest& request,
                                             clock::Instant now);

 private:
  [[nodiscard]] net::HttpServerAnswer execute(const value::Value& call, clock::Instant now);

  store::Store& store_;
  const Options options_;
};

}  // namespace tiphys::runtime
