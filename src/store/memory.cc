#include "store/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace tiphys::store {

struct MemoryStore::Tables {
  std::map<std::string, WorkflowRow, std::less<>> workflows;  // by uid
  std::map<std::string, std::map<std::uint32_t, std::string>, std::less<>> nodes;
  std::map<std::string, std::map<std::uint64_t, std::string>, std::less<>> events;
  std::map<std::uint64_t, CommandRow> commands;
  std::uint64_t last_command = 0;
  std::map<std::tuple<std::string, std::string, std::string>, ObjectRow> objects;
  std::map<std::string, std::uint64_t, std::less<>> object_versions;  // by kind
  std::map<std::pair<std::string, std::string>, RuleMemoryRow> rule_memory;
  std::vector<DeliveryRow> deliveries;
  DeliveryTotals removed_deliveries;
  std::map<std::string, std::map<std::uint32_t, AttemptRow>, std::less<>> attempts;

  [[nodiscard]] DeliveryRow* delivery(std::string_view id) {
    const auto it = std::ranges::find(deliveries, id, &DeliveryRow::id);
    return it == deliveries.end() ? nullptr : &*it;
  }

  [[nodiscard]] bool is_taken(const WorkflowRow& row) const {
    return std::ranges::any_of(workflows, [&](const auto& entry) {
      const WorkflowRow& other = entry.second;
      return other.uid != row.uid && other.name == row.name && other.name_space == row.name_space;
    });
  }

  [[nodiscard]] std::vector<WorkflowRow> rows() const {
    std::vector<WorkflowRow> out;
    for (const auto& [uid, row] : workflows) out.push_back(row);
    return out;
  }
};

struct MemoryStore::State {
  Tables tables;
  std::uint64_t write_count = 0;
  std::uint64_t writes_to_failure = 0;  // 0: none is to come
  FailureTime failure_time = FailureTime::kBeforeEffect;
  bool fails_for_good = false;
};

namespace {

using ObjectKey = std::tuple<std::string, std::string, std::string>;

diag::Result<void> taken(const WorkflowRow& row) {
  return diag::fail(diag::Code::kAlreadyExists,
                    fmt::format("workflow '{}' already exists", row.name));
}

// What a commit changes of a row that is there: not what names it, nor texts that are given empty.
void update(WorkflowRow& have, const WorkflowRow& row) {
  WorkflowRow next = row;
  next.name_space = have.name_space;
  next.name = have.name;
  next.created_at = have.created_at;
  if (row.metadata_json.empty()) next.metadata_json = have.metadata_json;
  if (row.spec_json.empty()) next.spec_json = have.spec_json;
  have = std::move(next);
}

WorkflowRow brief_of(WorkflowRow row) {
  row.spec_json.clear();
  row.status_json.clear();
  return row;
}

}  // namespace

MemoryStore::MemoryStore() : state_(std::make_shared<State>()) {}
MemoryStore::MemoryStore(std::shared_ptr<State> state) : state_(std::move(state)) {}
MemoryStore::~MemoryStore() = default;

std::unique_ptr<MemoryStore> MemoryStore::another() const {
  return std::unique_ptr<MemoryStore>(new MemoryStore(state_));
}

std::unique_ptr<MemoryStore> MemoryStore::after_crash() const {
  auto left = std::make_unique<MemoryStore>();
  left->state_->tables = state_->tables;
  return left;
}

void MemoryStore::fail_write(std::uint64_t nth, FailureTime when, bool for_good) {
  state_->writes_to_failure = nth;
  state_->failure_time = when;
  state_->fails_for_good = for_good;
}

void MemoryStore::heal() { state_->writes_to_failure = 0; }

std::uint64_t MemoryStore::write_count() const { return state_->write_count; }

template <typename Edit>
diag::Result<void> MemoryStore::write(const Edit& edit) {
  State& s = *state_;
  const bool fails = s.writes_to_failure == 1;
  if (s.writes_to_failure > 1 || (fails && !s.fails_for_good)) --s.writes_to_failure;
  const auto failure = diag::fail(diag::Code::kIo, "the disk is full: nothing was written");
  if (fails && s.failure_time == FailureTime::kBeforeEffect) return failure;
  TRY_VOID(edit(s.tables));
  ++s.write_count;
  ++own_writes_;
  if (fails) return failure;
  return {};
}

