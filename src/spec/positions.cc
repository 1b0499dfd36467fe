#include "spec/positions.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace tiphys::spec {

namespace {

constexpr std::size_t kManyParts = 64;

/// The number that an index of a list is written as; nullopt for anything else.
std::optional<std::size_t> index_of(std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  if (token.size() > 1 && token.front() == '0') return std::nullopt;
  return index;
}

}  // namespace

void Positions::index() {
  for (Part parent = kRoot; parent < parts_.size(); ++parent) {
    std::size_t count = 0;
    for (Part i = parts_[parent].first; i != kRoot; i = parts_[i].next) ++count;
    if (count < kManyParts) continue;
    Crowd crowd{.is_list = true, .parts = {}};
    crowd.parts.reserve(count);
    for (Part i = parts_[parent].first; i != kRoot; i = parts_[i].next) {
      crowd.is_list = crowd.is_list && index_of(token_of(i)) == crowd.parts.size();
      crowd.parts.push_back(i);
    }
    if (!crowd.is_list) {
      std::ranges::stable_sort(crowd.parts, {}, [this](Part i) { return token_of(i); });
    }
    crowds_.emplace(parent, std::move(crowd));
  }
}

Positions::Part Positions::find(const Crowd& crowd, std::string_view token) const {
  if (crowd.is_list) {
    const auto index = index_of(token);
    return index && *index < crowd.parts.size() ? crowd.parts[*index] : kNone;
  }
  const auto range =
      std::ranges::equal_range(crowd.parts, token, {}, [this](Part i) { return token_of(i); });
  return range.empty() ? kNone : range.back();
}

}  // namespace tiphys::spec
