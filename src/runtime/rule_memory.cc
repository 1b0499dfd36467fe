#include "runtime/rule_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "value/json.h"

namespace tiphys::runtime {

diag::Result<value::Value> StoredRuleMemory::recall(const std::string& rule,
                                                    const std::string& key) {
  if (const auto found = changed_.find({rule, key}); found != changed_.end()) {
    return found->second.first;
  }
  TRY_VOID(lock());
  TRY(const auto row, store_.find_rule_memory(rule, key));
  if (!row) return value::Value();
  return value::parse_json(row->json);
}

void StoredRuleMemory::keep(const std::string& rule, const std::string& key, value::Value v,
                            clock::Instant due_at) {
  changed_.insert_or_assign({rule, key}, std::pair(std::move(v), due_at));
}

diag::Result<void> StoredRuleMemory::lock() {
  if (lock_ >= 0) return {};
  const int fd = ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot open '{}': {}", lock_path_, std::strerror(errno)));
  }
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(fd);
    return diag::fail(diag::Code::kIo,
                      fmt::format("cannot lock '{}': {}", lock_path_, std::strerror(error)));
  }
  lock_ = fd;
  return {};
}

void StoredRuleMemory::unlock() {
  if (lock_ >= 0) ::close(lock_);
  lock_ = -1;
}

void StoredRuleMemory::collect(store::Batch& batch, clock::Instant now) {
  for (auto& [name, kept] : changed_) {
    batch.rule_memory.push_back(
        {.rule = name.first,
         .key = name.second,
         .json = kept.first.is_null()
                     ? ""
                     : value::to_json(kept.first, {.key_order = value::KeyOrder::kAsGiven}),
         .due_at = kept.second,
         .changed_at = now});
  }
  changed_.clear();
}

}  // namespace tiphys::runtime
