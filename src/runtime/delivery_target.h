// Where a notification goes: a stored channel, or one that the template describes itself.
//
// Reads the store; used by the loop's thread and by commands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diag/error.h"
#include "notify/channel.h"
#include "notify/outbox.h"
#include "store/store.h"
#include "value/value.h"

namespace tiphys::runtime {

struct DeliveryTarget {
  std::string channel;  // its name, or its kind where it has none
  std::string kind;
  value::Value config;  // references to secrets and all
  const notify::Channel* how = nullptr;
  value::Value retries = {};        // `spec.retries`, or null
  std::string outage_channel = {};  // `spec.outageChannel`: who is told when this one fails
  std::size_t at_once = 0;          // `spec.atOnce`: requests under way; 0: the standard
  std::uint32_t outage_after = 3;   // `spec.outageAfter`: failed attempts in a row
  /// `spec.order`: what goes one after the other to a destination.
  enum class Order { kOfWorkflow, kOfDestination, kNone } order = Order::kOfWorkflow;

  /// What lanes to one server have in common: the channel, or the kind and the host.
  [[nodiscard]] std::string endpoint() const;
  /// The lane of a row: see notify::Outbox.
  [[nodiscard]] std::string lane_of(const store::DeliveryRow& row) const;
  /// Under which a workflow's deliveries to the row's destination remember.
  [[nodiscard]] std::string memory_of(const store::DeliveryRow& row) const;
};

/// The words of `spec.order`; nullopt for none of them.
[[nodiscard]] std::optional<DeliveryTarget::Order> parse_order(const value::Value& given);

/// `notify` holds `channel: NAME`, or `kind` and `config`. Errors: kNotFound, kInvalidManifest
/// (what is wrong with the channel), kIo.
[[nodiscard]] diag::Result<DeliveryTarget> find_target(store::Store& store,
                                                       const value::Value& notify,
                                                       const std::string& name_space);

/// Where the channel of a row and its secrets are: a rule may be of another namespace than its
/// workflow.
[[nodiscard]] std::string space_of(const store::DeliveryRow& row, const value::Value& payload);

/// The waits before each attempt: those of the notification, else of its channel, else the standard
/// ones. Each is a list of durations or null.
[[nodiscard]] notify::Schedule schedule_of(const value::Value& own, const value::Value& of_channel);

}  // namespace tiphys::runtime
