// A map while it is read, which finds a key that comes twice, also among very many. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "value/value.h"

namespace tiphys::value {

class OpenMap {
 public:
  /// True: took `key`. False: it was there before and has the new value now; `key` stays as it was.
  bool set(std::string& key, Value&& v) {
    auto& entries = map_.entries();
    if (entries.empty()) entries.reserve(3);  // most maps are small
    if (entries.size() == kFew && index_.empty()) {
      for (std::size_t i = 0; i < kFew; ++i) index_.emplace(entries[i].first, i);
    }
    const std::size_t known = find(key);
    if (known < entries.size()) {
      entries[known].second = std::move(v);
      return false;
    }
    if (!index_.empty()) index_.emplace(key, entries.size());
    entries.emplace_back(std::move(key), std::move(v));
    return true;
  }
  Map take() { return std::move(map_); }

 private:
  // So many keys are found faster by going through them.
  static constexpr std::size_t kFew = 16;

  // The entry of this key; the number of entries if there is none.
  [[nodiscard]] std::size_t find(const std::string& key) {
    const auto& entries = map_.entries();
    if (!index_.empty()) {
      const auto found = index_.find(key);
      return found == index_.end() ? entries.size() : found->second;
    }
    std::size_t i = 0;
    while (i < entries.size() && entries[i].first != key) ++i;
    return i;
  }

  Map map_;
  std::unordered_map<std::string, std::size_t> index_;  // never iterated
};

}  // namespace tiphys::value
