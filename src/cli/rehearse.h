// What `simulate` and `test` run in virtual time: a workflow from files, as the engine would get
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/overrides.h"
#include "cli/rehearsed_rules.h"
#include "engine/engine.h"

namespace tiphys::cli {

/// The one workflow among the files, checked, with the templates given beside it and those stored
/// here; the real store is only read. `rules`, if given, gets the notification rules of both. Name,
/// uid and times are the same in each call. Errors: those of reading; kInvalidManifest for more
/// than one workflow.
[[nodiscard]] diag::Result<engine::Definition> definition_to_rehearse(
    const std::vector<std::string>& files, const Overrides& overrides,
    const std::string& defaults_file, Session& session, RuleSource* rules = nullptr);

/// The method of a template's `http`.
[[nodiscard]] std::string method_of(const value::Value& http);

}  // namespace tiphys::cli
