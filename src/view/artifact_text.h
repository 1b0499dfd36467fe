// An artifact's place as `argo get` prints it: the text of a Go struct.
//
// Nobody would design it so, but people look for the key in it. Pure.
#pragma once

#include <string>

#include "value/value.h"

namespace tiphys::view {

/// For an S3, HTTP, raw or GCS artifact; empty for other kinds.
[[nodiscard]] std::string artifact_text(const value::Value& artifact);

}  // namespace tiphys::view
