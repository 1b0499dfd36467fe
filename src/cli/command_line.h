// Words of the command line before and beside the parser: argo's spellings that CLI11 does not
// read, and commands that do not exist.
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tiphys::cli {

/// `-o=json`, as argo's flags may be written, becomes `-ojson`; `help CMD` becomes `CMD --help`.
/// Without the program's name; nothing behind `--` is changed.
[[nodiscard]] std::vector<std::string> normalized(std::vector<std::string> words);

/// The text for the first word that stands where a command should and is none, with what it may
/// have meant: `unknown command "sbmit" for "tiphys"`. Nullopt when there is no such word.
[[nodiscard]] std::optional<std::string> unknown_command(const CLI::App& app,
                                                         const std::vector<std::string>& words);

}  // namespace tiphys::cli
