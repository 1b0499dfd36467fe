// Notification manifests and subscriptions by annotation: checked, kept, listed.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/inputs.h"
#include "diag/error.h"
#include "spec/manifest.h"
#include "store/store.h"

namespace tiphys::cli {

/// What is wrong with the rules and subscriptions among the documents, each at its place. `store`:
/// where channels are looked for that are not among them; null: channels are not looked for.
/// `is_run`: an annotation that cannot work is a warning, since no workflow fails for a notice.
[[nodiscard]] std::vector<diag::Diagnostic> rule_findings(const Documents& documents,
                                                          store::Store* store,
                                                          const std::string& name_space,
                                                          bool is_run);

/// Stores a Notification, which has been checked, in its namespace, else in `name_space`, else in
/// `default`. Errors: kIo.
[[nodiscard]] diag::Result<void> keep_rule(const spec::Manifest& m, const std::string& name_space,
                                           store::Store& store);

/// `notifications rules`: list, get, delete, mute, unmute, triggers.
void add_rules(Command group, Session& session);

}  // namespace tiphys::cli
