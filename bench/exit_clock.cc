// A step that knows when it ends: writes CLOCK_REALTIME in nanoseconds to FILE as its last act.
//
//   exit_clock FILE
// What the kernel does after that is part of what bench/hook_rows.py measures.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int file = ::open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return 1;
  char text[32];
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const int size = std::snprintf(text, sizeof text, "%lld%09ld", static_cast<long long>(now.tv_sec),
                                 now.tv_nsec);
  const bool is_written = ::write(file, text, static_cast<std::size_t>(size)) == size;
  ::_exit(is_written ? 0 : 1);
}
