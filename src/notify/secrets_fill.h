// References to secrets in a channel's configuration, and secrets in what comes back.
//
// Pure but for the lookup.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "notify/channel.h"
#include "value/value.h"

namespace tiphys::notify {

/// The value of a key of a Secret. Errors: kNotFound.
using SecretOf =
    std::function<diag::Result<std::string>(const std::string& name, const std::string& key)>;

/// A configuration without references, and the secrets that are in it now.
struct Filled {
  value::Value config;
  /// With what else they look like: percent-encoded, as JSON; of a URL all that is behind its host;
  /// of `Bearer TOKEN` the token. The longest come first.
  std::vector<std::string> secrets;
};

/// Replaces each `{secretKeyRef: {name, key}}`, at any depth, by the text that it means. Errors:
/// those of `secret`.
[[nodiscard]] diag::Result<Filled> fill_secrets(const value::Value& config, const SecretOf& secret);

/// Adds what a request has that is as good as a secret: the credentials of its Authorization.
void add_credentials_of(const Request& request, std::vector<std::string>& secrets);

/// Adds what literal_secrets() finds in the configuration of a channel of `kind`.
void add_literal_secrets(std::string_view kind, const value::Value& config,
                         std::vector<std::string>& secrets);

/// `text` with every occurrence of a secret replaced by ***. Secrets shorter than 4 bytes are left:
/// they would eat words.
[[nodiscard]] std::string redacted(std::string text, const std::vector<std::string>& secrets);
/// The same of all texts in `v`; names of members stay.
[[nodiscard]] value::Value redacted(const value::Value& v, const std::vector<std::string>& secrets);

}  // namespace tiphys::notify
