// Secrets that stand in a channel's configuration as they are, where a reference should be.
//
// They cannot be told from other texts but by their field's name and their form. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "value/value.h"

namespace tiphys::notify {

struct LiteralSecret {
  std::string pointer;  // from the configuration: /signingSecrets/0
  std::string text;     // of a URL with a password: USER:PASSWORD
  bool is_in_url = false;
};

/// The secrets in the `config` of a channel of `kind`: texts of fields, headers and variables whose
/// names say so, `whsec_...`, credentials in URLs, and URLs that are a chat's key. With "" as kind
/// the same of an http template, whose headers are `{name, value}`.
[[nodiscard]] std::vector<LiteralSecret> literal_secrets(std::string_view kind,
                                                         const value::Value& config);

}  // namespace tiphys::notify
