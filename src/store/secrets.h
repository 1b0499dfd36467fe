// Secrets of one machine: a file of its own that only its owner may read, apart from the database.
//
// The database is copied, sent along with bug reports and read by other users' tools; this file is
// not. Values never appear in errors. Thread-safe and process-safe: writers take a lock beside the
// file and replace it in one step, so readers need none.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "diag/error.h"

namespace tiphys::store {

/// The names of a secret's keys, for lists.
struct SecretInfo {
  std::string name_space;
  std::string name;
  std::vector<std::string> keys;
};

class Secrets {
 public:
  /// The file need not exist yet.
  explicit Secrets(std::string path) : path_(std::move(path)) {}

  using Values = std::map<std::string, std::string>;  // key -> bytes
  /// Replaces the secret as a whole. The file, 0600, is replaced in one step: after a crash it is
  /// the old or the new one. Errors: kIo.
  [[nodiscard]] diag::Result<void> put(const std::string& name_space, const std::string& name,
                                       const Values& values) const;
  /// Errors: kNotFound, in Kubernetes' words: `secrets "NAME" not found`, `key 'K' does not exist
  /// for secret 'NAME'`.
  [[nodiscard]] diag::Result<std::string> find(const std::string& name_space,
                                               const std::string& name,
                                               const std::string& key) const;
  /// All secrets of a namespace (empty: of all), by name.
  [[nodiscard]] diag::Result<std::vector<SecretInfo>> list(const std::string& name_space) const;
  /// Errors: kNotFound.
  [[nodiscard]] diag::Result<void> remove(const std::string& name_space,
                                          const std::string& name) const;

 private:
  std::string path_;
};

}  // namespace tiphys::store
