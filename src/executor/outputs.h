// Reads what a finished step has left: result, output parameters, artifacts; and decides its phase
// and message.
//
// Rules and texts are those of Argo's executor and controller (HOOKS.md 9.1), some measured: a
// missing output parameter is an Error of the `wait` container, a missing artifact too, the exit
// code of `main` comes before both. Called on an executor's thread.
#pragma once

#include <string>

#include "executor/executor.h"
#include "executor/view.h"
#include "executor/wire.h"

namespace tiphys::executor {

/// How the step ended, with its outputs; saves output artifacts below `artifact_root`.
[[nodiscard]] Outcome collect_outcome(const Task& task, const View& view, const wire::Exit& exit,
                                      const Lookup& lookup, const std::string& artifact_root);

/// Reads the template's output parameters and saves its output artifacts into `outcome`; what is
/// missing makes a Succeeded one Error.
void collect_outputs(const Task& task, const View& view, const Lookup& lookup,
                     const std::string& artifact_root, Outcome& outcome);
/// Adds to outcome.outputs.artifacts.
void add_artifacts(Outcome& outcome, value::List more);

/// Where an output path of the step lies on the host; "" when there is nothing. A container's
/// working folder is usually `/`: what a step wrote to `result.txt` in its working folder is also
/// its `/result.txt`.
[[nodiscard]] std::string output_place(const Task& task, const View& view, const std::string& path);

/// An Outcome of phase Error, at `at`.
[[nodiscard]] Outcome error_outcome(std::string message, clock::Instant at);

/// stdout as outputs.result: one newline at the end off, the last 256 KiB.
[[nodiscard]] std::string result_of_stdout(std::string text);

}  // namespace tiphys::executor
