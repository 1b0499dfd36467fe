#!/usr/bin/env bash
# clang-format (nothing may differ) and clang-tidy (every finding is an error) over the sources.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

mapfile -t files < <(find src test fuzz bench -name '*.h' -o -name '*.cc')
if ! printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 20 clang-format-19 --dry-run -Werror; then
  echo "clang-format: run 'make format'" >&2
  failed=1
fi
# One file is included that only the build makes.
cmake --preset dev >/dev/null && ninja -C build-dev embedded/blank_store.inc >/dev/null &&
  /usr/bin/python3 tools/tidy.py build-dev || failed=1
[ $failed = 0 ] && echo "lint: ${#files[@]} files are clean"
exit $failed
