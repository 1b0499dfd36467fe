// What is to be told: the facts of one event, from which each channel makes its message.
//
// Pure data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clock/instant.h"
#include "value/value.h"

namespace tiphys::notify {

/// One event, as it was decided together with the transition that caused it.
///
/// `event` is a JSON object; members that do not apply are absent:
///   type       "workflow.succeeded", "workflow.running", "node.failed" ... : what changed, and to
///              which phase, in lower case
///   trigger    the name of the rule, subscription or hook that wants it told
///   workflow   {name, namespace, uid, phase, message, progress, startedAt, finishedAt (RFC 3339),
///              duration (seconds, a number), labels, annotations, url}
///   node       {name, displayName, id, type, templateName, phase, message, startedAt, finishedAt}
///   failures   [{displayName, templateName, phase, message, podName, finishedAt, log}]: failed
///              steps; `log` is the end of its log
///   attempt    of a retried node, a number from 0
///   actions    {resume, stop}: the commands that end the waiting for a person; resumeUrl, stopUrl:
///              links that do, if there are
///   previousPhase, shutdown, consecutiveFailures, digest: of rules' events; see
///              docs/SUBSCRIPTIONS.md
/// No secret is in it.
struct Notice {
  std::string id;  // constant over all attempts: webhook-id, Idempotency-Key, CloudEvents id
  clock::Instant at;
  value::Value event;
};

/// What channels say when the user gives no words of their own.
struct DefaultMessage {
  enum class Severity { kInfo, kGood, kBad };
  Severity severity = Severity::kInfo;
  std::string title;               // `ci-7xk2p Failed`
  std::vector<std::string> lines;  // phase, duration, failed steps with messages and log tail
  std::string link;                // workflow.url, or ""
};

/// The default message of a notice. Texts are plain, unescaped UTF-8 without control characters but
/// line breaks inside of log tails.
[[nodiscard]] DefaultMessage default_message(const Notice& notice);

}  // namespace tiphys::notify
