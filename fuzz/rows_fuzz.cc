// The rows of a workflow's log, one a line: its definition, then its events. Whatever stands there,
// a new engine must come up with an error or with a workflow, and be able to show it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/engine.h"
#include "runtime/definition.h"
#include "value/json.h"

namespace {

using namespace tiphys;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  return line;
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
  while (!rest.empty()) {
    auto events = engine::parse_events(take_line(rest));
    if (!events) break;
    for (const engine::Event& event : *events) {
      engine::Effects effects;
      engine.apply(event, effects);
    }
  }
  show(engine);
  return 0;
}
