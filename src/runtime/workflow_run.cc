#include "runtime/workflow_run.h"

#include <fmt/format.h>

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
  TRY(engine::Definition definition, parse_definition(rows.front().payload));
  const std::string stamp(definition.workflow["metadata"]["creationTimestamp"].string_or(""));
  WorkflowRun run(uid, engine::Engine(std::move(definition)), std::move(lock));
  if (auto t = clock::parse_rfc3339(stamp)) run.created_at_ = *t;
  run.sequence_ = rows.front().sequence;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    TRY(const engine::Event event, engine::parse_event(rows[i].payload));
    engine::Effects ignored;  // they were carried out, or are outstanding
    run.engine_.apply(event, ignored);
    run.sequence_ = rows[i].sequence;
  }
  return run;
}

void WorkflowRun::apply(const engine::Event& event, store::Batch& batch) {
  engine::Effects effects;
  if (!engine_.apply(event, effects)) return;
  changed_ = true;
  workflow_changed_ = workflow_changed_ || effects.workflow_changed;
  batch.events.push_back({.uid = uid_, .sequence = ++sequence_, .payload = engine::to_json(event)});
  if (effects.nodes_replaced) {
    batch.void_nodes_of.push_back(uid_);
    std::erase_if(batch.nodes, [&](const store::NodeRow& row) { return row.uid == uid_; });
  }
  for (const engine::NodeIndex i : effects.dirty) {
    if (i >= engine_.node_count()) continue;
    batch.nodes.push_back(
        {.uid = uid_, .index = i, .json = value::to_json(engine_.node_status(i), kCompact)});
  }
  effects_.insert(effects_.end(), effects.outside.begin(), effects.outside.end());
}

void WorkflowRun::add_workflow_row(store::Batch& batch) {
  if (!workflow_changed_) return;
  workflow_changed_ = false;
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
  batch.workflows.push_back(std::move(row));
}

std::vector<engine::Effect> WorkflowRun::take_effects() { return std::exchange(effects_, {}); }

bool WorkflowRun::take_changed() { return std::exchange(changed_, false); }

value::Value WorkflowRun::object() const {
  value::Map status = engine_.workflow_status().map();
  value::Map nodes;
  for (engine::NodeIndex i = 0; i < engine_.node_count(); ++i) {
    // Ids are unique by construction, and a set() would look at all that are there.
    nodes.entries().emplace_back(engine_.node(i).id, engine_.node_status(i));
  }
  if (!nodes.empty()) status.set("nodes", std::move(nodes));
  return value::Map{{"apiVersion", "argoproj.io/v1alpha1"},
                    {"kind", "Workflow"},
                    {"metadata", engine_.metadata()},
                    {"spec", engine_.spec()},
                    {"status", std::move(status)}};
}

}  // namespace tiphys::runtime
