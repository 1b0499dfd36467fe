// What a server wants to see of who asks: the header WWW-Authenticate (RFC 9110, 11.6.1), and the
// token server that a registry names there (the distribution project's token authentication).
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tiphys::kube {

struct AuthChallenge {
  std::string scheme;                                          // in lower case: `bearer`, `basic`
  std::map<std::string, std::string, std::less<>> parameters;  // names in lower case

  /// "" when there is none.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

/// Those of one header line's value, in its order. What cannot be read is left out.
[[nodiscard]] std::vector<AuthChallenge> parse_challenges(std::string_view header);

/// Where a token for a `bearer` challenge is to be had; `scope` is taken where it names none.
[[nodiscard]] std::string token_url(const AuthChallenge& challenge, std::string_view scope);

}  // namespace tiphys::kube
