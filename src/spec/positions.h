// Where each part of a manifest stands in its file, kept beside the Value so that Values stay
// small.
//
// A tree like the document's own: a place costs no more than its own name. Pure. Immutable after
// loading; may be shared between threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/position.h"

namespace tiphys::spec {

/// Positions by JSON pointer (`/spec/templates/0/steps/0/0/hooks/running/expression`).
class Positions {
 public:
  /// A part of the document while its positions are collected.
  using Part = std::uint32_t;
  static constexpr Part kRoot = 0;

  explicit Positions(std::string file = "") : file_(std::move(file)) {}

  /// The part that `token`, escaped as in a pointer, leads to from `parent`. Of two with the same
  /// token the later one is found.
  Part add(Part parent, std::string token) {
    const auto part = static_cast<Part>(parts_.size());
    parts_.push_back({.token = std::move(token)});
    Entry& above = parts_[parent];
    (above.first == kRoot ? above.first : parts_[above.last].next) = part;
    above.last = part;
    return part;
  }
  /// Remembers where the value of a part begins. For a scalar: its first character inside quotes.
  void set_value(Part part, int line, int column) { parts_[part].value = {line, column}; }
  /// Remembers where the key that leads to a part begins.
  void set_key(Part part, int line, int column) { parts_[part].key = {line, column}; }

  /// The position of the value at `pointer`, or of its nearest known ancestor.
  [[nodiscard]] diag::Position value(std::string_view pointer) const {
    return at(nearest(pointer).second);
  }
  /// The position of the key of `pointer`, or of the nearest known ancestor's value.
  [[nodiscard]] diag::Position key(std::string_view pointer) const {
    const auto [part, near] = nearest(pointer);
    const bool has_key = part != kNone && parts_[part].key.line != 0;
    return at(has_key ? parts_[part].key : near);
  }
  /// The positions of what stands below `pointer`, which becomes the root.
  [[nodiscard]] Positions below(std::string_view pointer) const {
    Positions out(file_);
    if (const Part part = nearest(pointer).first; part != kNone) copy(part, out, kRoot);
    return out;
  }

 private:
  static constexpr Part kNone = static_cast<Part>(-1);
  struct Place {
    int line = 0;  // 0: not known
    int column = 0;
  };
  struct Entry {
    std::string token = {};
    Place value = {};
    Place key = {};
    Part first = kRoot;  // of the parts below; the root is below nothing
    Part last = kRoot;
    Part next = kRoot;
  };

  [[nodiscard]] diag::Position at(Place place) const {
    if (place.line == 0) return {};
    return {file_, place.line, place.column};
  }

  [[nodiscard]] Part find(Part parent, std::string_view token) const {
    Part found = kNone;
    for (Part i = parts_[parent].first; i != kRoot; i = parts_[i].next) {
      if (parts_[i].token == token) found = i;
    }
    return found;
  }

  /// The part at `pointer`, kNone if there is none, and the last known place on the way.
  [[nodiscard]] std::pair<Part, Place> nearest(std::string_view pointer) const {
    Part part = kRoot;
    Place near = parts_[kRoot].value;
    while (!pointer.empty() && part != kNone) {
      pointer.remove_prefix(1);
      const std::string_view token = pointer.substr(0, pointer.find('/'));
      pointer.remove_prefix(token.size());
      part = find(part, token);
      if (part != kNone && parts_[part].value.line != 0) near = parts_[part].value;
    }
    return {part, near};
  }

  void copy(Part from, Positions& to, Part into) const {
    to.parts_[into].value = parts_[from].value;
    to.parts_[into].key = parts_[from].key;
    for (Part i = parts_[from].first; i != kRoot; i = parts_[i].next) {
      copy(i, to, to.add(into, parts_[i].token));
    }
  }

  std::string file_;
  std::vector<Entry> parts_{Entry{}};
};

}  // namespace tiphys::spec
