#include "notify/outbox.h"

#include <algorithm>
#include <functional>

#include "diag/error.h"

namespace tiphys::notify {

namespace {

// Between -1/5 and +1/5 of `wait`, always the same for the same parcel and attempt.
clock::Duration spread(clock::Duration wait, const std::string& id, std::uint32_t attempt) {
  constexpr std::int64_t kSteps = 2001;
  const std::size_t hash = std::hash<std::string>{}(id + '#' + std::to_string(attempt));
  const auto part = static_cast<std::int64_t>(hash % kSteps) - kSteps / 2;  // -1000 .. 1000
  return {wait.ns + wait.ns / 5000 * part};
}

}  // namespace

Schedule Schedule::standard() {
  using clock::Duration;
  return {{Duration::seconds(0), Duration::seconds(5), Duration::seconds(30),
           Duration::seconds(5 * 60), Duration::seconds(30 * 60), Duration::seconds(2 * 3600),
           Duration::seconds(5 * 3600), Duration::seconds(10 * 3600)}};
}

Ruling rule(const std::string& id, const Schedule& schedule, std::uint32_t earlier,
            const Verdict& verdict, clock::Instant now) {
  Ruling ruling{.attempts = earlier + 1};
  if (verdict.kind == Verdict::Kind::kDelivered) return ruling;
  if (verdict.kind == Verdict::Kind::kRefused || ruling.attempts >= schedule.waits.size()) {
    ruling.state = Ruling::State::kDead;
    return ruling;
  }
  const clock::Duration wait = spread(schedule.waits[ruling.attempts], id, ruling.attempts);
  ruling.state = Ruling::State::kPending;
  ruling.next_at = now + std::max(wait, verdict.retry_after.value_or(clock::Duration{}));
  return ruling;
}

void Outbox::add(Parcel parcel, clock::Instant now) {
  const std::string lane = parcel.lane;
  const std::string id = parcel.id;
  const auto [kept, is_new] = parcels_.emplace(id, std::move(parcel));
  if (!is_new) return;
  const std::size_t at_once = kept->second.at_once;
  endpoints_[kept->second.endpoint].at_once = at_once > 0 ? at_once : limits_.at_once_per_endpoint;
  Lane& l = lanes_[lane];
  const clock::Instant since = kept->second.since;
  auto place = l.ids.end();
  const auto first = l.ids.begin() + (l.is_under_way ? 1 : 0);
  while (place != first && since < parcels_.find(*std::prev(place))->second.since) --place;
  const bool is_first = place == l.ids.begin();
  l.ids.insert(place, id);
  // A lane that waits for room at its endpoint is queued when there is some.
  if (!is_first || (l.ids.size() > 1 && !l.queued_for)) return;
  unqueue(lane);
  queue(lane, now);
}

// The lane waits for the time of its first parcel.
void Outbox::queue(const std::string& lane, clock::Instant now) {
  Lane& l = lanes_.find(lane)->second;
  if (l.ids.empty() || l.is_under_way) return;
  l.queued_for = std::max(now, parcels_.find(l.ids.front())->second.next_at);
  due_.emplace(*l.queued_for, lane);
}

void Outbox::unqueue(const std::string& lane) {
  Lane& l = lanes_.find(lane)->second;
  if (l.queued_for) due_.erase({*l.queued_for, lane});
  l.queued_for.reset();
}

// One request after a rest tells whether the endpoint lives again, or has room again.
bool Outbox::is_tried(const Endpoint& endpoint) {
  return endpoint.rests_until.is_set() || endpoint.asks_until.is_set();
}

bool Outbox::may_send(const Endpoint& endpoint, clock::Instant now) {
  if (std::max(endpoint.rests_until, endpoint.asks_until) > now) return false;
  return endpoint.under_way < (is_tried(endpoint) ? 1 : endpoint.at_once);
}

std::vector<std::string> Outbox::take_due(clock::Instant now) {
  std::vector<std::string> ids;
  while (!due_.empty() && due_.begin()->first <= now && under_way_ < limits_.at_once) {
    const std::string lane = due_.begin()->second;
    due_.erase(due_.begin());
    Lane& l = lanes_.find(lane)->second;
    l.queued_for.reset();
    const Parcel& parcel = parcels_.find(l.ids.front())->second;
    Endpoint& endpoint = endpoints_[parcel.endpoint];
    const clock::Instant rest = std::max(endpoint.rests_until, endpoint.asks_until);
    if (rest > now) {
      l.queued_for = rest;
      due_.emplace(rest, lane);
    } else if (!may_send(endpoint, now)) {
      endpoint.waiting.push_back(lane);
    } else {
      l.is_under_way = true;
      ++endpoint.under_way;
      ++under_way_;
      ids.push_back(parcel.id);
    }
  }
  return ids;
}

// As many lanes as there is room for, those that have waited longest: with all of them, each answer
// would cost as much as there is backlog. While others wait, one is due or something is under way.
void Outbox::make_room(Endpoint& endpoint, clock::Instant now) {
  const std::size_t free = endpoint.at_once - std::min(endpoint.at_once, endpoint.under_way);
  std::size_t count = is_tried(endpoint) ? 1 : free;
  for (; count > 0 && !endpoint.waiting.empty(); --count) {
    queue(endpoint.waiting.front(), now);
    endpoint.waiting.pop_front();
  }
}

// The parcel is done with: the next one of its lane comes.
void Outbox::leave(const std::string& id, clock::Instant now) {
  const auto found = parcels_.find(id);
  const std::string lane = found->second.lane;
  parcels_.erase(found);
  Lane& l = lanes_.find(lane)->second;
  std::erase(l.ids, id);
  if (l.ids.empty()) {
    lanes_.erase(lane);
  } else {
    queue(lane, now);
  }
}

Parcel& Outbox::end_way(const std::string& id) {
  const auto found = parcels_.find(id);
  CHECK(found != parcels_.end());
  Parcel& parcel = found->second;
  Lane& lane = lanes_.find(parcel.lane)->second;
  Endpoint& endpoint = endpoints_.find(parcel.endpoint)->second;
  CHECK(lane.is_under_way && endpoint.under_way > 0 && under_way_ > 0);
  lane.is_under_way = false;
  --endpoint.under_way;
  --under_way_;
  return parcel;
}

void Outbox::put_back(const std::string& id, clock::Instant at) {
  Parcel& parcel = end_way(id);
  parcel.next_at = at;
  queue(parcel.lane, at);
  make_room(endpoints_.find(parcel.endpoint)->second, at);
}

Ruling Outbox::settle(const std::string& id, const Verdict& verdict, clock::Instant now) {
  Parcel& parcel = end_way(id);
  Endpoint& endpoint = endpoints_.find(parcel.endpoint)->second;
  const Ruling ruling = rule(id, parcel.schedule, parcel.attempts, verdict, now);
  if (verdict.kind == Verdict::Kind::kRetry) {
    if (++endpoint.failures >= limits_.failures_to_open) endpoint.rests_until = now + limits_.rest;
    if (verdict.retry_after) {
      endpoint.asks_until = std::max(endpoint.asks_until, now + *verdict.retry_after);
    }
  } else {
    endpoint.failures = 0;  // a refusal is an answer, too: it lives
    endpoint.rests_until = {};
    if (endpoint.asks_until <= now) endpoint.asks_until = {};  // else of one that was sent earlier
  }
  make_room(endpoint, now);
  if (ruling.state == Ruling::State::kPending) {
    parcel.attempts = ruling.attempts;
    parcel.next_at = ruling.next_at;
    queue(parcel.lane, now);
  } else {
    leave(id, now);
  }
  return ruling;
}

bool Outbox::discard(const std::string& id, clock::Instant now) {
  const auto found = parcels_.find(id);
  if (found == parcels_.end()) return false;
  const std::string& lane = found->second.lane;
  Lane& l = lanes_.find(lane)->second;
  const bool is_first = l.ids.front() == id;
  if (is_first && l.is_under_way) return false;
  if (is_first) {
    unqueue(lane);
    Endpoint& endpoint = endpoints_[found->second.endpoint];
    std::erase(endpoint.waiting, lane);
    leave(id, now);
    make_room(endpoint, now);
  } else {
    std::erase(l.ids, id);
    parcels_.erase(found);
  }
  return true;
}

std::optional<clock::Instant> Outbox::next() const {
  if (due_.empty() || under_way_ >= limits_.at_once) return std::nullopt;
  return due_.begin()->first;
}

}  // namespace tiphys::notify
