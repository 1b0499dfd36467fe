#include "cli/pod_logs.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "clock/rfc3339.h"

namespace tiphys::cli {

bool PodLogs::has_container(const value::Value& node) {
  if (!options_.containers_of) return true;
  const std::vector<std::string> names = options_.containers_of(node);
  if (std::ranges::find(names, options_.container) != names.end()) return true;
  others_.insert(names.begin(), names.end());
  return false;
}

// The main container writes the pod's log, the others each their own, POD.CONTAINER.log. Containers
// of a containerSet are nodes, too.
void PodLogs::look_at_node(const value::Value& nodes, const std::string& id,
                           const value::Value& node, const value::Value& metadata) {
  const std::string_view type = node["type"].string_or("");
  const std::string& only = options_.only;
  std::string container = options_.container;
  const bool is_container = type == "Container";
  if (is_container) {
    const std::string shown(node["displayName"].string_or(""));
    if (shown == "main" || (!container.empty() && container != shown)) return;
    container = shown;
  } else if (type != "Pod") {
    return;
  }
  const value::Value& owner = is_container ? nodes[node["boundaryID"].string_or("")] : node;
  if (options_.is_wanted && !options_.is_wanted(owner)) return;
  const std::string pod = pod_of(std::string(metadata["name"].string_or("")), owner);
  const bool is_main = container.empty() || container == "main";
  const std::string log = is_main ? pod : pod + "." + container;
  if (!only.empty() && only != id && only != node["displayName"].string_or("") &&
      only != (is_container ? log : pod)) {
    return;
  }
  if (!is_container && !container.empty() && !has_container(node)) return;
  auto [it, is_new] = pods_.try_emplace(log);
  if (is_new) {
    it->second.path = config_.log_path(std::string(metadata["uid"].string_or("")), log);
    it->second.shown = options_.container.empty() ? log : pod;
  }
  it->second.is_over = node["finishedAt"].is_string();
}

void PodLogs::look_at(const value::Value& workflow) {
  const value::Value& nodes = workflow["status"]["nodes"];
  for (const auto& [id, node] : nodes.map()) {
    look_at_node(nodes, id, node, workflow["metadata"]);
  }
}

void PodLogs::read(Pod& pod, const LogFilter& filter, std::vector<LogLine>& lines) const {
  std::ifstream in(pod.path, std::ios::binary);
  if (!in) return;
  in.seekg(static_cast<std::streamoff>(pod.offset));
  std::vector<LogLine> fresh;
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof()) break;  // its end is still to come
    pod.offset += line.size() + 1;
    if (filter.passes(line)) fresh.push_back({pod.shown, line});
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
    read(pod, filter, lines);
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
