// The one program of an image without a shell: greets its arguments, says who it is, ends with the last one's number.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) printf("hello %s\n", argv[i]);
  printf("uid %d\n", (int)getuid());
  return argc > 2 ? atoi(argv[argc - 1]) : 0;
}
