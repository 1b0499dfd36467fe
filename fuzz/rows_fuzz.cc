// The rows of a workflow as the store keeps them, one a line: its definition, its events, records
// of its nodes. Whatever stands there, a new engine must come up with an error or with a workflow,
// and be able to show it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/node_record.h"
#include "runtime/definition.h"
#include "value/json.h"

namespace {

using namespace tiphys;

// A loop over a billion items is no damage, but takes its time.
constexpr std::size_t kNodesMax = 2'000;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  return line;
}

void show_records(const std::vector<std::string_view>& records) {
  std::vector<std::string> names;
  for (const std::string_view record : records) {
    if (auto name = engine::name_of_record(record)) names.push_back(std::move(*name));
  }
  const auto name_of = [&](engine::NodeIndex i) -> std::string_view {
    return i < names.size() ? std::string_view(names[i]) : std::string_view();
  };
  for (const std::string_view record : records) {
    if (auto status = engine::node_status_of_record(record, "w", name_of))
      (void)value::to_json(*status);
  }
}

void show(const engine::Engine& engine) {
  (void)value::to_json(engine.workflow_status());
  (void)value::to_json(engine.metadata());
  for (engine::NodeIndex i = 0; i < engine.node_count(); ++i) {
    (void)value::to_json(engine.node_status(i));
  }
  for (const engine::Effect& effect : engine.outstanding()) {
    if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) {
      (void)value::to_json(engine.leaf(start->leaf.node).body);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  auto definition = runtime::parse_definition(std::string(take_line(rest)));
  if (!definition) return 0;
  engine::Engine engine(std::move(*definition));
  std::vector<std::string_view> records;
  while (!rest.empty() && engine.node_count() < kNodesMax) {
    const std::string_view line = take_line(rest);
    if (line.starts_with(R"({"n")") || line.starts_with(R"({"id")")) {
      records.push_back(line);
      continue;
    }
    auto events = engine::parse_events(line);
    if (!events) break;
    for (const engine::Event& event : *events) {
      engine::Effects effects;
      engine.apply(event, effects);
      std::string row;
      engine::append_json(row, event);
      const auto read = engine::parse_events(row);
      if (!read) std::abort();  // it was written here
    }
  }
  show_records(records);
  show(engine);
  return 0;
}
