#include "runtime/inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "diag/error.h"

namespace tiphys::runtime {

Inbox::Inbox() : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(event_fd_ >= 0); }
Inbox::~Inbox() { close(event_fd_); }

void Inbox::post(Message message) {
  bool was_empty = false;
  {
    const std::scoped_lock lock(mutex_);
    was_empty = messages_.empty();
    messages_.push_back(std::move(message));
  }
  if (was_empty) wake();
}

void Inbox::wake() const {
  const std::uint64_t one = 1;
  // A full counter means that the loop is going to wake anyway.
  [[maybe_unused]] const auto n = write(event_fd_, &one, sizeof one);
}

std::vector<Message> Inbox::take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = read(event_fd_, &count, sizeof count);
  const std::scoped_lock lock(mutex_);
  std::vector<Message> taken;
  taken.swap(messages_);
  return taken;
}

}  // namespace tiphys::runtime
