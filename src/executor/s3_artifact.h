// Artifacts that an S3 server keeps.
//
// Texts of errors are those of Argo's driver. Blocks its thread while it transfers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "executor/artifact_transfer.h"

namespace tiphys::executor {

/// Fetches `artifact.s3` to `place` and unpacks it as `archive` says; a key that is none but begins
/// others is a folder. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<void> fetch_s3(const value::Value& artifact, const std::string& place,
                                          const TransferSettings& settings);

/// Sends the file or folder `path` to `artifact.s3`, packed as `archive` says. Errors: kIo.
[[nodiscard]] diag::Result<void> send_s3(const value::Value& artifact, const std::string& path,
                                         const TransferSettings& settings);

/// The keys in the folder `artifact.s3.key`. Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<std::vector<std::string>> keys_in_s3(const value::Value& artifact,
                                                                const TransferSettings& settings);

/// Removes the object, or all objects of a key that ends in a slash or is a folder's. Errors: kIo.
[[nodiscard]] diag::Result<void> remove_from_s3(const value::Value& artifact,
                                                const TransferSettings& settings);

/// Leave for somebody else, a pod, to fetch or to send one object, as long as the address holds.
struct S3Leave {
  std::string below;  // `/a/b`: the file of a folder; "" for the artifact itself
  std::string url;
  std::vector<std::string> headers;  // `name: value`
  std::int64_t size = 0;             // of what is to be fetched
  std::string certificates;          // PEM of those that are trusted, or ""
};

/// How long a leave holds: as long as S3 lets it. A pod may wait for a node, and sends at its end.
inline constexpr int kLeaveSeconds = 7 * 24 * 3600;

/// Errors: kNotFound, kIo.
[[nodiscard]] diag::Result<std::vector<S3Leave>> leaves_to_fetch(const value::Value& artifact,
                                                                 const TransferSettings& settings);
/// Makes the bucket if it is wanted. Errors: kNotFound for a secret, kIo.
[[nodiscard]] diag::Result<S3Leave> leave_to_send(const value::Value& artifact,
                                                  const TransferSettings& settings);

}  // namespace tiphys::executor
