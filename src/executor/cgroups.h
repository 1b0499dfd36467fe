// The cgroups of steps with limits: their names, and what a killed runtime leaves of them.
//
// A runtime makes the cgroup of a step and removes it in the end, but not its parent, and nothing
// when it was killed. All of a home folder have one parent, so that its supervisor can remove them
// when it starts and when it ends, while none of its steps runs. What is in use stays: the kernel
// refuses to remove it.
#pragma once

#include <string>

namespace tiphys::executor {

/// The path below the mount point of each hierarchy: `/tiphys-HOME/STEP`, both hashed.
[[nodiscard]] std::string cgroup_of_step(const std::string& home, const std::string& key);

/// Removes the empty cgroups of this home folder.
void sweep_cgroups(const std::string& home);

}  // namespace tiphys::executor
