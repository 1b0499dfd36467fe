#include "runtime/failure_logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::runtime {

namespace {

constexpr std::size_t kFailures = 5;
constexpr std::size_t kLines = 10;
constexpr std::streamoff kBytes = 4096;
constexpr std::streamoff kWholeBytes = 1024L * 1024;
constexpr std::streamoff kWholeBytesOfAll = 4 * kWholeBytes;

// A line is `RFC 3339 time, blank, text`.
std::string_view without_time(std::string_view line) {
  const std::size_t blank = line.find(' ');
  return blank == std::string_view::npos ? line : line.substr(blank + 1);
}

/// The end of a log.
struct Tail {
  std::vector<std::string> lines = {};
  std::streamoff left_out = 0;  // bytes
};

Tail tail_of(const std::string& path, std::streamoff bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  Tail tail{.left_out = std::max<std::streamoff>(0, file.tellg() - bytes)};
  file.seekg(tail.left_out);
  std::string line;
  if (tail.left_out > 0) {  // it begins within a line
    std::getline(file, line);
    tail.left_out += static_cast<std::streamoff>(line.size()) + 1;
  }
  while (std::getline(file, line)) tail.lines.emplace_back(without_time(line));
  return tail;
}

std::string last_lines(const std::string& path) {
  const std::vector<std::string> lines = tail_of(path, kBytes).lines;
  std::string text;
  for (std::size_t i = lines.size() - std::min(lines.size(), kLines); i < lines.size(); ++i) {
    text += text.empty() ? lines[i] : "\n" + lines[i];
  }
  return text;
}

std::string whole_log(const std::string& path, std::streamoff bytes) {
  const Tail tail = tail_of(path, bytes);
  std::string text;
  if (tail.left_out > 0 && !tail.lines.empty()) {
    text = fmt::format("[… the {} bytes before this are left out]\n", tail.left_out);
  }
  for (const std::string& line : tail.lines) text += line + "\n";
  return text;
}

/// Sets `field` of the first few failures to what `read` gives of their logs.
template <typename Read>
void add_to_failures(const Config& config, const std::string& uid, value::Map& event,
                     const char* field, Read read) {
  const value::Value* failures = event.find("failures");
  if (failures == nullptr) return;
  value::List list = failures->list();
  for (std::size_t i = 0; i < std::min(list.size(), kFailures); ++i) {
    const std::string pod(list[i]["podName"].string_or(""));
    std::string text = pod.empty() ? "" : read(config.log_path(uid, pod));
    if (text.empty()) continue;
    value::Map with_log = list[i].map();
    with_log.set(field, std::move(text));
    list[i] = std::move(with_log);
  }
  event.set("failures", std::move(list));
}

}  // namespace

void add_failure_logs(const Config& config, const std::string& uid, value::Map& event) {
  add_to_failures(config, uid, event, "log", last_lines);
}

void add_whole_logs(const Config& config, const std::string& uid, value::Map& event) {
  std::streamoff left = kWholeBytesOfAll;
  add_to_failures(config, uid, event, "wholeLog", [&](const std::string& path) {
    std::string text = whole_log(path, std::min(kWholeBytes, left));
    left = std::max<std::streamoff>(0, left - static_cast<std::streamoff>(text.size()));
    return text;
  });
}

}  // namespace tiphys::runtime
