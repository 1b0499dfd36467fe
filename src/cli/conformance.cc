#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "cli/commands.h"
#include "cli/echo_hint.h"
#include "cli/golden_run.h"
#include "cli/inputs.h"
#include "value/json.h"

namespace tiphys::cli {

namespace {

using conformance::Record;
using value::List;
using value::Map;
using value::Value;
using Verdict = GoldenResult::Verdict;

struct ConformanceOptions {
  GoldenOptions run;
  std::string records;
  std::string only;
  std::vector<std::string> groups = {"portable", "random", "timing"};
  int jobs = 1;
  bool is_long = false;
  std::string output;
};

const char* word_of(Verdict verdict) {
  return verdict == Verdict::kPassed ? "pass" : verdict == Verdict::kFailed ? "FAIL" : "skip";
}

std::string short_json(const Value& v) {
  if (v.is_null()) return "nothing";
  std::string text = value::to_json(v, {.escape_html = false});
  constexpr std::size_t kShown = 60;
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return text;
}

std::string remark_of(const GoldenResult& r) {
  if (!r.remark.empty()) return r.remark;
  if (!r.comparison.differences.empty()) {
    const conformance::Difference& d = r.comparison.differences.front();
    return fmt::format("{} {}: {} -> {}", d.where, d.field, short_json(d.expected),
                       short_json(d.got));
  }
  std::string hooks;
  for (const std::string& hook : r.comparison.more_hooks) {
    hooks += (hooks.empty() ? "+" : "; +") + hook;
  }
  return hooks;
}

Value as_value(const GoldenResult& r) {
  List differences;
  for (const conformance::Difference& d : r.comparison.differences) {
    differences.push_back(
        Map{{"where", d.where}, {"field", d.field}, {"expected", d.expected}, {"got", d.got}});
  }
  List hooks(r.comparison.more_hooks.begin(), r.comparison.more_hooks.end());
  return Map{{"name", r.name},
             {"class", r.group},
             {"result", word_of(r.verdict)},
             {"nodes", static_cast<std::int64_t>(r.nodes)},
             {"seconds", r.seconds},
             {"remark", r.remark},
             {"moreHooks", std::move(hooks)},
             {"differences", std::move(differences)}};
}

void print_row(const GoldenResult& r, std::size_t width, bool is_long) {
  fmt::print("{:{}}  {:8}  {:6}  {:5}  {:5}  {:6.2f}  {}\n", r.name, width, r.group,
             word_of(r.verdict), r.nodes, r.comparison.differences.size(), r.seconds, remark_of(r));
  if (is_long) {
    for (const conformance::Difference& d : r.comparison.differences) {
      const value::JsonStyle style = {.escape_html = false};
      fmt::print("    {} {}\n      - {}\n      + {}\n", d.where, d.field,
                 value::to_json(d.expected, style), value::to_json(d.got, style));
    }
  }
  (void)std::fflush(stdout);
}

// The goldens of the folder by name: NAME.json, but for the records.
diag::Result<std::vector<std::string>> names_in(const std::string& folder,
                                                const std::string& only) {
  std::error_code error;
  std::vector<std::string> names;
  const re2::RE2 wanted(only, re2::RE2::Quiet);
  if (!wanted.ok()) {
    return wrong_usage(
        fmt::format("--only '{}' is no regular expression: {}", only, wanted.error()));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().stem().string();
    const bool is_golden = entry.path().extension() == ".json" && !name.starts_with("manifest");
    if (is_golden && re2::RE2::PartialMatch(name, wanted)) names.push_back(name);
  }
  if (error) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot read '{}': {}", folder, error.message()));
  }
  if (names.empty()) return wrong_usage(fmt::format("no goldens (NAME.json) in '{}'", folder));
  std::ranges::sort(names);
  return names;
}

diag::Result<std::vector<Record>> records_for(const std::vector<std::string>& names,
                                              std::string file, const std::string& folder) {
  if (file.empty() && std::filesystem::exists(folder + "/manifest.json")) {
    file = folder + "/manifest.json";
  }
  std::vector<Record> known;
  if (!file.empty()) {
    TRY(const std::string text, read_file(file));
    TRY(const Value manifest, value::parse_json(text));
    known = conformance::read_records(manifest);
  }
  std::vector<Record> records;
  for (const std::string& name : names) records.push_back(conformance::record_of(known, name));
  return records;
}

// Runs all cases, `jobs` at a time, and gives each result to `take` in the order of the records.
void run_all(const std::vector<Record>& records, const ConformanceOptions& o,
             const std::function<void(GoldenResult)>& take) {
  std::vector<std::optional<GoldenResult>> results(records.size());
  std::mutex mutex;
  std::condition_variable has_more;
  std::atomic<std::size_t> next = 0;
  auto work = [&] {
    for (std::size_t i = next++; i < records.size(); i = next++) {
      const Record& record = records[i];
      GoldenResult result;
      if (std::ranges::find(o.groups, record.group) == o.groups.end()) {
        result.verdict = Verdict::kSkipped;
        result.name = record.name;
        result.group = record.group;
        result.remark = "not of a wanted class";
      } else {
        result = run_golden(record, o.run);
      }
      const std::lock_guard lock(mutex);
      results[i] = std::move(result);
      has_more.notify_all();
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < o.jobs; ++i) threads.emplace_back(work);
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::unique_lock lock(mutex);
    has_more.wait(lock, [&] { return results[i].has_value(); });
    GoldenResult result = std::move(*results[i]);
    lock.unlock();
    take(std::move(result));
  }
}

diag::Result<void> conformance_table(ConformanceOptions o, Session& session) {
  if (!o.output.empty() && o.output != "json") {
    return wrong_usage(fmt::format("unknown output format '{}': want json", o.output));
  }
  std::error_code error;
  o.run.folder = std::filesystem::absolute(o.run.folder, error).lexically_normal().string();
  while (o.run.folder.size() > 1 && o.run.folder.ends_with('/')) o.run.folder.pop_back();
  const std::string beside = o.run.folder + "/objects.yaml";
  if (o.run.objects.empty() && std::filesystem::exists(beside)) o.run.objects = beside;
  TRY(const auto names, names_in(o.run.folder, o.only));
  TRY(const auto records, records_for(names, o.records, o.run.folder));
  std::vector<std::string> wanted;
  for (const Record& record : records) {
    if (std::ranges::find(o.groups, record.group) != o.groups.end()) wanted.push_back(record.name);
  }
  if (const std::string hint = echo_hint(o.run.folder, wanted); !hint.empty()) {
    fmt::print(stderr, "{}\n", hint);
  }
  const bool is_json = o.output == "json";
  std::size_t width = 4;
  for (const std::string& name : names) width = std::max(width, name.size());
  if (!is_json) {
    fmt::print("{:{}}  {:8}  {:6}  {:>5}  {:>5}  {:>6}  {}\n", "NAME", width, "CLASS", "RESULT",
               "NODES", "DIFFS", "S", "REMARK");
  }
  List rows;
  std::size_t counts[3] = {};
  run_all(records, o, [&](const GoldenResult& result) {
    ++counts[static_cast<std::size_t>(result.verdict)];
    if (is_json) {
      rows.push_back(as_value(result));
    } else {
      print_row(result, width, o.is_long);
    }
  });
  const auto [passed, failed, skipped] = counts;
  if (is_json) {
    const auto whole = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    const Map table = {{"goldens", std::move(rows)},
                       {"passed", whole(passed)},
                       {"failed", whole(failed)},
                       {"skipped", whole(skipped)}};
    print_text(value::to_json(
                   Value(table),
                   {.key_order = value::KeyOrder::kAsGiven, .indent = 2, .escape_html = false}) +
               "\n");
  } else {
    fmt::print("\n{} passed, {} failed, {} skipped\n", passed, failed, skipped);
  }
  if (failed > 0) session.exit_code = 1;
  return {};
}

}  // namespace

