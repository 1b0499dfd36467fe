#include "engine/node.h"

#include <utility>

namespace tiphys::engine {

const value::Value& SharedValue::get() const {
  static const value::Value kNull;
  return v_ ? *v_ : kNull;
}

const Rare& Node::rare() const {
  static const Rare kNone;
  return rare_ ? *rare_ : kNone;
}

Rare& Node::rare_to_change() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

namespace {
const std::string kNothing;
}

const std::string& Node::kill_message() const {
  const LiveRare* rare = live_ ? live_->rare_or_null() : nullptr;
  return rare != nullptr ? rare->kill_message : kNothing;
}

const std::string& Node::hook_error() const {
  const LiveRare* rare = live_ ? live_->rare_or_null() : nullptr;
  return rare != nullptr ? rare->hook_error : kNothing;
}

const std::string& Node::waits_for_lock() const {
  const LiveRare* rare = live_ ? live_->rare_or_null() : nullptr;
  return rare != nullptr ? rare->waits_for_lock : kNothing;
}

void Node::set_waits_for_lock(std::string lock) {
  if (!lock.empty() || !waits_for_lock().empty()) live().rare().waits_for_lock = std::move(lock);
}

void Node::settle_down(bool keeps_body) {
  if (!live_) return;
  auto kept = keeps_body ? std::move(live_->body) : nullptr;
  live_.reset();
  if (kept) live().body = std::move(kept);
}

void Node::set_message(std::string text) {
  if (rare_ || !text.empty()) rare_to_change().message = std::move(text);
}

void Node::set_display_name(std::string text) {
  if (rare_ || !text.empty()) rare_to_change().display_name = std::move(text);
}

void Node::set_memoization(value::Value v) {
  if (rare_ || !v.is_null()) rare_to_change().memoization = std::move(v);
}

void Node::set_outbound(std::vector<NodeIndex> nodes) {
  if (rare_ || !nodes.empty()) rare_to_change().outbound = std::move(nodes);
}

}  // namespace tiphys::engine
