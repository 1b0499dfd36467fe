// Where the Kubernetes API is, and who we are there: a kubeconfig, or the pod's service account.
//
// Facts from Kubernetes' reference of kubeconfig files. Reads files and may run the credential
// plugin that a kubeconfig names; any thread. Tokens never appear in errors.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "diag/error.h"

namespace tiphys::kube {

/// What is known of a cluster and of its user.
struct Cluster {
  std::string server;            // `https://host:port`, without a slash at the end
  std::string authorities = {};  // PEM; empty: the system's
  std::string certificate = {};  // PEM of the client, or empty
  std::string key = {};          // PEM of its key
  std::string token = {};        // or empty
  std::string token_file = {};   // read again now and then: a service account's token changes
  std::vector<std::string> plugin = {};  // a command that prints an ExecCredential
  std::vector<std::string> plugin_env = {};
  std::string user = {};            // of basic authentication: `name:password`
  std::string server_name = {};     // for TLS, where it is another than the server's
  bool skips_verification = false;  // `insecure-skip-tls-verify`
  std::string name_space = {};      // of the context, or the pod's own
};

/// Where to look.
struct ClusterChoice {
  std::string kubeconfig =
      {};                    // a file; empty: $KUBECONFIG, else in the cluster, else ~/.kube/config
  std::string context = {};  // empty: the file's current one
};

/// Errors: kNotFound, kInvalidManifest (file:line:column), kIo; one line each.
[[nodiscard]] diag::Result<Cluster> find_cluster(const ClusterChoice& choice);

/// The token to send now. Thread-safe.
class TokenSource {
 public:
  explicit TokenSource(const Cluster& cluster) : cluster_(cluster) {}
  /// Empty when there is none. Errors: kIo: the file or the plugin gives none.
  [[nodiscard]] diag::Result<std::string> token();
  /// The server has refused it: the next one is asked for anew.
  void refuse();

 private:
  const Cluster cluster_;
  std::mutex mutex_;  // guards what follows
  std::string known_;
  std::int64_t valid_until_ = 0;  // ns since 1970
};

}  // namespace tiphys::kube
