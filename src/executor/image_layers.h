// The files of an image as overlayfs will show them, without mounting it.
//
// An image is a list of folders, its layers. A file in an upper one hides the same path below; a
// whiteout (a character device 0/0) hides it as if it were not there, an opaque folder hides all
// that is below it. Any thread.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::executor {

/// Where `path` (clean, without links) lies: in `upper`, else in the first of `lowers` that has it.
/// A path that nothing has is said to lie in `upper`.
[[nodiscard]] std::string locate_in_layers(const std::string& upper,
                                           const std::vector<std::string>& lowers,
                                           const std::string& path);

/// Makes the folder `path` in `upper` with the mode and the owner that it has in the layers below;
/// new ones are 0755. Folders above it as well. Errors: kIo.
[[nodiscard]] diag::Result<void> make_folder_over(const std::string& upper,
                                                  const std::vector<std::string>& lowers,
                                                  const std::string& path);

/// Brings what the lower layers have of the folder `path` into `upper`, so that it is complete
/// there. A folder that the step did not touch stays where it is. Errors: kIo.
[[nodiscard]] diag::Result<void> complete_folder(const std::string& upper,
                                                 const std::vector<std::string>& lowers,
                                                 const std::string& path);

}  // namespace tiphys::executor
