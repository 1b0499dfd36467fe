// What the machine allows: COUNT times `posix_spawn` of a command and wait, IN_FLIGHT of them at
// once.
//
//   spawn_loop COUNT IN_FLIGHT COMMAND...
// Prints the seconds that it took. bench/bench.py sets the engine against it.
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

extern char** environ;  // NOLINT: posix_spawn wants it

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: spawn_loop COUNT IN_FLIGHT COMMAND...\n");
    return 2;
  }
  const int count = std::atoi(argv[1]);
  const int in_flight = std::atoi(argv[2]);
  const auto start = std::chrono::steady_clock::now();
  int started = 0;
  int ended = 0;
  while (ended < count) {
    while (started < count && started - ended < in_flight) {
      pid_t pid = -1;
      if (::posix_spawnp(&pid, argv[3], nullptr, nullptr, argv + 3, environ) != 0) return 1;
      ++started;
    }
    int status = 0;
    if (::wait(&status) < 0 || status != 0) return 1;
    ++ended;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%.6f\n", took.count());
  return 0;
}
