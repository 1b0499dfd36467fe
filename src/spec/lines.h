// Where the lines of a text begin, to tell the place of a byte. Pure. Immutable, so it may be
// shared between threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace tiphys::spec {

class Lines {
 public:
  /// The lines of `text`, of which the first one has the number `first`.
  Lines(std::string_view text, int first) : first_(first) {
    starts_.reserve(text.size() / 24);  // as lines of manifests have
    for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1)) {
      starts_.push_back(i + 1);
    }
  }

  /// Line and column of a byte.
  [[nodiscard]] std::pair<int, int> place_of(std::size_t offset) const {
    const auto next = std::ranges::upper_bound(starts_, offset);
    const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
    return {first_ + static_cast<int>(line), static_cast<int>(offset - starts_[line]) + 1};
  }

 private:
  int first_;
  std::vector<std::size_t> starts_{0};
};

}  // namespace tiphys::spec
