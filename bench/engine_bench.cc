// What a node costs through the engine and the store, without any process: a scripted executor
// answers every leaf at once.
//
//   engine_bench FOLDER SHAPE COUNT...     SHAPE: fanout, nested
//   engine_bench hooks                     what 1,000 hooks cost in each transition
// Prints one line of JSON for each count; bench/nodes.py makes the table of them.
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <string>

#include "engine/engine.h"
#include "runtime/submit.h"
#include "runtime/workflow_run.h"
#include "spec/manifest.h"
#include "store/sqlite.h"
#include "value/value.h"

namespace {

using namespace tiphys;
using value::List;
using value::Map;
using value::Value;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kEventsPerCommit = 4096;

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

clock::Instant now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

template <typename T>
T must(diag::Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

Value looping_step(const char* template_name, long count) {
  return Map{{"name", "do"},
             {"template", template_name},
             {"withSequence", Map{{"count", std::to_string(count)}}}};
}

Value steps_template(const char* name, Value step) {
  return Map{{"name", name}, {"steps", List{List{std::move(step)}}}};
}

// `fanout` is one loop of `count` items; `nested` a loop of loops of 100.
Value workflow_of(const std::string& shape, long count) {
  List templates{
      Map{{"name", "leaf"}, {"container", Map{{"image", "busybox"}, {"command", List{"true"}}}}}};
  if (shape == "nested") {
    templates.push_back(steps_template("main", looping_step("inner", count / 100)));
    templates.push_back(steps_template("inner", looping_step("leaf", 100)));
  } else {
    templates.push_back(steps_template("main", looping_step("leaf", count)));
  }
  return Map{{"apiVersion", "argoproj.io/v1alpha1"},
             {"kind", "Workflow"},
             {"metadata", Map{{"name", shape}, {"namespace", "default"}}},
             {"spec", Map{{"entrypoint", "main"}, {"templates", std::move(templates)}}}};
}

engine::LeafFinished ended(const engine::LeafId& leaf, clock::Instant at) {
  return {.leaf = leaf,
          .phase = engine::Phase::kSucceeded,
          .message = "",
          .exit_code = 0,
          .outputs = {},
          .started_at = at,
          .finished_at = at};
}

/// Runs the workflow to its end as the host does: apply, commit, dispatch.
struct Spent {
  double begin_s = 0;
  double apply_s = 0;
  double collect_s = 0;
  double commit_s = 0;
};

Spent run_to_the_end(runtime::WorkflowRun& run, store::Store& store, std::size_t leave_open) {
  Spent spent;
  std::deque<engine::LeafId> asked;
  auto begun = Steady::now();
  run.apply({.at = now(), .body = engine::Begin{}});
  spent.begin_s = seconds_since(begun);
  for (;;) {
    auto mark = Steady::now();
    for (std::size_t i = 0; i < kEventsPerCommit && asked.size() > leave_open; ++i) {
      const clock::Instant at = now();
      run.apply({.at = at, .body = ended(asked.front(), at)});
      asked.pop_front();
    }
    spent.apply_s += seconds_since(mark);
    mark = Steady::now();
    store::Batch batch;
    run.collect(batch, now());
    spent.collect_s += seconds_since(mark);
    mark = Steady::now();
    if (auto done = store.commit(batch); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      std::exit(1);
    }
    spent.commit_s += seconds_since(mark);
    mark = Steady::now();
    for (const engine::Effect& effect : run.take_effects()) {
      if (const auto* start = std::get_if<engine::StartLeaf>(&effect)) asked.push_back(start->leaf);
    }
    spent.apply_s += seconds_since(mark);
    if (run.engine().is_finished() || asked.size() <= leave_open) return spent;
  }
}

// The baseline of a restart: SQLite reads all rows of the workflow.
double read_rows(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) std::abort();
  const auto start = Steady::now();
  std::size_t bytes = 0;
  for (const char* sql : {"SELECT key, payload FROM events", "SELECT key, record FROM nodes"}) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) std::abort();
    while (sqlite3_step(statement) == SQLITE_ROW) {
      bytes += static_cast<std::size_t>(sqlite3_column_bytes(statement, 1));
      const std::string text(reinterpret_cast<const char*>(sqlite3_column_text(statement, 1)));
      bytes += text.size() & 1U;
    }
    sqlite3_finalize(statement);
  }
  const double seconds = seconds_since(start);
  sqlite3_close(db);
  return bytes == 0 ? 0 : seconds;
}

