#include "cli/pod_logs.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "clock/rfc3339.h"

namespace tiphys::cli {

void PodLogs::look_at(const value::Value& workflow) {
  const std::string uid(workflow["metadata"]["uid"].string_or(""));
  const std::string name(workflow["metadata"]["name"].string_or(""));
  const value::Value& all = workflow["status"]["nodes"];
  for (const auto& [id, node] : all.map()) {
    const std::string_view type = node["type"].string_or("");
    const std::string_view shown = node["displayName"].string_or("");
    // The main container writes the pod's log, the others of a containerSet each their own.
    const bool is_container = type == "Container" && shown != "main";
    if (type != "Pod" && !is_container) continue;
    const value::Value& owner = is_container ? all[node["boundaryID"].string_or("")] : node;
    if (options_.is_wanted && !options_.is_wanted(owner)) continue;
    std::string pod = pod_of(name, owner);
    if (is_container) pod.append(".").append(shown);
    const std::string& only = options_.only;
    const bool is_wanted =
        only.empty() || only == pod || only == id || only == node["displayName"].string_or("");
    if (!is_wanted) continue;
    auto [it, is_new] = pods_.try_emplace(pod);
    if (is_new) it->second.path = config_.log_path(uid, pod);
    it->second.is_over = node["finishedAt"].is_string();
  }
}

void PodLogs::read(const std::string& name, Pod& pod, const LogFilter& filter,
                   std::vector<LogLine>& lines) const {
  std::ifstream in(pod.path, std::ios::binary);
  if (!in) return;
  in.seekg(static_cast<std::streamoff>(pod.offset));
  std::vector<LogLine> fresh;
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof()) break;  // its end is still to come
    pod.offset += line.size() + 1;
    if (filter.passes(line)) fresh.push_back({name, line});
  }
  std::size_t skipped = 0;
  if (options_.tail && !pod.has_begun && fresh.size() > *options_.tail) {
    skipped = fresh.size() - *options_.tail;
  }
  pod.has_begun = true;
  std::move(fresh.begin() + static_cast<std::ptrdiff_t>(skipped), fresh.end(),
            std::back_inserter(lines));
}

std::vector<LogLine> PodLogs::take(const LogFilter& filter) {
  std::vector<LogLine> lines;
  for (auto& [name, pod] : pods_) {
    if (pod.is_read_out) continue;
    const bool is_over = pod.is_over;
    read(name, pod, filter, lines);
    pod.is_read_out = is_over;
  }
  auto time_of = [](const LogLine& l) {
    auto at = clock::parse_rfc3339(log_time(l.stored));
    return at ? *at : clock::Instant{};
  };
  std::ranges::stable_sort(lines, {}, time_of);
  return lines;
}

}  // namespace tiphys::cli
