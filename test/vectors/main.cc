// vectors DIR [-v]: runs every set of conformance vectors below DIR and prints `SET passed/total`
// for each.
//
// The set of a file is chosen by the start of its name (expr.jsonl, expr-private.jsonl). Exit code
// 1 when a record failed that known.txt (in DIR or beside it) does not list with a reason, 2 when
// nothing could be run.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "value/json.h"
#include "vectors/set.h"

namespace {

using tiphys::vectors::Outcome;
namespace fs = std::filesystem;

struct Set {
  std::string_view name;
  Outcome (*run)(const tiphys::value::Value&);
  Outcome (*run_with_text)(const tiphys::value::Value&, std::string_view) = nullptr;
};

constexpr std::array<Set, 13> kSets = {{
    {"expr", tiphys::vectors::run_expr},
    {"when", tiphys::vectors::run_when},
    {"tags", tiphys::vectors::run_tags},
    {"depends", tiphys::vectors::run_depends},
    {"cron", tiphys::vectors::run_cron},
    {"yaml", tiphys::vectors::run_yaml},
    {"times", nullptr, tiphys::vectors::run_category},
    {"names", nullptr, tiphys::vectors::run_category},
    {"loops", nullptr, tiphys::vectors::run_category},
    {"backoff", nullptr, tiphys::vectors::run_category},
    {"selectors", nullptr, tiphys::vectors::run_category},
    {"variables", nullptr, tiphys::vectors::run_category},
    {"misc", nullptr, tiphys::vectors::run_category},  // all of them, as the generator names it
}};

struct Count {
  int passed = 0;
  int known = 0;
  int total = 0;
};

/// id -> reason, of failures that we live with. Lines that are empty or start with '#' say nothing.
std::map<std::string, std::string> read_known(const fs::path& file) {
  std::map<std::string, std::string> known;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto blank = line.find(' ');
    if (blank == std::string::npos) {
      std::fprintf(stderr, "%s: no reason for %s\n", file.c_str(), line.c_str());
      continue;
    }
    known[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return known;
}

const Set* set_of(const fs::path& file) {
  if (file.extension() != ".jsonl") return nullptr;
  const std::string stem = file.stem().string();
  for (const Set& set : kSets) {
    if (!stem.starts_with(set.name)) continue;
    if (stem.size() == set.name.size() || stem[set.name.size()] == '-') return &set;
  }
  return nullptr;
}

Outcome run_line(const Set& set, const std::string& line, std::string& id) {
  auto record = tiphys::value::parse_json(line);
  if (!record) return {false, "a JSON record", record.error().message};
  id = (*record)["id"].string_or("?");
  return set.run != nullptr ? set.run(*record) : set.run_with_text(*record, line);
}

void run_file(const Set& set, const fs::path& file, bool verbose,
              const std::map<std::string, std::string>& known, Count& count) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    ++count.total;
    std::string id = "?";
    const Outcome outcome = run_line(set, line, id);
    if (outcome.passed) {
      ++count.passed;
      continue;
    }
    const auto reason = known.find(id);
    if (reason != known.end()) ++count.known;
    if (!verbose) continue;
    std::printf("%s %s\n  wanted: %s\n  got:    %s\n", id.c_str(),
                reason == known.end() ? "FAILED" : reason->second.c_str(), outcome.wanted.c_str(),
                outcome.got.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  const bool verbose = std::ranges::find(args, "-v") != args.end();
  const auto dir = std::ranges::find_if(args, [](std::string_view a) { return a != "-v"; });
  if (dir == args.end() || !fs::is_directory(*dir)) {
    std::fprintf(stderr, "usage: vectors DIR [-v]\n");
    return 2;
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(*dir))) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  auto known = read_known(fs::path(*dir) / "known.txt");
  known.merge(read_known(fs::path(*dir) / ".." / "known.txt"));
  std::map<std::string_view, Count> counts;
  for (const fs::path& file : files) {
    if (const Set* set = set_of(file)) run_file(*set, file, verbose, known, counts[set->name]);
  }
  bool all_well = !counts.empty();
  for (const auto& [name, count] : counts) {
    std::printf("%.*s %d/%d", static_cast<int>(name.size()), name.data(), count.passed,
                count.total);
    if (count.known > 0) std::printf(" (%d known)", count.known);
    std::printf("\n");
    all_well = all_well && count.passed + count.known == count.total;
  }
  if (counts.empty()) return 2;
  return all_well ? 0 : 1;
}
