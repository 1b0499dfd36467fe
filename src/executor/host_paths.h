// Which folders of this machine hostPath volumes may show to steps.
//
// Reads the file system: symbolic links are followed before anything is compared. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"

namespace tiphys::executor {

/// Whether `list` is empty or absolute folders with colons between.
[[nodiscard]] bool is_path_list(std::string_view list);

/// `path` without symbolic links, if it lies in one of the folders of `list`; what does not exist
/// yet counts as where it would come to lie. Errors: kInvalidManifest, with a message that says how
/// to allow it.
[[nodiscard]] diag::Result<std::string> allowed_host_path(const std::string& path,
                                                          std::string_view list);

/// The folder of `list`, without symbolic links, that holds `path`, which allowed_host_path() gave;
/// "" when none does.
[[nodiscard]] std::string allowing_folder(const std::string& path, std::string_view list);

/// `folder` + `below`, a clean path, without symbolic links below `folder`, if that lies in it.
/// Errors: kInvalidManifest.
[[nodiscard]] diag::Result<std::string> path_inside(const std::string& folder,
                                                    const std::string& below);

}  // namespace tiphys::executor
