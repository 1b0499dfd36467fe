// Which workflows a command means: names, labels, fields, phase, age.
//
// The flags are those of `argo list`, `delete`, `stop` ...
// Pure, except select_workflows().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "clock/instant.h"

namespace tiphys::cli {

/// One term of a field selector.
struct FieldTerm {
  std::string key;
  std::string value;
  bool is_negated = false;
};

/// Reads `a=b,c!=d`. Errors: kInvalidManifest for what cannot be read, and for fields other than
/// metadata.name, metadata.namespace and status.phase.
[[nodiscard]] diag::Result<std::vector<FieldTerm>> parse_field_selector(std::string_view text);
[[nodiscard]] bool matches(const store::WorkflowRow& row, const std::vector<FieldTerm>& terms);

/// An age as argo takes it: 10m, 3h, 1d, or any Go duration. Errors: kInvalidManifest.
[[nodiscard]] diag::Result<clock::Duration> parse_age(std::string_view text);

struct SelectionFlags {
  std::string labels = {};
  std::string fields = {};
  std::vector<std::string> status = {};
  std::string prefix = {};
  std::string since = {};  // created within
  std::string older = {};  // finished before
  bool running = false;
  bool completed = false;
  bool resubmitted = false;
  bool all_namespaces = false;

  /// Whether any of them narrows the choice.
  [[nodiscard]] bool is_given() const;
};

/// Adds -l and --field-selector.
void add_selectors(Command command, SelectionFlags& o);
/// Adds the flags that list and delete have besides.
void add_filters(Command command, SelectionFlags& o);

/// The rows that pass all flags, in their order; `now` is what ages count from. Labels that Argo's
/// controller would have put on the workflow (phase, completed) can be asked for.
/// Errors: kInvalidManifest for flags that cannot be read or exclude each other.
[[nodiscard]] diag::Result<std::vector<store::WorkflowRow>> filter_rows(
    std::vector<store::WorkflowRow> rows, const SelectionFlags& o, clock::Instant now);

/// The stored workflows that the flags choose, newest first. `brief`: without spec and status.
[[nodiscard]] diag::Result<std::vector<store::WorkflowRow>> select_workflows(
    store::Store& store, const Session& session, const SelectionFlags& o, bool brief = true);

/// The workflows of the names and those that the flags choose, each once. Errors: kNotFound;
/// kInvalidManifest when neither is given.
[[nodiscard]] diag::Result<std::vector<store::WorkflowRow>> chosen_workflows(
    store::Store& store, const Session& session, const std::vector<std::string>& names,
    const SelectionFlags& o);

}  // namespace tiphys::cli