diag::Result<void> MemoryStore::commit(const Batch& batch) {
  return write([&](Tables& t) -> diag::Result<void> {
    for (const WorkflowRow& row : batch.workflows) {
      if (!t.workflows.contains(row.uid) && t.is_taken(row)) return taken(row);
    }
    for (const std::string& uid : batch.void_nodes_of) t.nodes.erase(uid);
    for (const EventRow& e : batch.events) t.events[e.uid][e.sequence] = e.payload;
    for (const NodeRow& n : batch.nodes) t.nodes[n.uid][n.index] = n.record;
    for (const WorkflowRow& row : batch.workflows) {
      const auto [entry, is_new] = t.workflows.try_emplace(row.uid, row);
      if (!is_new) update(entry->second, row);
    }
    for (const DeliveryRow& row : batch.deliveries) {
      DeliveryRow* have = t.delivery(row.id);
      if (have == nullptr) have = &t.deliveries.emplace_back();
      const std::string payload = row.payload.empty() ? have->payload : row.payload;
      *have = row;
      have->payload = payload;
    }
    for (const AttemptRow& row : batch.attempts) t.attempts[row.delivery][row.number] = row;
    for (const RuleMemoryRow& row : batch.rule_memory) {
      t.rule_memory.erase({row.rule, row.key});
      if (!row.json.empty()) t.rule_memory.emplace(std::pair(row.rule, row.key), row);
    }
    for (const std::uint64_t id : batch.done_commands) t.commands.erase(id);
    return {};
  });
}

diag::Result<void> MemoryStore::create_workflow(const WorkflowRow& row, const EventRow& first) {
  return write([&](Tables& t) -> diag::Result<void> {
    if (t.workflows.contains(row.uid) || t.is_taken(row)) return taken(row);
    t.workflows[row.uid] = row;
    t.events[first.uid][first.sequence] = first.payload;
    return {};
  });
}

diag::Result<WorkflowRow> MemoryStore::find_workflow(std::string_view name_space,
                                                     std::string_view name) {
  const WorkflowRow* found = nullptr;
  for (const auto& [uid, row] : state_->tables.workflows) {
    if (row.name != name || (!name_space.empty() && row.name_space != name_space)) continue;
    if (found == nullptr || found->created_at < row.created_at) found = &row;
  }
  if (found != nullptr) return *found;
  return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", name));
}

diag::Result<std::vector<WorkflowRow>> MemoryStore::list_workflows(std::string_view name_space,
                                                                   bool brief) {
  std::vector<WorkflowRow> out = state_->tables.rows();
  std::erase_if(out, [&](const WorkflowRow& row) {
    return !name_space.empty() && row.name_space != name_space;
  });
  std::ranges::sort(out, [](const WorkflowRow& a, const WorkflowRow& b) {
    if (a.created_at != b.created_at) return b.created_at < a.created_at;
    return a.name < b.name;
  });
  if (brief) std::ranges::transform(out, out.begin(), brief_of);
  return out;
}

diag::Result<std::vector<WorkflowRow>> MemoryStore::unfinished_workflows() {
  std::vector<WorkflowRow> out = state_->tables.rows();
  std::erase_if(out, [](const WorkflowRow& row) { return row.finished_at.is_set(); });
  std::ranges::sort(out, [](const WorkflowRow& a, const WorkflowRow& b) {
    return std::tie(a.created_at, a.name) < std::tie(b.created_at, b.name);
  });
  std::ranges::transform(out, out.begin(), brief_of);
  return out;
}

diag::Result<std::vector<WorkflowRow>> MemoryStore::created_since(clock::Instant time) {
  auto out = list_workflows("", false);
  if (out) std::erase_if(*out, [time](const WorkflowRow& row) { return row.created_at < time; });
  return out;
}

