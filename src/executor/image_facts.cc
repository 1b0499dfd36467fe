#include "executor/image_facts.h"

namespace tiphys::executor {
namespace {

constexpr std::size_t kEntriesMax = 1000;

void append(std::string& key, const std::vector<std::string>& words) {
  for (const std::string& word : words) key.append(word) += '\n';
}

}  // namespace

const std::string& ImageFacts::text(const std::vector<std::string>& layers, const std::string& path,
                                    const std::function<std::string()>& read) {
  std::string key;
  append(key, layers);
  key += path;
  if (const auto it = texts_.find(key); it != texts_.end()) return it->second;
  if (texts_.size() >= kEntriesMax) texts_.clear();
  return texts_.emplace(std::move(key), read()).first->second;
}

int ImageFacts::exec_error(const std::vector<std::string>& layers,
                           const std::vector<std::string>& programs,
                           const std::function<int()>& look) {
  std::string key;
  append(key, layers);
  append(key, programs);
  if (startable_.contains(key)) return 0;
  const int error = look();
  if (error != 0) return error;
  if (startable_.size() >= kEntriesMax) startable_.clear();
  startable_.insert(std::move(key));
  return 0;
}

}  // namespace tiphys::executor
