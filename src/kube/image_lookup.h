// The conversation with a registry about what one image starts: which request comes next, given the
// answers so far.
//
// The OCI distribution specification: the manifest by tag or digest, perhaps through an index, then
// the configuration's blob. A registry that wants to know who asks says so with 401 and is asked
// again, with a token or with a name and password; each credential is tried in turn, as the kubelet
// does. What was asked for by digest must have that digest. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diag/error.h"
#include "executor/environment.h"
#include "kube/image_reference.h"
#include "kube/registry_credentials.h"

namespace tiphys::kube {

struct RegistryRequest {
  std::string url;
  std::string accept = {};         // header, or empty
  std::string authorization = {};  // header, or empty; a secret
};

struct RegistryAnswer {
  int status = 0;  // 0: there was none, and `problem` says why
  std::string body = {};
  std::vector<std::string> challenges = {};  // the WWW-Authenticate headers' values
  std::string problem = {};
};

class ImageLookup {
 public:
  /// `uses_tls` is false for registries that speak plain HTTP.
  ImageLookup(ImageReference image, std::vector<Credential> credentials, bool uses_tls,
              std::string_view architecture);

  /// What is to be sent now.
  [[nodiscard]] RegistryRequest request() const;

  using End = std::optional<diag::Result<executor::ImageStart>>;
  /// Takes the answer to request(). Nothing: request() has the next one. Errors: kIo for what may
  /// be otherwise in a while, kNotFound and kInvalidManifest for what will not; never with
  /// credentials.
  [[nodiscard]] End take(const RegistryAnswer& answer);

 private:
  [[nodiscard]] End take_token(const RegistryAnswer& answer);
  [[nodiscard]] End take_part(const std::string& body);
  [[nodiscard]] End take_challenge(const RegistryAnswer& answer);
  [[nodiscard]] End try_next_credential(int status);
  [[nodiscard]] End refuse(std::string_view why) const;
  /// `who`: the registry, or `'s token server`.
  [[nodiscard]] End refuse_answer(std::string_view who, const RegistryAnswer& answer) const;
  [[nodiscard]] std::string basic() const;

  const ImageReference image_;
  const std::vector<Credential> credentials_;
  const std::string base_;  // `https://host/v2/repository`
  const std::string architecture_;

  bool wants_config_ = false;
  std::string version_;  // what is asked for: a tag or a digest
  int parts_ = 0;        // that were taken
  std::size_t at_ = 0;   // in credentials_
  std::string token_url_ = {};
  std::string authorization_ = {};
};

}  // namespace tiphys::kube
