// A map while it is read, which finds a key that comes twice. Pure.
#pragma once

#include <string>
#include <unordered_set>
#include <utility>

#include "value/value.h"

namespace tiphys::spec {

class OpenMap {
 public:
  /// True: took `key`. False: it was there before and has the new value now; `key` stays as it was.
  bool set(std::string& key, value::Value&& v) {
    auto& entries = map_.entries();
    if (entries.empty()) entries.reserve(3);  // most maps are small
    if (entries.size() == kFew && keys_.empty()) {
      for (const auto& entry : entries) keys_.insert(entry.first);
    }
    const bool is_known = keys_.empty() ? map_.find(key) != nullptr : keys_.contains(key);
    if (is_known) {
      map_.set(key, std::move(v));
      return false;
    }
    if (!keys_.empty()) keys_.insert(key);
    entries.emplace_back(std::move(key), std::move(v));
    return true;
  }
  value::Map take() { return std::move(map_); }

 private:
  // So many keys are found faster by going through them.
  static constexpr std::size_t kFew = 16;
  value::Map map_;
  std::unordered_set<std::string> keys_;  // never iterated
};

}  // namespace tiphys::spec
