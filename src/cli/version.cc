#include <fmt/format.h>

#include "cli/commands.h"

#ifndef TIPHYS_VERSION
#define TIPHYS_VERSION "0.1.0"
#endif

namespace tiphys::cli {

void add_version(Command app, Session& session) {
  auto is_short = std::make_shared<bool>(false);
  const Command command = add_command(
      app, "version", "print version information", session, [is_short]() -> diag::Result<void> {
        fmt::print("tiphys: v{}\n", TIPHYS_VERSION);
        if (!*is_short) {
          fmt::print(
              "  Argo Workflows: v4.1.2 (manifests and behaviour)\n  "
              "Compiler: gcc {}\n  Platform: linux/{}\n",
              __VERSION__,
#ifdef __x86_64__
              "amd64"
#else
                 "arm64"
#endif
          );
        }
        return {};
      });
  command.add_flag("--short", *is_short, "only the version");
}

}  // namespace tiphys::cli
