// Where an artifact's `s3` points: a folder of this machine, or a bucket of a server, with the
// credentials for it.
//
// Manifests written for a cluster name servers that only the cluster knows, `minio:9000` above all.
// Such a server (a name without a dot, or below .svc or .cluster.local) is a folder of this
// machine; TIPHYS_S3_ENDPOINTS (`minio:9000=127.0.0.1:9000,...`) says where there is one in fact.
#pragma once

#include <string>

#include "diag/error.h"
#include "executor/executor.h"
#include "executor/sigv4.h"
#include "value/value.h"

namespace tiphys::executor {

struct S3Location {
  std::string scheme;  // http or https
  std::string host;    // with its port: of the bucket when the addresses are virtual
  std::string bucket;
  std::string region;
  bool has_virtual_host = false;  // BUCKET.HOST/KEY instead of HOST/BUCKET/KEY
  S3Credentials credentials;
  std::string certificates;  // PEM of those that are trusted, or ""
  std::string encryption;    // x-amz-server-side-encryption, or ""
  std::string kms_key;
  std::string kms_context;  // base64 of its JSON, or ""
};

/// The server that `endpoint` means, as HOST[:PORT]; "" when it is a folder of this machine.
/// `endpoints` is the text of TIPHYS_S3_ENDPOINTS.
[[nodiscard]] std::string s3_server(std::string_view endpoint, std::string_view endpoints);

/// True if this `s3` of an artifact is kept by a server.
[[nodiscard]] bool is_on_server(const value::Value& s3);

/// The location with its secrets. Errors: kNotFound for a secret, kInvalidManifest for what is not
/// acted on (roleARN, customer keys).
[[nodiscard]] diag::Result<S3Location> s3_location(const value::Value& s3,
                                                   const std::string& name_space,
                                                   const Lookup& lookup);

/// The same location as the pods of a cluster see it: the endpoint as the manifest has it, for
/// which TIPHYS_S3_POD_ENDPOINTS may name another.
[[nodiscard]] S3Location seen_from_pods(S3Location location, const value::Value& s3);

}  // namespace tiphys::executor
