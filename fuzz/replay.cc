// fuzz_replay [--once] FOLDER...: gives each file FOLDER/NAME/* to the fuzzer NAME, as it is and
// (not with --once) repeated until it is a MiB, and holds both to the bounds of hostile input: 256
// MiB, and a second of CPU. Needs no fuzzing engine, so that it runs in every build.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cpu_time.h"
#include "peak_memory.h"

// CMake gives each fuzzer's LLVMFuzzerTestOneInput a name of its own.
extern "C" {
int yaml_fuzz(const std::uint8_t* data, std::size_t size);
int expression_fuzz(const std::uint8_t* data, std::size_t size);
int tag_fuzz(const std::uint8_t* data, std::size_t size);
int json_fuzz(const std::uint8_t* data, std::size_t size);
int cron_fuzz(const std::uint8_t* data, std::size_t size);
int rows_fuzz(const std::uint8_t* data, std::size_t size);
}

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongSize = 1U << 20U;
constexpr std::size_t kMemoryMax = 256U << 20U;

struct Fuzzer {
  const char* name;
  int (*run)(const std::uint8_t*, std::size_t);
  bool has_head = false;  // what is repeated stands below the first line
};

constexpr std::array kFuzzers = {Fuzzer{"yaml", yaml_fuzz}, Fuzzer{"expression", expression_fuzz},
                                 Fuzzer{"tag", tag_fuzz},   Fuzzer{"json", json_fuzz},
                                 Fuzzer{"cron", cron_fuzz}, Fuzzer{"rows", rows_fuzz, true}};

struct Worst {
  double seconds = 0;
  std::size_t bytes = 0;
};

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Whether it stayed within the bounds.
bool run(const Fuzzer& fuzzer, const std::string& text, const fs::path& path, Worst& worst) {
  double seconds = 0;
  const std::size_t bytes = tiphys::test::peak_memory([&] {
    seconds = tiphys::test::cpu_seconds(
        [&] { fuzzer.run(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()); });
  });
  worst.seconds = std::max(worst.seconds, seconds);
  worst.bytes = std::max(worst.bytes, bytes);
  if (seconds <= tiphys::test::kHostileCpuSecondsMax && bytes <= kMemoryMax) return true;
  std::fprintf(stderr, "%s, as %zu bytes, takes %.2f s of CPU and %zu bytes of memory\n",
               path.c_str(), text.size(), seconds, bytes);
  return false;
}

bool replay(const Fuzzer& fuzzer, const fs::path& folder, bool once) {
  if (!fs::is_directory(folder)) return true;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  bool is_good = true;
  Worst worst;
  for (const fs::path& file : files) {
    const std::string text = content(file);
    is_good = run(fuzzer, text, file, worst) && is_good;
    const std::size_t head = fuzzer.has_head ? text.find('\n') + 1 : 0;
    if (once || text.size() <= head) continue;
    std::string repeated = text;
    if (fuzzer.has_head && !text.ends_with('\n')) repeated += '\n';
    for (const std::string more = repeated.substr(head); repeated.size() < kLongSize;) {
      repeated += more;
    }
    is_good = run(fuzzer, repeated, file, worst) && is_good;
  }
  std::printf("%s: %zu files, at most %.3f s and %.3f MiB\n", folder.c_str(), files.size(),
              worst.seconds, static_cast<double>(worst.bytes) / (1U << 20U));
  return is_good;
}

}  // namespace

int main(int argc, char** argv) {
  bool is_good = argc > 1;
  const bool once = is_good && std::string_view(argv[1]) == "--once";
  for (int i = once ? 2 : 1; i < argc; ++i) {
    for (const Fuzzer& fuzzer : kFuzzers) {
      is_good = replay(fuzzer, fs::path(argv[i]) / fuzzer.name, once) && is_good;
    }
  }
  return is_good ? 0 : 1;
}
