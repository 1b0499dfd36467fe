// What a commit costs in a store: store_bench ADDRESS ROWS SECONDS commits groups of ROWS rows
// (events and nodes, as steps that begin and end make them) one after another, each made durable,
// and prints how many commits and rows a second that were.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "store/open.h"

namespace {

using namespace tiphys;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kRecordBytes = 300;
constexpr std::size_t kEventBytes = 120;

template <typename T>
void must(const diag::Result<T>& result) {
  if (result) return;
  std::fprintf(stderr, "store_bench: %s\n", result.error().message.c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "store_bench ADDRESS ROWS SECONDS\n");
    return 2;
  }
  const auto rows = static_cast<std::uint32_t>(std::atoi(argv[2]));
  const double seconds = std::atof(argv[3]);
  auto opened = store::open(argv[1]);
  must(opened);
  store::Store& store = **opened;
  const std::string name =
      "bench-" + std::to_string(Steady::now().time_since_epoch().count());  // of another round
  const store::WorkflowRow workflow{
      .uid = name, .name_space = "bench", .name = name, .status_json = "{}"};
  must(store.create_workflow(workflow, {name, 1, "[]"}));
  std::uint32_t node = 0;
  std::uint64_t commits = 0;
  const auto begun = Steady::now();
  double took = 0;
  while (took < seconds) {
    store::Batch batch;
    for (std::uint32_t i = 0; i < rows; i += 2) {
      batch.events.push_back({name, node + 2, std::string(kEventBytes, 'e')});
      if (i + 1 < rows) batch.nodes.push_back({name, node, std::string(kRecordBytes, 'n')});
      ++node;
    }
    must(store.commit(batch));
    ++commits;
    took = std::chrono::duration<double>(Steady::now() - begun).count();
  }
  must(store.delete_workflow(name));
  const double each = static_cast<double>(commits) / took;
  std::printf("{\"commits\": %.1f, \"rows\": %.1f}\n", each, each * rows);
  return 0;
}
