// The nodes of a workflow, by number.
//
// References to nodes stay valid when more are made, and finding one of a million is two loads: a
// std::deque keeps two nodes a block and divides. Pure data.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/node.h"

namespace tiphys::engine {

class NodeList {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Requires i < size().
  [[nodiscard]] Node& operator[](std::size_t i) { return blocks_[i / kBlock][i % kBlock]; }
  [[nodiscard]] const Node& operator[](std::size_t i) const {
    return blocks_[i / kBlock][i % kBlock];
  }
  /// Adds a node, whose number is the size() of before.
  Node& emplace_back() {
    if (size_ == blocks_.size() * kBlock) blocks_.push_back(std::make_unique<Node[]>(kBlock));
    return (*this)[size_++];
  }
  void clear() {
    blocks_.clear();
    size_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 16;  // most workflows are small

  std::vector<std::unique_ptr<Node[]>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace tiphys::engine
