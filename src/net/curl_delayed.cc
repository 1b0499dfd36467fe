// libcurl's functions, as <curl/curl.h> declares them, forwarded to the library at the first call.
//
// Why: libcurl brings 30 more libraries (Kerberos, LDAP, two TLS stacks), and loading them is most
// of the start-up of a program that often sends nothing. The library is the system's own,
// libcurl.so.4, whose interface does not change within that number. Thread-safe.
#define CURL_DISABLE_TYPECHECK  // its macros would stand in for the functions defined here
#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr const char* kLibrary = "libcurl.so.4";

// An installation without it cannot send anything: there is nothing to go on with.
[[noreturn]] void give_up() {
  std::fprintf(stderr, "tiphys: %s cannot be loaded: %s\n", kLibrary, ::dlerror());
  std::exit(1);
}

void* symbol(const char* name) {
  static void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  void* const found = library == nullptr ? nullptr : ::dlsym(library, name);
  if (found == nullptr) give_up();
  return found;
}

// Calls `function` of the library with an option's one argument: its type follows from its number.
template <typename Function, typename Handle, typename Option>
auto set_option(Function function, Handle handle, Option option, va_list& arguments) {
  const int kind = static_cast<int>(option) / 10000 * 10000;
  if (kind == CURLOPTTYPE_LONG) return function(handle, option, va_arg(arguments, long));
  if (kind == CURLOPTTYPE_OFF_T) return function(handle, option, va_arg(arguments, curl_off_t));
  return function(handle, option, va_arg(arguments, void*));
}

}  // namespace

// NAME(RESULT, NAME, (PARAMETERS), (ARGUMENTS)): a function of the library under its own name.
#define TIPHYS_FORWARD(result, name, parameters, arguments)                         \
  extern "C" result name parameters {                                               \
    static auto* const function = reinterpret_cast<decltype(&name)>(symbol(#name)); \
    return function arguments;                                                      \
  }

TIPHYS_FORWARD(CURLcode, curl_global_init, (long flags), (flags))
TIPHYS_FORWARD(CURL*, curl_easy_init, (), ())
TIPHYS_FORWARD(void, curl_easy_cleanup, (CURL * easy), (easy))
TIPHYS_FORWARD(void, curl_easy_reset, (CURL * easy), (easy))
TIPHYS_FORWARD(CURLcode, curl_easy_perform, (CURL * easy), (easy))
TIPHYS_FORWARD(const char*, curl_easy_strerror, (CURLcode code), (code))
TIPHYS_FORWARD(void, curl_free, (void* memory), (memory))
TIPHYS_FORWARD(CURLM*, curl_multi_init, (), ())
TIPHYS_FORWARD(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))
TIPHYS_FORWARD(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL* easy), (multi, easy))
TIPHYS_FORWARD(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL* easy), (multi, easy))
TIPHYS_FORWARD(CURLMcode, curl_multi_assign, (CURLM * multi, curl_socket_t fd, void* data),
               (multi, fd, data))
TIPHYS_FORWARD(CURLMcode, curl_multi_socket_action,
               (CURLM * multi, curl_socket_t fd, int events, int* running),
               (multi, fd, events, running))
TIPHYS_FORWARD(CURLMsg*, curl_multi_info_read, (CURLM * multi, int* left), (multi, left))
TIPHYS_FORWARD(curl_slist*, curl_slist_append, (curl_slist * list, const char* text), (list, text))
TIPHYS_FORWARD(void, curl_slist_free_all, (curl_slist * list), (list))
TIPHYS_FORWARD(CURLU*, curl_url, (), ())
TIPHYS_FORWARD(void, curl_url_cleanup, (CURLU * url), (url))
TIPHYS_FORWARD(CURLUcode, curl_url_get, (CURLU * url, CURLUPart what, char** part, unsigned flags),
               (url, what, part, flags))
TIPHYS_FORWARD(CURLUcode, curl_url_set,
               (CURLU * url, CURLUPart what, const char* part, unsigned flags),
               (url, what, part, flags))

extern "C" CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  static auto* const function =
      reinterpret_cast<decltype(&curl_easy_setopt)>(symbol("curl_easy_setopt"));
  va_list arguments;
  va_start(arguments, option);
  const CURLcode code = set_option(function, easy, option, arguments);
  va_end(arguments);
  return code;
}

extern "C" CURLMcode curl_multi_setopt(CURLM* multi, CURLMoption option, ...) {
  static auto* const function =
      reinterpret_cast<decltype(&curl_multi_setopt)>(symbol("curl_multi_setopt"));
  va_list arguments;
  va_start(arguments, option);
  const CURLMcode code = set_option(function, multi, option, arguments);
  va_end(arguments);
  return code;
}

extern "C" CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  static auto* const function =
      reinterpret_cast<decltype(&curl_easy_getinfo)>(symbol("curl_easy_getinfo"));
  va_list arguments;
  va_start(arguments, info);
  const CURLcode code = function(easy, info, va_arg(arguments, void*));  // always a pointer
  va_end(arguments);
  return code;
}
