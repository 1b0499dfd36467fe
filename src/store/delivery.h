// A notification on its way to one destination, and its attempts, as they are kept.
//
// Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "clock/instant.h"

namespace tiphys::store {

/// One row for each (event, destination). Rows replace those with the same id.
struct DeliveryRow {
  std::string id;          // constant over all attempts
  std::string uid;         // of the workflow
  std::string name_space;  // of the workflow
  std::string workflow;    // its name
  std::string node;        // full name of the node that caused it, or ""
  std::string channel;     // its name, or its kind where it has none
  std::string kind;        // webhook, email, http ...
  std::string destination;
  std::string state;  // pending, delivered, dead, discarded
  std::uint32_t attempts = 0;
  clock::Instant created_at;
  clock::Instant next_at = {};  // of a pending one: when it is tried next
  clock::Instant finished_at = {};
  int status = 0;           // of the last answer
  std::string reason = {};  // why the last attempt failed
  std::string memory = {};  // what the next one of the workflow to this destination wants to know
  /// What is sent, as JSON, with references to secrets instead of their values. In a commit an
  /// empty one keeps what is stored; lists leave it out.
  std::string payload = {};
};

/// It is not to be sent any more; `reason` is for people.
inline void discard(DeliveryRow& row, std::string reason, clock::Instant now) {
  row.state = "discarded";
  row.reason = std::move(reason);
  row.finished_at = now;
}

/// Whether it stays when its workflow is deleted: what nobody has been told is not lost with it.
[[nodiscard]] inline bool outlives_its_workflow(const DeliveryRow& row) {
  return row.state == "pending" || row.state == "dead";
}

/// One attempt of a delivery.
struct AttemptRow {
  std::string delivery;      // its id
  std::uint32_t number = 0;  // 1, 2, 3 ..
  clock::Instant at;
  clock::Duration latency;
  int status = 0;      // HTTP status, SMTP reply or exit code; 0 when there was none
  std::string answer;  // its first KB, without secrets
  std::string error;   // not empty: no answer came, and this is why
};

/// Which deliveries a list holds; empty members hold for all.
struct DeliveryFilter {
  std::string id = {};
  std::string uid = {};
  std::string name_space = {};
  std::string workflow = {};
  std::string channel = {};
  std::string state = {};
};

}  // namespace tiphys::store
