#include "runtime/limits.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace tiphys::runtime {

diag::Result<std::int64_t> number_from_environment(const char* name, std::int64_t least,
                                                   std::int64_t most, std::int64_t otherwise) {
  const char* const text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  char* end = nullptr;
  errno = 0;
  const std::int64_t n = std::strtoll(text, &end, 10);
  if (*end != '\0' || errno != 0 || n < least || n > most) {
    return diag::fail(diag::Code::kIo, fmt::format("{} is '{}', want a number from {} to {}", name,
                                                   text, least, most));
  }
  return n;
}

}  // namespace tiphys::runtime
