#include "store/libpq.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace tiphys::store {

namespace {

constexpr const char* kLibrary = "libpq.so.5";

diag::Result<Libpq> load() {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return diag::fail(
        diag::Code::kIo,
        fmt::format("a PostgreSQL store needs {} (on Debian: apt-get install libpq5): "
                    "{}",
                    kLibrary, why == nullptr ? "it cannot be loaded" : why));
  }
  Libpq out;
  const char* missing = nullptr;
#define TIPHYS_LIBPQ_LOAD(function)                                                     \
  out.function = reinterpret_cast<decltype(out.function)>(::dlsym(library, #function)); \
  if (out.function == nullptr) missing = #function;
  TIPHYS_LIBPQ_FUNCTIONS(TIPHYS_LIBPQ_LOAD)
#undef TIPHYS_LIBPQ_LOAD
  if (missing == nullptr) return out;
  return diag::fail(diag::Code::kIo,
                    fmt::format("{} has no {}: a PostgreSQL store needs version 14 of it or newer",
                                kLibrary, missing));
}

}  // namespace

diag::Result<const Libpq*> libpq() {
  static const diag::Result<Libpq> loaded = load();
  if (!loaded) return std::unexpected(loaded.error());
  return &*loaded;
}

}  // namespace tiphys::store
