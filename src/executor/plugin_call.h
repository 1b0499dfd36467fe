// One call of Argo's executor-plugin protocol: POST /api/v1/template.execute.
//
// Blocks its thread until the answer is there or the time is over.
#pragma once

#include <string>

#include "clock/instant.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::executor {

struct PluginCall {
  std::string address;  // http://127.0.0.1:PORT
  std::string token;    // sent as Authorization: Bearer
  std::string body;
  clock::Duration timeout;
};

struct PluginAnswer {
  enum class Kind {
    kNode,         // `node` says how the template ended, or that it goes on
    kNotMine,      // the plugin does not know this template
    kUnsupported,  // status 404: the plugin must not be asked again by this workflow
    kTransient,    // no connection, no answer in time, status 503: `text` tells
    kFailed,       // any other status, or no JSON: `text` tells
  };
  Kind kind = Kind::kNotMine;
  value::Value node = {};
  clock::Duration requeue = {};  // until it wants to be asked again
  std::string text = {};
};

/// Sends the call.
[[nodiscard]] PluginAnswer call_plugin(const PluginCall& call);

/// What an answer of this status and body means.
[[nodiscard]] PluginAnswer plugin_answer(long status, std::string_view body);

}  // namespace tiphys::executor
