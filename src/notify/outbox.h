// What is to be delivered: in which order, when, and when to give up.
//
// A lane is what goes one after the other, the oldest first: the messages of one workflow to one
// destination, so that nobody hears that it has failed before hearing that it runs; or, where the
// channel wants it, all to that destination. Lanes do not wait for each other.
// An endpoint is what several lanes have in common (a host, a channel): it bears only so many
// requests at once, and when it seems to be dead it is left alone for a while, without delaying the
// others.
//
// Pure: no clock, no I/O; used by one thread. What is decided here is committed by the caller
// before anyone hears of it; after a restart add() puts back what is pending.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clock/instant.h"
#include "notify/channel.h"

namespace tiphys::notify {

/// How often a message is tried.
struct Schedule {
  /// The waits before the first attempt, the second ...; after the last one it is dead.
  std::vector<clock::Duration> waits;
  /// 0 s, 5 s, 30 s, 5 min, 30 min, 2 h, 5 h, 10 h.
  [[nodiscard]] static Schedule standard();
};

struct Parcel {
  std::string id;
  std::string lane;
  std::string endpoint;
  Schedule schedule = Schedule::standard();
  std::uint32_t attempts = 0;  // that were made
  clock::Instant next_at;      // not before this
  clock::Instant since = {};   // its place in the lane: behind those that are not younger
  std::size_t at_once = 0;     // requests to the endpoint; 0: Limits::at_once_per_endpoint
};

/// What has become of an attempt.
struct Ruling {
  enum class State { kPending, kDelivered, kDead };
  State state = State::kDelivered;
  std::uint32_t attempts = 0;
  clock::Instant next_at = {};  // of a pending one
};

/// What becomes of a message whose attempt has ended, `earlier` attempts of it having been made
/// before. Waits are spread by a fifth to both sides, by id and attempt, so that messages that
/// failed together do not come back together. Pure.
[[nodiscard]] Ruling rule(const std::string& id, const Schedule& schedule, std::uint32_t earlier,
                          const Verdict& verdict, clock::Instant now);

class Outbox {
 public:
  struct Limits {
    std::size_t at_once = 256;  // requests under way
    std::size_t at_once_per_endpoint = 16;
    std::uint32_t failures_to_open = 10;                  // in a row, none of them delivered
    clock::Duration rest = clock::Duration::seconds(30);  // how long a dead endpoint is left alone
  };
  Outbox() = default;
  explicit Outbox(Limits limits) : limits_(limits) {}

  /// Takes a parcel in, behind those of its lane that are not younger, and behind one that is under
  /// way. One that is known stays as it is.
  void add(Parcel parcel, clock::Instant now);
  [[nodiscard]] bool contains(const std::string& id) const { return parcels_.contains(id); }
  /// The ids of what is to be sent now; each is under way until settle().
  [[nodiscard]] std::vector<std::string> take_due(clock::Instant now);
  /// An attempt has ended; see rule(). Requires that it is under way.
  [[nodiscard]] Ruling settle(const std::string& id, const Verdict& verdict, clock::Instant now);
  /// It was not sent, and is not to be before `at`: no attempt. Requires that it is under way.
  void put_back(const std::string& id, clock::Instant at);
  /// Takes a parcel out without sending it; false if it is not here or under way.
  bool discard(const std::string& id, clock::Instant now);
  /// When take_due() has something again, unless something happens before; nullopt for never.
  [[nodiscard]] std::optional<clock::Instant> next() const;
  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  [[nodiscard]] std::size_t size() const { return parcels_.size(); }

 private:
  struct Lane {
    std::deque<std::string> ids;
    bool is_under_way = false;
    std::optional<clock::Instant> queued_for = {};  // its place in due_
  };
  struct Endpoint {
    std::size_t at_once = 0;
    std::size_t under_way = 0;
    std::uint32_t failures = 0;       // in a row
    clock::Instant rests_until;       // set while it seems to be dead
    clock::Instant asks_until = {};   // set while it wants to be left alone: Retry-After
    std::deque<std::string> waiting;  // lanes that it has no room for
  };

  void queue(const std::string& lane, clock::Instant now);
  void unqueue(const std::string& lane);
  Parcel& end_way(const std::string& id);
  void leave(const std::string& id, clock::Instant now);
  void make_room(Endpoint& endpoint, clock::Instant now);
  [[nodiscard]] static bool is_tried(const Endpoint& endpoint);
  [[nodiscard]] static bool may_send(const Endpoint& endpoint, clock::Instant now);

  Limits limits_;
  std::unordered_map<std::string, Parcel> parcels_;
  std::unordered_map<std::string, Lane> lanes_;
  std::unordered_map<std::string, Endpoint> endpoints_;
  std::set<std::pair<clock::Instant, std::string>> due_;  // lanes, by when their first parcel is
  std::size_t under_way_ = 0;
};

}  // namespace tiphys::notify
