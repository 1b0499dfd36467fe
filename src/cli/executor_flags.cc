#include "cli/executor_flags.h"

#include <filesystem>

namespace tiphys::cli {

void add_executor_flags(CLI::App& command, ExecutorFlags& flags) {
  command.add_option("--executor", flags.executor,
                     "where steps run: auto (containers when a runtime and the image are here), "
                     "host, container, sandbox");
  command.add_option("--images", flags.images, "a folder with OCI image layouts");
}

diag::Result<void> apply_executor_flags(const ExecutorFlags& flags, runtime::Config& config) {
  if (!flags.executor.empty()) {
    TRY(config.executor, runtime::executor_named(flags.executor));
  }
  if (!flags.images.empty()) {
    std::error_code error;
    config.image_layouts = std::filesystem::absolute(flags.images, error).string();
  }
  return {};
}

}  // namespace tiphys::cli
