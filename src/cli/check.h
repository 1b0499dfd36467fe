// Lint before a run: what is wrong is shown with its line, and refuses the run.
#pragma once

#include "cli/command.h"
#include "cli/inputs.h"

namespace tiphys::cli {

/// Checks the documents together with what is stored, prints all findings to stderr.
/// Errors: kInvalidManifest when one of them is an error.
[[nodiscard]] diag::Result<void> check_documents(Documents& documents, store::Store& store,
                                                 const Overrides& overrides,
                                                 const Session& session);

/// What Argo's controller would say of the arguments and the merged spec when the workflow starts:
/// goes into `invalid`.
void mark_invalid(std::vector<runtime::Submission>& submissions, store::Store& store);

/// Prints the findings with their lines to stderr.
void print_findings(const Documents& documents, const Session& session);

}  // namespace tiphys::cli