diag::Result<std::vector<NodeRow>> MemoryStore::load_nodes(std::string_view uid) {
  std::vector<NodeRow> out;
  const auto rows = state_->tables.nodes.find(uid);
  if (rows == state_->tables.nodes.end()) return out;
  for (const auto& [index, json] : rows->second) out.push_back({std::string(uid), index, json});
  return out;
}

diag::Result<void> MemoryStore::each_record_with(
    std::string_view text, std::string_view except,
    const std::function<void(const std::string& record)>& visit) {
  for (const auto& [uid, rows] : state_->tables.nodes) {
    if (uid == except) continue;
    for (const auto& [index, record] : rows) {
      if (record.find(text) != std::string::npos) visit(record);
    }
  }
  return {};
}

diag::Result<std::vector<EventRow>> MemoryStore::load_events(std::string_view uid) {
  std::vector<EventRow> out;
  const auto rows = state_->tables.events.find(uid);
  if (rows == state_->tables.events.end()) return out;
  for (const auto& [sequence, payload] : rows->second) {
    out.push_back({std::string(uid), sequence, payload});
  }
  return out;
}

diag::Result<std::uint64_t> MemoryStore::shown_sequence(std::string_view uid) {
  const auto row = state_->tables.workflows.find(uid);
  return row == state_->tables.workflows.end() ? 0 : row->second.shown_sequence;
}

diag::Result<void> MemoryStore::delete_workflow(std::string_view uid) {
  return write([&](Tables& t) -> diag::Result<void> {
    const std::string key(uid);
    if (t.workflows.erase(key) == 0) {
      return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' not found", uid));
    }
    t.nodes.erase(key);
    t.events.erase(key);
    for (const DeliveryRow& row : t.deliveries) {
      if (row.uid != uid || outlives_its_workflow(row)) continue;
      t.attempts.erase(row.id);
      add(t.removed_deliveries, row);
    }
    std::erase_if(t.deliveries, [&](const DeliveryRow& row) {
      return row.uid == uid && !outlives_its_workflow(row);
    });
    std::erase_if(t.commands, [&](const auto& entry) { return entry.second.uid == uid; });
    return {};
  });
}

diag::Result<std::vector<DeliveryRow>> MemoryStore::load_deliveries(const DeliveryFilter& filter) {
  const auto fits = [](const std::string& wanted, const std::string& has) {
    return wanted.empty() || wanted == has;
  };
  std::vector<DeliveryRow> out;
  for (const DeliveryRow& row : state_->tables.deliveries) {
    if (!fits(filter.id, row.id) || !fits(filter.uid, row.uid) ||
        !fits(filter.name_space, row.name_space) || !fits(filter.workflow, row.workflow) ||
        !fits(filter.channel, row.channel) || !fits(filter.state, row.state)) {
      continue;
    }
    out.push_back(row);
    out.back().payload.clear();
  }
  return out;
}

diag::Result<std::string> MemoryStore::delivery_payload(std::string_view id) {
  if (const DeliveryRow* row = state_->tables.delivery(id)) return row->payload;
  return diag::fail(diag::Code::kNotFound, fmt::format("notification '{}' not found", id));
}

diag::Result<std::vector<AttemptRow>> MemoryStore::load_attempts(std::string_view id) {
  std::vector<AttemptRow> out;
  const auto found = state_->tables.attempts.find(id);
  if (found == state_->tables.attempts.end()) return out;
  for (const auto& [number, row] : found->second) out.push_back(row);
  return out;
}

diag::Result<DeliveryTotals> MemoryStore::delivery_totals() {
  DeliveryTotals totals = state_->tables.removed_deliveries;
  for (const DeliveryRow& row : state_->tables.deliveries) add(totals, row);
  return totals;
}

diag::Result<std::size_t> MemoryStore::prune_deliveries(const Retention& retention) {
  std::size_t count = 0;
  TRY_VOID(write([&](Tables& t) -> diag::Result<void> {
    count = std::erase_if(t.deliveries, [&](const DeliveryRow& row) {
      if (!is_outdated(row, retention)) return false;
      add(t.removed_deliveries, row);
      t.attempts.erase(row.id);
      return true;
    });
    return {};
  }));
  return count;
}

