// What a node costs through the engine and the store, without any process: a scripted executor
// answers every leaf at once.
//
//   engine_bench              rows for bench.py, one line of JSON each (bench/program_rows.py)
//   engine_bench SHAPE COUNT  where the time of COUNT nodes goes; SHAPE: fanout, nested
#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

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
constexpr int kRestarts = 5;

std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// Of this process: what a restart costs must not depend on who else uses the machine.
double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

clock::Instant now() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

/// `aim`: what the value must stay below; 0 for none.
void print_row(const std::string& what, const char* against, double value, const char* unit,
               double aim) {
  std::printf(R"({"what":"%s","against":"%s","value":%.4g,"unit":"%s")", what.c_str(), against,
              value, unit);
  if (aim > 0) std::printf(R"(,"aim":%g)", aim);
  std::printf("}\n");
  std::fflush(stdout);
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

/// What a workflow cost.
struct Spent {
  std::size_t nodes = 0;
  double total_s = 0;
  double bytes_per_node = 0;
  double read_s = 0;     // CPU
  double restart_s = 0;  // CPU
  double begin_s = 0;
  double apply_s = 0;
  double collect_s = 0;
  double commit_s = 0;
};

/// Runs the workflow to its end, but for `leave_open` leaves, as the host does: apply, commit,
/// dispatch.
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
  const double start = cpu_seconds();
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
  const double seconds = cpu_seconds() - start;
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
    const std::string of(where);
    print_row("1,000 hooks of a " + of + ", a transition that they read", "each hook",
              asking_s * 1e6 / asking / kHooks, "us", 2);
    print_row("1,000 hooks of a " + of + ", any other event", "the whole event",
              others_s * 1e6 / others, "us", 0);
  }
}

Spent measure(const std::string& shape, long count) {
  char pattern[] = "tiphys-engine-bench-XXXXXX";
  const std::string folder = (std::filesystem::temp_directory_path() / pattern).string();
  std::string made = folder;
  if (mkdtemp(made.data()) == nullptr) std::abort();
  const std::string path = made + "/bench.db";
  auto store = must(store::open_sqlite(path));
  const runtime::Submission submission{.workflow = workflow_of(shape, count),
                                       .templates = {},
                                       .config_maps = {},
                                       .workflow_defaults = {}};
  const store::WorkflowRow row = must(runtime::submit(*store, submission, now()));
  const auto load = [&] {
    return must(
        runtime::WorkflowRun::load(*store, row.uid, must(runtime::Ownership::take(made + "/run"))));
  };
  const std::size_t before = bytes_in_use();
  const auto start = Steady::now();
  Spent spent;
  {
    auto run = load();
    spent = run_to_the_end(run, *store, 1);  // one leaf stays, so that a restart has work to do
    spent.total_s = seconds_since(start);
    spent.nodes = run.engine().node_count();
    malloc_trim(0);
    spent.bytes_per_node =
        static_cast<double>(bytes_in_use() - before) / static_cast<double>(spent.nodes);
  }
  std::vector<double> reads;
  std::vector<double> restarts;
  for (int i = 0; i < kRestarts; ++i) {
    reads.push_back(read_rows(path));
    const double begun = cpu_seconds();
    const auto run = load();
    restarts.push_back(cpu_seconds() - begun);
    if (run.engine().node_count() != spent.nodes) std::abort();
  }
  spent.read_s = median(reads);
  spent.restart_s = median(restarts);
  store.reset();
  std::filesystem::remove_all(made);
  return spent;
}

double us_per_node(const Spent& s) { return s.total_s * 1e6 / static_cast<double>(s.nodes); }

/// The exponent of the growth from `a` to `b`: 1 is linear.
double exponent(double a, double b, const Spent& from, const Spent& to) {
  return std::log(b / a) /
         std::log(static_cast<double>(to.nodes) / static_cast<double>(from.nodes));
}

void print_rows() {
  measure_hooks();
  measure("fanout", 10'000);  // the first one also pays for the pages of the heap
  const Spent small = measure("fanout", 10'000);
  const Spent large = measure("fanout", 1'000'000);
  const Spent nested = measure("nested", 1'000'000);
  print_row("1M nodes of one loop through engine and store, no processes", "each node",
            us_per_node(large), "us", 5);
  print_row("1M nodes in loops of 100", "each node", us_per_node(nested), "us", 5);
  print_row("memory of a finished node", "", large.bytes_per_node, "bytes", 300);
  print_row("time from 10k to 1M nodes", "exponent; 1 is linear",
            exponent(small.total_s, large.total_s, small, large), "", 1.15);
  print_row("memory from 10k to 1M nodes", "exponent; 1 is linear",
            exponent(small.bytes_per_node * static_cast<double>(small.nodes),
                     large.bytes_per_node * static_cast<double>(large.nodes), small, large),
            "", 1.05);
  for (const auto& [what, s] :
       {std::pair("of one loop", &large), std::pair("in loops of 100", &nested)}) {
    print_row(std::string("restart with 1M finished nodes ") + what,
              "SQLite reading their rows, CPU", s->restart_s / s->read_s, "x", 3);
  }
  print_row("restart with 1M finished nodes", "", large.restart_s, "s", 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1) {
    print_rows();
    return 0;
  }
  if (argc != 3) {
    std::fprintf(stderr, "engine_bench [SHAPE COUNT]\n");
    return 2;
  }
  const Spent s = measure(argv[1], std::atol(argv[2]));
  std::printf(
      "%zu nodes: %.2f s, %.2f us each: begin %.2f, apply %.2f, collect %.2f, commit %.2f;\n"
      "%.0f bytes each; rows read in %.2f s, restart in %.2f s (CPU): %.1f x\n",
      s.nodes, s.total_s, us_per_node(s), s.begin_s, s.apply_s, s.collect_s, s.commit_s,
      s.bytes_per_node, s.read_s, s.restart_s, s.restart_s / s.read_s);
  return 0;
}
