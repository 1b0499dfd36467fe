// NotificationChannel manifests: where notifications go, with references to their secrets.
#pragma once

#include <string>
#include <vector>

#include "cli/inputs.h"
#include "diag/error.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::cli {

/// Checks a channel and stores it in its namespace, else in `name_space`, else in `default`.
/// Errors: kInvalidManifest at the field's place; kIo.
[[nodiscard]] diag::Result<void> keep_channel(const spec::Manifest& m,
                                              const std::string& name_space, store::Store& store);

/// Warnings about Secrets, and keys in them, that channels among the documents name and that are
/// neither beside them nor stored: what goes there would be dead. `secrets_path` may be empty:
/// nothing is stored then. `name_space` is for documents that name none.
[[nodiscard]] std::vector<diag::Diagnostic> missing_secrets(const Documents& documents,
                                                            const std::string& secrets_path,
                                                            const std::string& name_space);

/// What keep_channel() would refuse in the channels among the documents.
[[nodiscard]] std::vector<diag::Diagnostic> channel_mistakes(const Documents& documents);

/// Warnings about secrets that stand in channels among the documents as they are.
[[nodiscard]] std::vector<diag::Diagnostic> plain_secrets(const Documents& documents);

/// All of the documents that are channels, and the rules, which have been checked.
[[nodiscard]] diag::Result<void> keep_channels(const Documents& documents,
                                               const std::string& name_space, store::Store& store);

}  // namespace tiphys::cli
