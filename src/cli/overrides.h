// The flags of `submit` and `run` that change a workflow before it is submitted.
//
// What they do is what argo's client does to the object that it sends (measured).
// Pure: the caller reads the parameter file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parser.h"
#include "diag/error.h"
#include "value/value.h"

namespace tiphys::cli {

struct Overrides {
  std::vector<std::string> parameters;  // -p k=v
  std::string parameter_file;           // -f
  std::string labels;                   // -l a=b,c=d
  std::string name;
  std::string generate_name;
  std::string entrypoint;
  std::string service_account;
  std::string name_space;      // for a workflow that names none
  std::string scheduled_time;  // RFC 3339
  std::optional<int> priority;
};

/// The flags of submit that change the workflow.
void add_override_flags(Command command, Overrides& o);

/// A parameter file (a YAML or JSON map) as `k=v` texts; values that are no strings are given as
/// JSON. Errors: kInvalidManifest when it is no map.
[[nodiscard]] diag::Result<std::vector<std::string>> read_parameters(std::string_view text,
                                                                     const std::string& file);

/// The spec with these parameters (`k=v`; of equal names the first counts) in front of those of
/// its own that they don't replace. Errors: kInvalidManifest in argo's words.
[[nodiscard]] diag::Result<value::Value> with_parameters(const value::Value& spec,
                                                         const std::vector<std::string>& given);

/// Applies the flags to a Workflow object; parameter_file has been read into parameters before.
/// Errors: kInvalidManifest in argo's words.
[[nodiscard]] diag::Result<value::Value> apply_overrides(const value::Value& workflow,
                                                         const Overrides& overrides);

}  // namespace tiphys::cli
