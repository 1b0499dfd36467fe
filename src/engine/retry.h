// Retry nodes: attempts of a template under its retryStrategy.
//
// Attempts are kept in a list of their own, so that hook nodes below a Retry node are never taken
// for attempts (Argo issues 13239, 14058, 15163). Pure.
#pragma once

#include <memory>

#include "engine/machine.h"

namespace tiphys::engine {

/// Makes a Retry node and starts its first attempt.
void begin_retry(Machine& m, const Start& start, std::shared_ptr<const spec::Template> body,
                 std::shared_ptr<const TemplateScope> inner_scope);

/// The attempt that is about to be Error is so for a reason that is not its process's: unless the
/// policy tries again on errors, whoever started the Retry node is told.
void note_attempt_error(Machine& m, NodeIndex retry, const std::string& error);

/// The running attempt is final: succeed, give up, or try again (now or after the backoff).
void on_attempt_settled(Machine& m, NodeIndex retry);

/// The backoff is over.
void on_backoff_over(Machine& m, NodeIndex retry);

/// A shutdown ends a Retry node that waits for its backoff.
void give_up_waiting(Machine& m, NodeIndex retry, const std::string& message);

/// The newest attempt of a Retry node, or kNoNode.
[[nodiscard]] NodeIndex last_attempt(const Machine& m, const Node& retry);

}  // namespace tiphys::engine
