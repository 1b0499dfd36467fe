// The bytes of a repository's files, each content once: ROOT/.content/sha256/AB/DIGEST-MODE, of
// which the files under keys are hard links.
//
// A file says of itself in an extended attribute under which digest it was kept, and as what (size
// and time): so nothing is read again to find its blob, and a blob that was written to since, or
// lost its end with the power, is not taken for what its name says. Where there are no extended
// attributes, bytes are compared; where there are no hard links, a file stays one of its own. Any
// thread, any process: a link to a blob that is being removed keeps its bytes, and only whoever has
// the lock removes blobs.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "executor/content_digest.h"

namespace tiphys::executor {

/// Where a repository keeps its bytes; no bucket has this name.
inline constexpr const char* kContentFolder = ".content";

/// What the name of a blob says.
struct BlobName {
  Digest digest = {};
  mode_t mode = 0;
};

/// The folder of all blobs.
[[nodiscard]] std::string blobs_path(const std::string& root);
[[nodiscard]] std::string blob_path(const std::string& root, const BlobName& name);
/// What the last part of a blob's path says; none when it is not one.
[[nodiscard]] std::optional<BlobName> blob_name(std::string_view file_name);

/// Makes the complete file `file` a link to the blob of its content: to the one that is there, else
/// it becomes that blob. `spare` is a free path beside it. If that is not possible, `file` stays
/// one of its own.
void link_to_blob(const std::string& root, const std::string& file, const Digest& digest,
                  const std::string& spare);

/// A blob that is not what its name says: it is not used any more, and goes with its last file.
void distrust_blob(const std::string& blob, const BlobName& name);

/// Removes a file, or a folder with all below, and the blobs that only they had. What is not there
/// is fine, and what cannot be removed stays.
void release_tree(const std::string& root, const std::string& path);

}  // namespace tiphys::executor
