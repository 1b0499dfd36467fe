// A row of values whose number is known when it is made, usually small: the first few are part of
// the object, so that most calls allocate nothing.
//
// Pure. Cannot be copied: spans of it point into it.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace tiphys::expr {

template <typename T, std::size_t kInside>
class Few {
 public:
  explicit Few(std::size_t size = 0) { resize(size); }
  Few(const Few&) = delete;
  Few& operator=(const Few&) = delete;

  /// All values are fresh afterwards.
  void resize(std::size_t size) {
    size_ = size;
    if (size > kInside) outside_.resize(size);
  }
  [[nodiscard]] std::span<T> all() {
    return {size_ > kInside ? outside_.data() : inside_.data(), size_};
  }
  [[nodiscard]] const T& operator[](std::size_t i) const {
    return size_ > kInside ? outside_[i] : inside_[i];
  }

 private:
  std::size_t size_ = 0;
  std::array<T, kInside> inside_ = {};
  std::vector<T> outside_;
};

}  // namespace tiphys::expr
