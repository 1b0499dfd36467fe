// The files and folders of a repository on this machine: under their keys for those who read them,
// their bytes once for each content (content_blobs.h).
//
// What is put is made beside its place and gets there in one call, so a process that dies leaves
// the old file or the new one under a key, and the rest to sweep_content(). Nothing is ever written
// to a file that has its place. A key that lies on another file system than the repository, or in
// one without hard links, has a file of its own. Any thread, any process; each waits for its bytes.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"

namespace tiphys::executor {

/// Copies a file or folder to `place`, instead of what is there. Links in it stay links. Errors:
/// kIo.
[[nodiscard]] diag::Result<void> put_content(const std::string& root, const std::string& from,
                                             const std::string& place);

/// The same for a file of these bytes.
[[nodiscard]] diag::Result<void> put_content_text(const std::string& root, std::string_view text,
                                                  const std::string& place);

/// Removes what is at `place`, if it is there. Errors: kIo, with the system's reason alone.
[[nodiscard]] diag::Result<void> remove_content(const std::string& root, const std::string& place);

/// A copy for somebody who may write to it. Errors: kIo.
[[nodiscard]] diag::Result<void> copy_content(const std::string& from, const std::string& to);

/// Removes what processes that died were about to put or to remove. Cheap when there is nothing.
void sweep_content(const std::string& root);

}  // namespace tiphys::executor
