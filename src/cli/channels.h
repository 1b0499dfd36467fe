// NotificationChannel manifests: where notifications go, with references to their secrets.
#pragma once

#include <string>

#include "cli/inputs.h"
#include "diag/error.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::cli {

/// Checks a channel and stores it in its namespace, else in `name_space`, else in `default`.
/// Errors: kInvalidManifest at the field's place; kIo.
[[nodiscard]] diag::Result<void> keep_channel(const spec::Manifest& m,
                                              const std::string& name_space, store::Store& store);

/// All of the documents that are channels, and the rules, which have been checked.
[[nodiscard]] diag::Result<void> keep_channels(const Documents& documents,
                                               const std::string& name_space, store::Store& store);

}  // namespace tiphys::cli
