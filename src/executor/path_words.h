// Small things about paths that a view and its neighbours share: cleaning, comparing, finding them
// in texts.
//
// remove_tree() touches the disk; the rest is pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor {

/// The absolute paths that a text names, as a shell script would: `/tmp/x`, not the one inside
/// `http://host/x`.
[[nodiscard]] std::vector<std::string> mentioned_paths(std::string_view text);

/// `path` without `.`, `..`, double and trailing slashes; "/" stays.
[[nodiscard]] std::string clean_path(std::string_view path);

/// The folder above a clean path.
[[nodiscard]] std::string parent_path(std::string_view path);

/// Whether `path` is `folder` or lies below it; both clean.
[[nodiscard]] bool is_below(std::string_view path, std::string_view folder);

/// `path` as seen from `folder` above it: "" for itself, else "/x/y". Both clean.
[[nodiscard]] std::string_view path_below(std::string_view path, std::string_view folder);

/// Removes a file or folder with all below; what is not there is fine.
void remove_tree(const std::string& path);

}  // namespace tiphys::executor
