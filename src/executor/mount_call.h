// One mount of a step's view of the file system, as a child of the supervisor does it.
//
// The children share memory with the supervisor or were forked from it, so nothing here allocates.
// A failed call leaves its reason in errno.
#pragma once

#include "executor/wire.h"

namespace tiphys::executor {

/// A wire::Mount whose texts lie elsewhere and end with NUL.
struct MountCall {
  wire::Mount::Kind kind;
  const char* source;
  const char* target;
  const char* options;
};

/// Does it, in the caller's mount namespace. False when it is refused; errno says why.
[[nodiscard]] bool carry_out(const MountCall& call);

}  // namespace tiphys::executor
