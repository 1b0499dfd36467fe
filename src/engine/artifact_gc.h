// artifactGC: which artifacts a workflow gives up, and when.
//
// The engine says which and remembers what came of it; the runtime removes them. Pure.
#pragma once

#include <string_view>

#include "engine/machine.h"

namespace tiphys::engine {

inline constexpr std::string_view kOnCompletion = "OnWorkflowCompletion";
inline constexpr std::string_view kOnDeletion = "OnWorkflowDeletion";
/// Argo's finalizer: it stands in the metadata while artifacts are left to be removed.
inline constexpr std::string_view kArtifactFinalizer = "workflows.argoproj.io/artifact-gc";

/// Whether an output of any template, also of stored ones, is to be removed at some time.
[[nodiscard]] bool wants_artifact_gc(const Machine& m);
/// The artifacts of pods that `strategy` gives up and that are still there, as
/// {"node": number, "artifact": {...}}. An artifact's own strategy beats the workflow's.
[[nodiscard]] value::List garbage_of(const Machine& m, std::string_view strategy);

/// The workflow has ended: asks for what goes then, if anything does.
void ask_for_artifact_gc(Machine& m);
/// Whether that was asked and has not been answered.
[[nodiscard]] bool is_collecting(const Machine& m);
/// The answer to a CollectArtifacts, or what came of a deletion; false when it is of an earlier
/// run.
bool on_artifacts_collected(Machine& m, const ArtifactsCollected& event);

/// Whether the finalizer stands.
[[nodiscard]] bool has_artifact_finalizer(const Machine& m);
/// status.artifactGCStatus; null for a workflow that keeps its artifacts.
[[nodiscard]] value::Value artifact_gc_status(const Machine& m);

}  // namespace tiphys::engine
