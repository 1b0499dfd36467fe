// The database's half of the leases, in memory: who the engines are, who has which workflow.
//
// Does what schema 2 of store/postgres_schema.cc does in SQL; store/postgres_register_test.cc holds
// the two to the same answers. For simulated worlds. Times are the server's. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clock/instant.h"
#include "lease/holdings.h"

namespace tiphys::lease {

class Register {
 public:
  /// A new engine of a state folder `place`; gives its number.
  [[nodiscard]] std::int64_t join(const std::string& place, clock::Instant expires_at);
  /// Gives whether its leases had not run out.
  bool renew(std::int64_t engine, const std::string& place, clock::Instant now,
             clock::Instant expires_at);

  struct Taken {
    std::int64_t epoch = 0;
    std::string place;  // of the owner whose steps may still run
  };
  /// Nullopt when a living engine of another place has it.
  [[nodiscard]] std::optional<Taken> take(const std::string& uid, std::int64_t engine,
                                          const std::string& place, clock::Instant now);
  /// Its workflow is over.
  void free(const std::string& uid, std::int64_t engine);
  /// What a commit begins with: the first workflow that is not the engine's in that epoch; nullopt
  /// when all are, and then their place is `place`.
  [[nodiscard]] std::optional<std::string> check(std::int64_t engine, const Epochs& epochs,
                                                 const std::string& place);
  [[nodiscard]] Epochs held_by(std::int64_t engine) const;
  /// Workflows that living engines of other places have.
  [[nodiscard]] std::vector<std::string> elsewhere(std::int64_t engine, const std::string& place,
                                                   clock::Instant now) const;
  [[nodiscard]] std::size_t alive(clock::Instant now) const;
  /// Whether a living engine has it.
  [[nodiscard]] bool is_owned(const std::string& uid, clock::Instant now) const;

 private:
  struct Engine {
    std::string place;
    clock::Instant expires_at;
  };
  struct Lease {
    std::int64_t engine = 0;  // 0: nobody's
    std::int64_t epoch = 0;
    std::string place;
  };
  [[nodiscard]] bool may_take(std::int64_t owner, const std::string& place,
                              clock::Instant now) const;

  std::map<std::int64_t, Engine> engines_;
  std::map<std::string, Lease> leases_;
  std::int64_t last_ = 0;
};

}  // namespace tiphys::lease
