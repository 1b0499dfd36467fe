// What --help says beyond the list of flags: groups of commands, examples, exit codes.
#pragma once

namespace CLI {
class App;
}

namespace tiphys::cli {

/// Gives the commands of `app`, which are all there, their groups, examples and looks.
void dress_help(CLI::App& app);

}  // namespace tiphys::cli
