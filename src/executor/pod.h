// Runs templates of any number of containers: those of one by the process executor, as they are;
// the others (containerSet, initContainers, sidecars) container by container; `data` templates
// without any process.
//
// make_pod_executor() starts one thread besides that of the process executor. After a restart a
// task of several containers is played again from its beginning: the supervisor knows each
// container by its key and tells how those ended that have, so that nothing runs twice.
#pragma once

#include <memory>

#include "executor/process.h"

namespace tiphys::executor {

/// The functions of `listener` are called from the executor's threads. Destroying the executor
/// leaves the steps running.
[[nodiscard]] std::unique_ptr<Executor> make_pod_executor(ProcessOptions options, Listener listener,
                                                          Lookup lookup);

}  // namespace tiphys::executor
