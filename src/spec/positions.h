// Where each part of a manifest stands in its file, kept beside the Value so that Values stay
// small.
//
// A tree like the document's own: a place costs no more than its own name. Pure. Immutable after
// loading; may be shared between threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diag/position.h"
#include "spec/lines.h"

namespace tiphys::spec {

/// Positions by JSON pointer (`/spec/templates/0/steps/0/0/hooks/running/expression`).
class Positions {
 public:
  /// A part of the document while its positions are collected.
  using Part = std::uint32_t;
  static constexpr Part kRoot = 0;

  /// `lines`: of the text whose offsets will be set; without them no place is known.
  explicit Positions(std::string file = "", std::shared_ptr<const Lines> lines = nullptr)
      : file_(std::move(file)), lines_(std::move(lines)) {}

  /// Makes room for about so many parts.
  void reserve(std::size_t parts) {
    parts_.reserve(parts);
    tokens_.reserve(parts * 8);
  }
  /// The part that `token`, escaped as in a pointer, leads to from `parent`. Of two with the same
  /// token the later one is found.
  Part add(Part parent, std::string_view token) {
    const auto part = static_cast<Part>(parts_.size());
    parts_.push_back({.token = static_cast<Offset>(tokens_.size()),
                      .token_size = static_cast<Offset>(token.size())});
    tokens_ += token;
    Entry& above = parts_[parent];
    (above.first == kRoot ? above.first : parts_[above.last].next) = part;
    above.last = part;
    return part;
  }
  /// Remembers where the value of a part begins. For a scalar: its first character inside quotes.
  void set_value(Part part, std::size_t at) { parts_[part].value = static_cast<Offset>(at); }
  /// Remembers where the key that leads to a part begins.
  void set_key(Part part, std::size_t at) { parts_[part].key = static_cast<Offset>(at); }

  /// To be called when all parts are added: makes long lists and maps quick to look into.
  void index();

  /// The position of the value at `pointer`, or of its nearest known ancestor.
  [[nodiscard]] diag::Position value(std::string_view pointer) const {
    return at(nearest(pointer).second);
  }
  /// The position of the key of `pointer`, or of the nearest known ancestor's value.
  [[nodiscard]] diag::Position key(std::string_view pointer) const {
    const auto [part, near] = nearest(pointer);
    const bool has_key = part != kNone && parts_[part].key != kNowhere;
    return at(has_key ? parts_[part].key : near);
  }
  /// The positions of what stands below `pointer`, which becomes the root.
  [[nodiscard]] Positions below(std::string_view pointer) const {
    Positions out(file_, lines_);
    if (const Part part = nearest(pointer).first; part != kNone) copy(part, out, kRoot);
    out.index();
    return out;
  }

 private:
  static constexpr Part kNone = static_cast<Part>(-1);
  using Offset = std::uint32_t;
  static constexpr Offset kNowhere = static_cast<Offset>(-1);
  struct Entry {
    Offset token = 0;  // in tokens_: a string for each would cost as much as the rest
    Offset token_size = 0;
    Offset value = kNowhere;
    Offset key = kNowhere;
    Part first = kRoot;  // of the parts below; the root is below nothing
    Part last = kRoot;
    Part next = kRoot;
  };

  [[nodiscard]] diag::Position at(Offset offset) const {
    if (offset == kNowhere || !lines_) return {};
    const auto [line, column] = lines_->place_of(offset);
    return {file_, line, column};
  }

  [[nodiscard]] std::string_view token_of(Part part) const {
    return std::string_view(tokens_).substr(parts_[part].token, parts_[part].token_size);
  }

  /// The parts below one that has many: going through them for each place takes too long.
  struct Crowd {
    bool is_list = false;  // the tokens are 0, 1, 2 ...
    std::vector<Part> parts;
  };

  [[nodiscard]] Part find(Part parent, std::string_view token) const {
    if (const auto it = crowds_.find(parent); it != crowds_.end()) return find(it->second, token);
    Part found = kNone;
    for (Part i = parts_[parent].first; i != kRoot; i = parts_[i].next) {
      if (token_of(i) == token) found = i;
    }
    return found;
  }
  [[nodiscard]] Part find(const Crowd& crowd, std::string_view token) const;

  /// The part at `pointer`, kNone if there is none, and the last known place on the way.
  [[nodiscard]] std::pair<Part, Offset> nearest(std::string_view pointer) const {
    Part part = kRoot;
    Offset near = parts_[kRoot].value;
    while (!pointer.empty() && part != kNone) {
      pointer.remove_prefix(1);
      const std::string_view token = pointer.substr(0, pointer.find('/'));
      pointer.remove_prefix(token.size());
      part = find(part, token);
      if (part != kNone && parts_[part].value != kNowhere) near = parts_[part].value;
    }
    return {part, near};
  }

  void copy(Part from, Positions& to, Part into) const {
    to.parts_[into].value = parts_[from].value;
    to.parts_[into].key = parts_[from].key;
    for (Part i = parts_[from].first; i != kRoot; i = parts_[i].next) {
      copy(i, to, to.add(into, token_of(i)));
    }
  }

  std::string file_;
  std::shared_ptr<const Lines> lines_;
  std::vector<Entry> parts_{Entry{}};
  std::string tokens_;
  std::map<Part, Crowd> crowds_;
};

}  // namespace tiphys::spec
