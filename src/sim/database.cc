#include "sim/database.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::sim {

std::string key_of(const std::string& uid, const engine::LeafId& leaf) {
  return fmt::format("{}.{}.{}", uid, leaf.node, leaf.run);
}

std::optional<lease::Register::Taken> Database::take(const std::string& uid, std::int64_t engine,
                                                     const std::string& place, clock::Instant now,
                                                     clock::Instant judged_at) {
  const auto owner = owners_.find(uid);
  const bool is_others = owner != owners_.end() && owner->second.first != engine;
  if (mutations_.leases_never_end && is_others) return std::nullopt;
  const std::vector<std::string> held = leases_.elsewhere(engine, place, now);
  const bool is_alive = std::ranges::find(held, uid) != held.end();
  auto taken = leases_.take(uid, engine, place, judged_at);
  if (!taken) return taken;
  if (is_alive) complain(fmt::format("{} was taken from an engine whose lease goes on", uid));
  if (is_others) ++takeovers_;
  owners_[uid] = {engine, taken->epoch};
  return taken;
}

Written Database::commit(const Write& write) {
  if (is_sealed_[write.writer]) return Written::kSealed;
  if (!mutations_.no_fencing && leases_.check(write.engine, write.epochs, write.place)) {
    ++refused_;
    return Written::kTakenOver;
  }
  tickets_[write.writer] = write.ticket;
  for (const Write::Row& row : write.rows) this->write(write, row);
  return Written::kYes;
}

void Database::write(const Write& write, const Write::Row& row) {
  const auto& [engine, epoch] = owners_[row.uid];
  const auto shown = write.epochs.find(row.uid);
  if (engine != write.engine || shown == write.epochs.end() || shown->second != epoch) {
    complain(fmt::format("engine {} has committed for {}, which engine {} has", write.engine,
                         row.uid, engine));
  }
  Workflow& workflow = workflows_.at(row.uid);
  if (workflow.log.contains(row.sequence))
    complain(fmt::format("row {} of the log of {} was written again", row.sequence, row.uid));
  if (row.sequence != workflow.log.size() + 1)
    complain(fmt::format("row {} of the log of {} came out of turn", row.sequence, row.uid));
  workflow.log[row.sequence] = row.events;
  if (row.is_over) {
    workflow.is_over = true;
    leases_.free(row.uid, write.engine);
  }
  auto events = engine::parse_events(row.events);
  CHECK(events.has_value());
  for (const engine::Event& event : *events) {
    if (const auto* end = std::get_if<engine::LeafFinished>(&event.body))
      ended_.insert(key_of(row.uid, end->leaf));
  }
}

std::vector<std::string> Database::unfinished() const {
  std::vector<std::string> out;
  for (const auto& [uid, workflow] : workflows_) {
    if (!workflow.is_over) out.push_back(uid);
  }
  return out;
}

std::unique_ptr<engine::Engine> Database::replay(const std::string& uid) const {
  const Workflow& workflow = workflows_.at(uid);
  auto out = std::make_unique<engine::Engine>(workflow.definition);
  engine::Effects ignored;
  ignored.is_replay = true;
  for (const auto& [sequence, text] : workflow.log) {
    auto events = engine::parse_events(text);
    CHECK(events.has_value());
    for (const engine::Event& event : *events) out->apply(event, ignored);
  }
  return out;
}

}  // namespace tiphys::sim
