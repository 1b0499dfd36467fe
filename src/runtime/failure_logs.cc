#include "runtime/failure_logs.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <vector>

namespace tiphys::runtime {

namespace {

constexpr std::size_t kFailures = 5;
constexpr std::size_t kLines = 10;
constexpr std::streamoff kBytes = 4096;

// A line is `RFC 3339 time, blank, text`.
std::string_view without_time(std::string_view line) {
  const std::size_t blank = line.find(' ');
  return blank == std::string_view::npos ? line : line.substr(blank + 1);
}

std::string tail_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - kBytes);
  file.seekg(from);
  std::vector<std::string> lines;
  std::string line;
  if (from > 0) std::getline(file, line);  // it begins within a line
  while (std::getline(file, line)) lines.emplace_back(without_time(line));
  std::string text;
  for (std::size_t i = lines.size() - std::min(lines.size(), kLines); i < lines.size(); ++i) {
    text += text.empty() ? lines[i] : "\n" + lines[i];
  }
  return text;
}

}  // namespace

void add_failure_logs(const Config& config, const std::string& uid, value::Map& event) {
  const value::Value* failures = event.find("failures");
  if (failures == nullptr) return;
  value::List list = failures->list();
  for (std::size_t i = 0; i < std::min(list.size(), kFailures); ++i) {
    const std::string pod(list[i]["podName"].string_or(""));
    const std::string text = pod.empty() ? "" : tail_of(config.log_path(uid, pod));
    if (text.empty()) continue;
    value::Map with_log = list[i].map();
    with_log.set("log", text);
    list[i] = std::move(with_log);
  }
  event.set("failures", std::move(list));
}

}  // namespace tiphys::runtime
