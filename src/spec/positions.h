// Where each part of a manifest stands in its file, kept beside the Value so that Values stay
// small.
//
// Pure. Immutable after loading; may be shared between threads.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "diag/position.h"

namespace tiphys::spec {

/// Positions by JSON pointer (`/spec/templates/0/steps/0/0/hooks/running/expression`).
class Positions {
 public:
  /// Remembers where the value at `pointer` begins. For a scalar: its first character inside
  /// quotes.
  void set_value(std::string pointer, diag::Position at) {
    values_.insert_or_assign(std::move(pointer), std::move(at));
  }
  /// Remembers where the key that leads to `pointer` begins.
  void set_key(std::string pointer, diag::Position at) {
    keys_.insert_or_assign(std::move(pointer), std::move(at));
  }
  /// The position of the value at `pointer`, or of its nearest known ancestor.
  [[nodiscard]] diag::Position value(std::string_view pointer) const {
    return near(values_, pointer);
  }
  /// The position of the key of `pointer`, or of the nearest known ancestor's value.
  [[nodiscard]] diag::Position key(std::string_view pointer) const {
    auto it = keys_.find(pointer);
    return it != keys_.end() ? it->second : near(values_, pointer);
  }
  /// The positions of what stands below `pointer`, which becomes the root.
  [[nodiscard]] Positions below(std::string_view pointer) const {
    Positions part;
    copy_below(values_, pointer, part.values_);
    copy_below(keys_, pointer, part.keys_);
    return part;
  }

 private:
  using Table = std::map<std::string, diag::Position, std::less<>>;
  static diag::Position near(const Table& table, std::string_view pointer) {
    for (;;) {
      if (auto it = table.find(pointer); it != table.end()) return it->second;
      if (pointer.empty()) return {};
      pointer = pointer.substr(0, pointer.rfind('/'));
    }
  }
  static void copy_below(const Table& from, std::string_view pointer, Table& to) {
    for (auto it = from.lower_bound(pointer); it != from.end(); ++it) {
      const std::string_view name = it->first;
      if (!name.starts_with(pointer)) break;
      const std::string_view rest = name.substr(pointer.size());
      if (rest.empty() || rest[0] == '/') to.emplace(rest, it->second);
    }
  }

  Table values_;
  Table keys_;
};

}  // namespace tiphys::spec
