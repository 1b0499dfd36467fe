// Runs a program of this machine to its end and takes what it prints.
//
// For the short calls that an executor makes itself (podman, tar). Blocks; any thread.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::executor {

/// What `words` print on stdout; stdin is empty. Errors: kNotFound when there is no such program in
/// the PATH; kIo with the last line of its stderr when it fails.
[[nodiscard]] diag::Result<std::string> program_output(std::vector<std::string> words);

/// Where the PATH, or a folder that only root's PATH has, holds a program; "" when nowhere.
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace tiphys::executor