// Hooks that are looked at in each transition and never fire: 1,000 of the workflow, of which only
// the entry node's transitions ask, and 1,000 of one step.
void measure_hooks() {
  constexpr int kHooks = 1000;
  constexpr int kSteps = 200;
  const auto hooks = [](const std::string& what) {
    Map map;
    for (int i = 0; i < kHooks; ++i) {
      map.set(
          "h" + std::to_string(i),
          Map{{"template", "leaf"}, {"expression", what + " == \"No" + std::to_string(i) + "\""}});
    }
    return map;
  };
  for (const char* where : {"workflow", "step"}) {
    const bool is_step = std::string(where) == "step";
    Map step{{"name", "a"}, {"template", "leaf"}};
    if (is_step) step.set("hooks", hooks("steps.a.status"));
    List groups{List{Value(step)}};
    for (int i = 0; i < kSteps; ++i) {
      groups.push_back(List{Map{{"name", "b" + std::to_string(i)}, {"template", "leaf"}}});
    }
    Map spec{{"entrypoint", "main"},
             {"templates", List{Map{{"name", "leaf"}, {"container", Map{{"image", "i"}}}},
                                Map{{"name", "main"}, {"steps", std::move(groups)}}}}};
    if (!is_step) spec.set("hooks", hooks("workflow.status"));
    engine::Engine engine({.workflow = Map{{"metadata", Map{{"name", "hooks"}}}, {"spec", spec}},
                           .templates = {},
                           .config_maps = {}});
    // The transitions that ask the hooks are the entry's last, or the two of `a`.
    double asking_s = 0;
    double others_s = 0;
    int asking = 0;
    int others = 0;
    engine::Effects effects;
    engine.apply({.at = now(), .body = engine::Begin{}}, effects);  // reads and parses them all
    for (std::size_t i = 0; i < effects.outside.size(); ++i) {
      const auto* start = std::get_if<engine::StartLeaf>(&effects.outside[i]);
      if (start == nullptr) continue;
      const engine::LeafId leaf = start->leaf;
      const bool is_first = others + asking == 0;
      const auto mark = Steady::now();
      engine.apply({.at = now(), .body = ended(leaf, now())}, effects);
      const double seconds = seconds_since(mark);
      const bool asks = is_step ? is_first : engine.is_finished();
      (asks ? asking_s : others_s) += seconds;
      (asks ? asking : others) += is_step && asks ? 2 : 1;  // a step is Running before it ends
    }
    std::printf(R"({"hooks_of":"%s","hooks":%d,"us_per_hook":%.3f,"us_per_other_event":%.3f})"
                "\n",
                where, kHooks, asking_s * 1e6 / asking / kHooks, others_s * 1e6 / others);
  }
}

void measure(const std::string& folder, const std::string& shape, long count) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/bench.db";
  auto store = must(store::open_sqlite(path));
  runtime::Submission submission{.workflow = workflow_of(shape, count),
                                 .templates = {},
                                 .config_maps = {},
                                 .workflow_defaults = {}};
  const store::WorkflowRow row = must(runtime::submit(*store, submission, now()));
  const std::size_t before = bytes_in_use();
  const auto start = Steady::now();
  std::size_t nodes = 0;
  std::size_t held = 0;
  Spent spent;
  {
    auto run = must(runtime::WorkflowRun::load(*store, row.uid,
                                               must(runtime::Ownership::take(folder + "/run"))));
    spent = run_to_the_end(run, *store, 1);  // one leaf stays, so that a restart has work to do
    nodes = run.engine().node_count();
    malloc_trim(0);
    held = bytes_in_use() - before;
  }
  const double seconds = seconds_since(start);
  const double read_s = read_rows(path);
  const auto restart = Steady::now();
  {
    auto run = must(runtime::WorkflowRun::load(*store, row.uid,
                                               must(runtime::Ownership::take(folder + "/run"))));
    if (run.engine().node_count() != nodes) std::abort();
  }
  const double restart_s = seconds_since(restart);
  std::printf(
      R"({"shape":"%s","nodes":%zu,"seconds":%.4f,"begin_s":%.4f,"apply_s":%.4f,"collect_s":%.4f,"commit_s":%.4f,)"
      R"("nodes_per_s":%.0f,"bytes_per_node":%.0f,"read_s":%.4f,"restart_s":%.4f,"store_bytes_per_node":%.0f})"
      "\n",
      shape.c_str(), nodes, seconds, spent.begin_s, spent.apply_s, spent.collect_s, spent.commit_s,
      static_cast<double>(nodes) / seconds, static_cast<double>(held) / static_cast<double>(nodes),
      read_s, restart_s,
      static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(nodes));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "hooks") {
    measure_hooks();
    return 0;
  }
  if (argc < 4) {
    std::fprintf(stderr, "engine_bench FOLDER SHAPE COUNT...\n");
    return 2;
  }
  for (int i = 3; i < argc; ++i) measure(argv[1], argv[2], std::atol(argv[i]));
  std::filesystem::remove_all(argv[1]);
  return 0;
}
