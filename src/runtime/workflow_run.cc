#include "runtime/workflow_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "clock/rfc3339.h"
#include "runtime/definition.h"
#include "value/json.h"

namespace tiphys::runtime {

namespace {

constexpr value::JsonStyle kCompact{
    .key_order = value::KeyOrder::kAsGiven, .indent = 0, .escape_html = false};

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// Commands, and the beginning: somebody waits to see what became of them.
bool is_for_readers(const engine::Event& event) {
  return std::holds_alternative<engine::Control>(event.body) ||
         std::holds_alternative<engine::Begin>(event.body);
}

bool is_end_of_request(const engine::Engine& engine, const engine::Event& event) {
  const auto* ended = std::get_if<engine::LeafFinished>(&event.body);
  return ended != nullptr && ended->leaf.node < engine.node_count() &&
         engine.node(ended->leaf.node).type == "HTTP";
}

}  // namespace

std::string leaf_key(const std::string& uid, const engine::LeafId& leaf) {
  return fmt::format("{}.{}.{}", uid, leaf.node, leaf.run);
}

std::optional<LeafAddress> parse_leaf_key(const std::string& key) {
  const std::size_t run = key.rfind('.');
  if (run == std::string::npos || run == 0) return std::nullopt;
  const std::size_t node = key.rfind('.', run - 1);
  if (node == std::string::npos) return std::nullopt;
  LeafAddress address{.uid = key.substr(0, node), .leaf = {}};
  const std::string_view text = key;
  if (!read_number(text.substr(node + 1, run - node - 1), address.leaf.node)) return std::nullopt;
  if (!read_number(text.substr(run + 1), address.leaf.run)) return std::nullopt;
  return address;
}

diag::Result<WorkflowRun> WorkflowRun::load(store::Store& store, const std::string& uid,
                                            Ownership lock) {
  TRY(const std::vector<store::EventRow> rows, store.load_events(uid));
  if (rows.empty())
    return diag::fail(diag::Code::kNotFound, fmt::format("workflow '{}' has no log", uid));
  TRY(const std::uint64_t shown, store.shown_sequence(uid));
  TRY(engine::Definition definition, parse_definition(rows.front().payload));
  const std::string stamp(definition.workflow["metadata"]["creationTimestamp"].string_or(""));
  WorkflowRun run(uid, engine::Engine(std::move(definition)), std::move(lock));
  if (auto t = clock::parse_rfc3339(stamp)) run.created_at_ = *t;
  run.sequence_ = rows.front().sequence;
  engine::Effects effects;
  effects.is_replay = true;
  std::vector<engine::Event> events;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    TRY_VOID(engine::parse_events(rows[i].payload, events));
    for (const engine::Event& event : events) {
      effects.clear();
      run.engine_.apply(event, effects);
      if (rows[i].sequence > shown) run.mark_stale(effects, event.at);
    }
    run.sequence_ = rows[i].sequence;
  }
  return run;
}

void WorkflowRun::mark_stale(const engine::Effects& effects, clock::Instant at) {
  if (effects.nodes_replaced) {
    nodes_replaced_ = true;
    stale_.clear();
    is_stale_.clear();
  }
  if (!stale_since_.is_set()) stale_since_ = at;
  is_stale_.resize(std::max(is_stale_.size(), engine_.node_count()));
  for (const engine::NodeIndex i : effects.dirty) {
    if (i >= engine_.node_count() || is_stale_[i]) continue;
    is_stale_[i] = true;
    stale_.push_back(i);
  }
}

bool WorkflowRun::apply(const engine::Event& event) {
  engine::Effects effects;
  effects.wants_transitions = is_watched_;
  const bool has_changed = engine_.apply(event, effects);
  transitions_ = std::move(effects.transitions);
  if (!has_changed) return false;
  log_ += log_.empty() ? '[' : ',';
  engine::append_json(log_, event);
  mark_stale(effects, event.at);
  // Who gave a command, or waits for the end, looks at the rows.
  rows_due_now_ = rows_due_now_ || engine_.is_finished() || is_for_readers(event);
  has_ended_request_ = has_ended_request_ || is_end_of_request(engine_, event);
  effects_.insert(effects_.end(), effects.outside.begin(), effects.outside.end());
  return true;
}

std::optional<clock::Instant> WorkflowRun::rows_due() const {
  if (!stale_since_.is_set()) return std::nullopt;
  return rows_due_now_ ? stale_since_ : stale_since_ + kRowsLag;
}

void WorkflowRun::collect(store::Batch& batch, clock::Instant now) {
  has_ended_request_ = false;
  if (!log_.empty()) {
    log_ += ']';
    batch.events.push_back(
        {.uid = uid_, .sequence = ++sequence_, .payload = std::exchange(log_, {})});
  }
  const auto due = rows_due();
  // A clock that went back must not keep readers waiting.
  if (!due || (*due > now && stale_since_ <= now)) return;
  if (nodes_replaced_) batch.void_nodes_of.push_back(uid_);
  for (const engine::NodeIndex i : stale_) {
    if (i >= engine_.node_count()) continue;
    store::NodeRow& row = batch.nodes.emplace_back(uid_, i);
    engine_.append_node_record(row.record, i);
    is_stale_[i] = false;
  }
  batch.workflows.push_back(workflow_row());
  stale_.clear();
  stale_since_ = {};
  rows_due_now_ = nodes_replaced_ = false;
}

store::WorkflowRow WorkflowRun::workflow_row() {
  const value::Value metadata = engine_.metadata();
  const value::Value status = engine_.workflow_status();
  store::WorkflowRow row;
  row.uid = uid_;
  row.name_space = metadata["namespace"].string_or("");
  row.name = metadata["name"].string_or("");
  row.phase = engine_.phase();
  row.message = status["message"].string_or("");
  row.progress = status["progress"].string_or("");
  row.created_at = created_at_;
  if (auto t = clock::parse_rfc3339(status["startedAt"].string_or(""))) row.started_at = *t;
  if (auto t = clock::parse_rfc3339(status["finishedAt"].string_or(""))) row.finished_at = *t;
  row.suspended = engine_.is_suspended();
  row.metadata_json = value::to_json(metadata, kCompact);
  row.spec_json = engine_.take_spec_changed() ? value::to_json(engine_.spec(), kCompact) : "";
  row.status_json = value::to_json(status, kCompact);
  row.shown_sequence = sequence_;
  return row;
}

std::vector<engine::Effect> WorkflowRun::take_effects() { return std::exchange(effects_, {}); }

value::Value WorkflowRun::object() const {
  value::Map status = engine_.workflow_status().map();
  value::Map nodes;
  for (engine::NodeIndex i = 0; i < engine_.node_count(); ++i) {
    // Ids are unique by construction, and a set() would look at all that are there.
    nodes.entries().emplace_back(engine_.node_id(i), engine_.node_status(i));
  }
  if (!nodes.empty()) status.set("nodes", std::move(nodes));
  return value::Map{{"apiVersion", "argoproj.io/v1alpha1"},
                    {"kind", "Workflow"},
                    {"metadata", engine_.metadata()},
                    {"spec", engine_.spec()},
                    {"status", std::move(status)}};
}

}  // namespace tiphys::runtime
