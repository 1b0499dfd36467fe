// An event to try channels with, and to show what they send: a workflow that has failed.
//
// Pure data.
#pragma once

#include <string_view>

namespace tiphys::notify {

/// JSON in the form of Notice::event. Its one failed step has a log with what logs have: colours,
/// markup and several lines.
inline constexpr std::string_view kSampleEvent = R"json({
  "type": "workflow.failed", "trigger": "on-failure",
  "workflow": {
    "name": "ci-7xk2p", "namespace": "prod", "uid": "0b5c2d6e-77aa-4a1b-9c1e-0123456789ab",
    "phase": "Failed", "message": "child 'ci-7xk2p-1' failed", "progress": "1/2",
    "startedAt": "2026-11-26T10:00:00Z", "finishedAt": "2026-11-26T10:01:05Z",
    "duration": 65.25, "labels": {"team": "build"}, "annotations": {},
    "url": "https://tiphys.example.com/workflows/prod/ci-7xk2p"},
  "failures": [{
    "displayName": "compile", "templateName": "make", "phase": "Failed",
    "message": "Error (exit code 2)", "podName": "ci-7xk2p-make-1",
    "finishedAt": "2026-11-26T10:01:04Z",
    "log":
      "cc main.c\n\u001b[31mmain.c:3: error: <b> & \"x\"\u001b[0m\nmake: *** Error 2\n"}]})json";

}  // namespace tiphys::notify
