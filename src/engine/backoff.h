// When the next attempt of a retried node may start: arithmetic of `retryStrategy.backoff`.
//
// duration * factor^(attempts - 1), never above `cap`, given up when it would pass `maxDuration`.
// Measured against Argo's processNodeRetries, overflow included. Pure: the time is an argument.
#pragma once

#include <optional>
#include <string>

#include "clock/instant.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::engine {

/// What is known of the attempts that were made, all of them finished.
struct Attempts {
  int count = 0;                  // at least 1
  clock::Instant first_started;   // of the first attempt
  clock::Instant last_finished;   // of the last attempt
  std::optional<int> limit = {};  // retryStrategy.limit; without one there is no waiting
};

/// What the back-off says.
struct Backoff {
  enum class Verdict { kGo, kWait, kGiveUp };
  Verdict verdict = Verdict::kGo;
  clock::Duration wait = {};     // length of the wait, from last_finished on; also set for kGo
  clock::Instant until = {};     // kWait: not before
  std::string message = {};      // kWait: "Backoff for 5 seconds"; kGiveUp: why
  clock::Instant deadline = {};  // kGo: maxDuration ends the attempt then; not set without one
};

/// The wait after `attempts` attempts, without regard to time. Errors: kInvalidManifest (a duration
/// or factor that is none, no duration).
[[nodiscard]] diag::Result<clock::Duration> backoff_wait(const value::Value& backoff, int attempts);

/// Decides at `now` for a `backoff` object ({duration, factor, cap, maxDuration}). null: go on at
/// once. Errors as above.
[[nodiscard]] diag::Result<Backoff> next_backoff(const value::Value& backoff,
                                                 const Attempts& attempts, clock::Instant now);

/// An integer, or a text that is one (Kubernetes' IntOrString); nullopt when absent. Errors:
/// kInvalidManifest `value 'x' cannot be resolved to an int`.
[[nodiscard]] diag::Result<std::optional<std::int64_t>> int_or_string(const value::Value& v);

}  // namespace tiphys::engine
