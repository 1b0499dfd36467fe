// tags.jsonl: Argo's template.Replace and ReplaceStrictAny on JSON documents.
#include <string>

#include "tag/substitute.h"
#include "value/json.h"
#include "vars/scope.h"
#include "vectors/set.h"

namespace tiphys::vectors {

Outcome run_tags(const value::Value& record) {
  vars::MapScope scope;
  for (const auto& [name, v] : record["env"].map()) scope.set(name, v);
  tag::Strictness strictness;
  strictness.all = record["mode"].string_or("") == "strict";
  for (const value::Value& prefix : record["strict_prefixes"].list()) {
    strictness.prefixes.push_back(prefix.as_string());
  }
  const auto got = tag::substitute_document(record["input"].string_or(""), scope, strictness);
  if (record["error"].bool_or(false)) {
    const bool missing = record["error_kind"].string_or("") == "missing_variable";
    const bool same_kind = !got && (got.error().code == diag::Code::kMissingVariable) == missing;
    return {same_kind, "error " + std::string(record["message"].string_or("")),
            got ? *got : "error " + got.error().message};
  }
  const std::string_view want = record["want"].string_or("");
  return {got && *got == want, std::string(want), got ? *got : "error " + got.error().message};
}

}  // namespace tiphys::vectors