void add_conformance(Command app, Session& session) {
  auto o = std::make_shared<ConformanceOptions>();
  const Command command =
      add_command(app, "conformance", "run recorded workflows and compare with what Argo gave",
                  session, [o, &session] { return conformance_table(*o, session); });
  command.add_option("DIR", o->run.folder, "goldens: NAME.yaml with NAME.json").required();
  command.add_option("--objects", o->run.objects,
                     "a manifest that each of them needs (default: DIR/objects.yaml)");
  command.add_option("--records", o->records,
                     "what may differ of each (default: DIR/manifest.json)");
  command.add_option("--only", o->only, "only names that match this regular expression");
  command.add_option("--class", o->groups, "only these classes (portable,random,timing)")
      .split_at_commas();
  command.add_option("--timeout", o->run.timeout, "seconds for each (60)");
  command.add_option("--resume-after", o->run.resume_after,
                     "seconds until one that waits is resumed (3)");
  command.add_option("--jobs", o->jobs, "how many at once (1)").between(1, 256);
  command.add_flag("--keys", o->run.compares_keys, "compare the keys of artifacts, too");
  command.add_flag("--long", o->is_long, "print every difference");
  command.add_option("-o,--output", o->output, "json: the table with all differences");
}

}  // namespace tiphys::cli
