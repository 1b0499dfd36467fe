// References to secrets in a channel's configuration, and secrets in what comes back.
//
// Pure but for the lookup.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "value/value.h"

namespace tiphys::notify {

/// The value of a key of a Secret. Errors: kNotFound.
using SecretOf =
    std::function<diag::Result<std::string>(const std::string& name, const std::string& key)>;

/// A configuration without references, and the secrets that are in it now.
struct Filled {
  value::Value config;
  std::vector<std::string> secrets;
};

/// Replaces each `{secretKeyRef: {name, key}}`, at any depth, by the text that it means. Errors:
/// those of `secret`.
[[nodiscard]] diag::Result<Filled> fill_secrets(const value::Value& config, const SecretOf& secret);

/// `text` with every occurrence of a secret replaced by ***. Secrets shorter than 4 bytes are left:
/// they would eat words.
[[nodiscard]] std::string redacted(std::string text, const std::vector<std::string>& secrets);

}  // namespace tiphys::notify
