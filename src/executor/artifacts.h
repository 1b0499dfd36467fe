// Artifacts of steps on this machine: a folder is the repository.
//
// An artifact whose s3 location names a server (s3_location.h) is there. Else an artifact with an
// s3 (gcs, oss, azure) location lies at ROOT/BUCKET/KEY, one without at
// ROOT/default/WORKFLOW/POD/FILE, where FILE is what Argo would name it. Files and folders are kept
// as they are, their bytes by content (content_store.h); Argo packs them, and unpacks them again
// when they are read, which nobody inside a step can see. http artifacts are really sent and
// fetched (with tar). Called on an executor's thread, which waits for them.
#pragma once

#include <string>

#include "diag/error.h"
#include "executor/executor.h"
#include "executor/view.h"
#include "value/value.h"

namespace tiphys::executor {

/// Puts every input artifact that has a location in its place. Errors: the message is the node's
/// (Argo's `init: ...`).
[[nodiscard]] diag::Result<void> load_input_artifacts(const Task& task, const View& view,
                                                      const Lookup& lookup,
                                                      const std::string& root);

/// Saves every output artifact that is there. `saved` gets Argo's form of each, with its location;
/// the return value is
/// "" or what the `wait` container would say of those that are missing or could not be saved.
[[nodiscard]] std::string save_output_artifacts(const Task& task, const View& view,
                                                const Lookup& lookup, const std::string& root,
                                                value::List& saved);

/// Removes the artifact from this machine's folders or its S3 server; one that is not there is
/// removed already. Errors: kIo with the text of the condition ArtifactGCError.
[[nodiscard]] diag::Result<void> remove_artifact(const value::Value& artifact,
                                                 const std::string& name_space,
                                                 const Lookup& lookup, const std::string& root);

/// An output artifact with its location, as Argo reports it: its own, or one in the repository.
[[nodiscard]] value::Value with_location(const value::Value& artifact, const Task& task);

/// Saves the step's log without the timestamps as `main-logs` (spec.archiveLogs) and returns the
/// artifact.
[[nodiscard]] value::Value save_log_artifact(const Task& task, const Lookup& lookup,
                                             const std::string& root);

/// Where the bytes of an artifact lie, for those who serve them; "" when it has no location of this
/// machine.
[[nodiscard]] std::string artifact_path(const value::Value& artifact, const std::string& root);

/// The folder of the bucket that an artifact's location names, and the key in it; "" when the
/// location is of no object store.
[[nodiscard]] std::string bucket_path(const value::Value& artifact, const std::string& root);
[[nodiscard]] std::string artifact_key(const value::Value& artifact);

}  // namespace tiphys::executor
