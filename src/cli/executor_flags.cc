#include "cli/executor_flags.h"

#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "executor/host_paths.h"

namespace tiphys::cli {

void add_executor_flags(Command command, ExecutorFlags& flags) {
  command.add_option("--executor", flags.executor,
                     "where steps run: auto (containers when a runtime and the image are here), "
                     "host, container, sandbox, kubernetes");
  command.add_option("--images", flags.images, "a folder with OCI image layouts");
  command.add_option("--host-paths", flags.host_paths,
                     "which folders of this machine hostPath volumes may show, with colons "
                     "between; / is all");
  command.add_option("--kubeconfig", flags.kubeconfig,
                     "of --executor kubernetes; default: $KUBECONFIG, the pod's service account, "
                     "~/.kube/config");
  command.add_option("--context", flags.context, "which context of the kubeconfig");
  command.add_option("--step-image", flags.step_image, "the image that holds /tiphys-step");
}

diag::Result<void> apply_executor_flags(const ExecutorFlags& flags, runtime::Config& config) {
  if (!flags.executor.empty()) {
    TRY(config.executor, runtime::executor_named(flags.executor));
  }
  if (!flags.host_paths.empty()) {
    if (!executor::is_path_list(flags.host_paths)) {
      return wrong_usage(fmt::format(
          "--host-paths is '{}': want absolute folders, with colons between", flags.host_paths));
    }
    config.host_paths = flags.host_paths;
  }
  config.kubeconfig = flags.kubeconfig;
  config.kube_context = flags.context;
  if (!flags.step_image.empty()) config.step_image = flags.step_image;
  if (!flags.images.empty()) {
    std::error_code error;
    config.image_layouts = std::filesystem::absolute(flags.images, error).string();
  }
  return {};
}

}  // namespace tiphys::cli
