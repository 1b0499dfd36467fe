// What becomes of the request of a hook's http template when it fails: the one thing of such a hook
// that a user may choose.
//
// Pure, but for a line in the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "notify/outbox.h"
#include "value/value.h"

namespace tiphys::runtime {

enum class HttpHooks {
  kRetry,  // the first answer is the node's, as in Argo; the request is repeated behind it
  kAwait,  // the node ends when the request has arrived, or is dead
  kOnce,   // sent once, as in Argo; no row in the outbox
};

/// `retry`, `await` or `once`; nullopt for other words.
[[nodiscard]] std::optional<HttpHooks> parse_http_hooks(std::string_view word);

/// What holds for one request: the annotations `notifications.tiphys.dev/http-hooks` (a word of
/// above) and `notifications.tiphys.dev/http-hook-retries` (`0s, 5s, 30s`: the waits before each
/// attempt) of the template, else of the workflow, else `otherwise` and the standard schedule.
/// What cannot be read is told in the log and has no effect.
struct HttpHookRules {
  HttpHooks mode = HttpHooks::kRetry;
  notify::Schedule schedule = notify::Schedule::standard();
};
[[nodiscard]] HttpHookRules http_hook_rules(const value::Value& template_body,
                                            const value::Value& workflow_metadata,
                                            HttpHooks otherwise);

}  // namespace tiphys::runtime
