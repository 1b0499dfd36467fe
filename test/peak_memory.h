// How much memory a test takes: counts what `new` gives out.
//
// Replaces the operators, so only one file of a test program may include it.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace tiphys::test {

inline std::atomic<std::size_t> live_bytes = 0;
inline std::atomic<std::size_t> peak_bytes = 0;

/// The most bytes that were in use at once while `work` ran, beside those from before.
template <typename Work>
std::size_t peak_memory(Work work) {
  const std::size_t before = live_bytes;
  peak_bytes = before;
  work();
  return peak_bytes - before;
}

inline void* counted(void* memory) {
  if (memory == nullptr) std::abort();
  live_bytes += malloc_usable_size(memory);
  peak_bytes = std::max<std::size_t>(peak_bytes, live_bytes);
  return memory;
}

inline void uncount(void* memory) {
  if (memory == nullptr) return;
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace tiphys::test

void* operator new(std::size_t size) { return tiphys::test::counted(std::malloc(size)); }
void* operator new[](std::size_t size) { return tiphys::test::counted(std::malloc(size)); }
// The library asks without exceptions for buffers of its sorts.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return tiphys::test::counted(std::malloc(size));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return tiphys::test::counted(std::malloc(size));
}
void operator delete(void* memory) noexcept { tiphys::test::uncount(memory); }
void operator delete[](void* memory) noexcept { tiphys::test::uncount(memory); }
void operator delete(void* memory, std::size_t) noexcept { tiphys::test::uncount(memory); }
void operator delete[](void* memory, std::size_t) noexcept { tiphys::test::uncount(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  tiphys::test::uncount(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  tiphys::test::uncount(memory);
}
