// Reads files and folders of a container into FileEntries, and writes them.
//
// I/O; any thread.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "step/report.h"

namespace tiphys::step {

/// Adds `path` with all below it to `files`, under the name `as` (`path` itself when empty); what
/// is not there adds nothing. The path itself may be a link and is followed; links below stay
/// links. `left` is how many bytes may still be read, and is lowered.
/// Errors: kIo in the kernel's words, also when more is there than may be read.
[[nodiscard]] diag::Result<void> collect(const std::string& path, const std::string& as,
                                         std::size_t& left, std::vector<FileEntry>& files);

/// Makes all of them, with the folders above. Readable for every user: who runs the command is not
/// who brings its files. Errors: kIo.
[[nodiscard]] diag::Result<void> place(const std::vector<FileEntry>& files);

/// The names of what is in a folder, sorted. Errors: kIo.
[[nodiscard]] diag::Result<std::vector<std::string>> names_in(const std::string& folder);

/// What a system call that failed is told as: `open /a: Permission denied`, kIo.
[[nodiscard]] std::unexpected<diag::Error> failed(const std::string& what, const std::string& path,
                                                  int error);

/// A whole file. Errors: kIo.
[[nodiscard]] diag::Result<std::string> read_whole(const std::string& path);
[[nodiscard]] diag::Result<void> write_whole(const std::string& path, std::string_view text,
                                             unsigned mode);

}  // namespace tiphys::step
