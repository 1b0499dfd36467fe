// What images start, asked of their registries and remembered.
//
// A container without `command` runs its image's ENTRYPOINT and CMD, which tiphys-step has to be
// told in words. Answers are shared and kept in memory: those of a digest for good, those of a tag
// for ten minutes, errors for ten seconds. HTTP and TLS are libcurl's, in a thread of its own that
// begins with the first question.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"
#include "executor/environment.h"

namespace tiphys::kube {

/// The secrets with which images are pulled.
struct PullSecrets {
  /// Whose they are, and which: questions with the same `scope` share answers.
  std::string scope = {};
  /// Gives the texts of `.dockerconfigjson`; asked only when an answer is not remembered, in the
  /// thread of ImageConfigs. It calls `give` once, from any thread, now or later, with nothing
  /// when there are none. Empty: there are none.
  using Give = std::function<void(std::vector<std::string>)>;
  std::function<void(Give give)> fetch = {};
};

struct ImageConfigsOptions {
  /// Registries (`host` or `host:port`) that speak HTTP without TLS, besides those of this machine.
  std::vector<std::string> insecure_registries = {};
  clock::Duration patience = clock::Duration::seconds(30);  // for one image, all requests together
  std::function<std::int64_t()> now = {};                   // steady ns; empty: the machine's clock
};

class ImageConfigs {
 public:
  /// What the images start, by the names that were asked for.
  using Answer = diag::Result<executor::Images>;
  using OnDone = std::function<void(Answer)>;

  explicit ImageConfigs(ImageConfigsOptions options);
  /// Ends what is under way; no function is called any more, and `give` does nothing.
  ~ImageConfigs();
  ImageConfigs(const ImageConfigs&) = delete;
  ImageConfigs& operator=(const ImageConfigs&) = delete;

  /// Asks for all of `images`, named as manifests do. `on_done` follows once, in the thread of
  /// ImageConfigs, also when the answers are remembered. Any thread. Errors, one line for a node's
  /// message, without credentials: kIo when the registry may answer later, kNotFound and
  /// kInvalidManifest when another question would end the same.
  void ask(std::vector<std::string> images, PullSecrets secrets, OnDone on_done);

 private:
  class Desk;
  std::shared_ptr<Desk> desk_;  // `give` keeps a weak pointer to it
};

/// The registries of TIPHYS_INSECURE_REGISTRIES: `host:port,host`.
[[nodiscard]] std::vector<std::string> insecure_registries();

}  // namespace tiphys::kube
