// Lint before a run: what is wrong is shown with its line, and refuses the run.
#pragma once

#include <optional>
#include <string_view>

#include "cli/command.h"
#include "cli/inputs.h"
#include "lint/lint.h"

namespace tiphys::cli {

/// Looks for templates in the store; `name_space` is for references that name none.
[[nodiscard]] lint::FindStored stored_finder(store::Store& store, std::string name_space);

/// Tells of hostPath volumes that steps here may not have; null where steps are pods.
[[nodiscard]] lint::HostPathProblem host_path_problem(const runtime::Config& config);

/// The text of one of the files; nullopt when it is none of them, or holds a Secret, of which no
/// line is ever shown.
[[nodiscard]] std::optional<std::string_view> text_of(const Documents& documents,
                                                      const std::string& file);

/// Checks the documents, changed by the flags and the workflowDefaults (of `defaults_file`, else of
/// the configuration), together with what is stored; prints all findings to stderr. Errors:
/// kInvalidManifest when one of them is an error, or the defaults cannot be read.
[[nodiscard]] diag::Result<void> check_documents(Documents& documents, const Opened& state,
                                                 const Overrides& overrides, const Session& session,
                                                 const std::string& defaults_file = "");

/// Whether the parameters that the flags give are among those that the template of a
/// workflowTemplateRef allows, which stands among `templates` or is stored. A file that gives
/// others is only warned of, as it runs in Argo. Errors: kInvalidManifest.
[[nodiscard]] diag::Result<void> check_given(const value::Value& workflow,
                                             const std::vector<spec::Manifest>& templates,
                                             store::Store& store, const Overrides& overrides,
                                             const Session& session);
/// The same for all workflows among the documents.
[[nodiscard]] diag::Result<void> check_given(const Documents& documents, store::Store& store,
                                             const Overrides& overrides, const Session& session);

/// Gives the submissions the workflowDefaults of the configuration, where no file gives them, and
/// what Argo's controller would say of the arguments and the merged spec when the workflow starts
/// (`invalid`). Errors: kInvalidManifest when those defaults cannot be read, kIo.
[[nodiscard]] diag::Result<void> complete(std::vector<runtime::Submission>& submissions,
                                          store::Store& store, const Session& session);

/// What Argo's controller would say of a workflow, with defaults and what is stored, when it
/// starts;
/// "" when it is valid.
[[nodiscard]] std::string why_invalid(const value::Value& workflow, const value::Value& defaults,
                                      store::Store& store);

/// Checks files and prints what is wrong; the exit code is 1 if anything is (the lint commands).
struct LintFlags {
  std::vector<std::string> files;
  std::string output;              // "", pretty or simple
  std::vector<std::string> kinds;  // as --kinds takes them; empty: all
  bool is_offline = false;
  bool is_strict = true;
};
[[nodiscard]] diag::Result<void> lint_files(const LintFlags& o, Session& session);

}  // namespace tiphys::cli