diag::Result<void> MemoryStore::add_command(const CommandRow& command) {
  return write([&](Tables& t) -> diag::Result<void> {
    CommandRow row = command;
    row.id = ++t.last_command;
    t.commands[row.id] = std::move(row);
    return {};
  });
}

diag::Result<std::vector<CommandRow>> MemoryStore::load_commands(std::string_view uid) {
  std::vector<CommandRow> out;
  for (const auto& [id, row] : state_->tables.commands) {
    if (uid.empty() || row.uid == uid) out.push_back(row);
  }
  return out;
}

diag::Result<std::uint64_t> MemoryStore::data_version() {
  return state_->write_count - own_writes_;
}

diag::Result<void> MemoryStore::put_object(const ObjectRow& row) {
  return write([&](Tables& t) -> diag::Result<void> {
    const ObjectKey key{row.kind, row.name_space, row.name};
    const auto [entry, is_new] = t.objects.try_emplace(key, row);
    if (!is_new) entry->second.json = row.json;
    ++t.object_versions[row.kind];
    return {};
  });
}

diag::Result<ObjectRow> MemoryStore::find_object(std::string_view kind, std::string_view name_space,
                                                 std::string_view name) {
  const auto& objects = state_->tables.objects;
  const auto row = objects.find(ObjectKey{kind, name_space, name});
  if (row != objects.end()) return row->second;
  return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
}

diag::Result<std::vector<ObjectRow>> MemoryStore::list_objects(std::string_view kind,
                                                               std::string_view name_space) {
  std::vector<ObjectRow> out;
  for (const auto& [key, row] : state_->tables.objects) {
    if (row.kind == kind && (name_space.empty() || row.name_space == name_space)) {
      out.push_back(row);
    }
  }
  return out;
}

diag::Result<void> MemoryStore::delete_object(std::string_view kind, std::string_view name_space,
                                              std::string_view name) {
  return write([&](Tables& t) -> diag::Result<void> {
    if (t.objects.erase(ObjectKey{kind, name_space, name}) == 0) {
      return diag::fail(diag::Code::kNotFound, fmt::format("{} '{}' not found", kind, name));
    }
    if (kind == "Notification") {
      const std::string rule = fmt::format("{}/{}", name_space, name);
      std::erase_if(t.rule_memory, [&](const auto& entry) { return entry.first.first == rule; });
    }
    ++t.object_versions[std::string(kind)];
    return {};
  });
}

diag::Result<std::uint64_t> MemoryStore::objects_version(std::string_view kind) {
  const auto found = state_->tables.object_versions.find(kind);
  return found == state_->tables.object_versions.end() ? 0 : found->second;
}

diag::Result<std::optional<RuleMemoryRow>> MemoryStore::find_rule_memory(std::string_view rule,
                                                                         std::string_view key) {
  const auto& rows = state_->tables.rule_memory;
  const auto found = rows.find({std::string(rule), std::string(key)});
  return found == rows.end() ? std::nullopt : std::optional(found->second);
}

diag::Result<std::vector<RuleMemoryRow>> MemoryStore::timed_rule_memory() {
  std::vector<RuleMemoryRow> out;
  for (const auto& [key, row] : state_->tables.rule_memory) {
    if (row.due_at.is_set()) out.push_back(row);
  }
  std::ranges::sort(out, [](const RuleMemoryRow& a, const RuleMemoryRow& b) {
    return std::tie(a.due_at, a.rule, a.key) < std::tie(b.due_at, b.rule, b.key);
  });
  return out;
}

diag::Result<void> MemoryStore::forget_rule_memory(clock::Instant time) {
  return write([&](Tables& t) -> diag::Result<void> {
    std::erase_if(t.rule_memory, [&](const auto& entry) {
      return !entry.second.due_at.is_set() && entry.second.changed_at < time;
    });
    return {};
  });
}

}  // namespace tiphys::store
