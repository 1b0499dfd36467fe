#include "executor/program_paths.h"

#include <unistd.h>

#include <algorithm>

namespace tiphys::executor {
namespace {

constexpr std::int64_t kKeep = 1'000'000'000;
constexpr std::size_t kEntriesMax = 1000;

}  // namespace

std::vector<std::string> ProgramPaths::found_first(std::vector<std::string> candidates,
                                                   std::int64_t now) {
  if (candidates.size() < 2) return candidates;
  if (now >= forget_at_ || found_.size() >= kEntriesMax) {
    found_.clear();
    forget_at_ = now + kKeep;
  }
  std::string key;
  for (const std::string& candidate : candidates) key.append(candidate) += ':';
  const auto [entry, is_new] = found_.try_emplace(std::move(key), 0);
  if (is_new) {
    const auto runs = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
    const auto hit = std::ranges::find_if(candidates, runs);
    if (hit != candidates.end()) {
      entry->second = static_cast<std::size_t>(hit - candidates.begin());
    }
  }
  const auto hit = candidates.begin() + static_cast<std::ptrdiff_t>(entry->second);
  std::rotate(candidates.begin(), hit, hit + 1);
  return candidates;
}

}  // namespace tiphys::executor
