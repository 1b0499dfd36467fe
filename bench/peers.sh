#!/usr/bin/env bash
# peers.sh FOLDER: installs the engines that bench/bench.py compares with into FOLDER (build/peers):
# Luigi, Snakemake and Prefect by pip into an environment of each, Dagu by `go install` where go is.
# With DAGU_SOURCE=FOLDER Dagu is built from a checkout, for where its module cannot be had.
# What cannot be had is named and left out.
set -uo pipefail

folder=${1:?usage: peers.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

for peer in luigi==3.8.1 snakemake==9.27.1 prefect==3.8.8; do
  name=${peer%%==*}
  [ -x "$folder/$name/bin/$name" ] && continue
  needs=()
  [ "$name" != prefect ] || needs=('fastapi<0.145')  # later ones refuse arguments that it gives
  if python3 -m venv "$folder/$name" && "$folder/$name/bin/pip" install -q "$peer" "${needs[@]}" >"$folder/$name.log" 2>&1
  then echo "$name: installed"
  else echo "$name: left out, see $folder/$name.log" >&2; rm -rf "${folder:?}/$name"
  fi
done

if [ ! -x "$folder/dagu" ]; then
  if ! command -v go >/dev/null; then
    echo "dagu: left out, there is no go" >&2
  elif [ -n "${DAGU_SOURCE:-}" ] && (cd "$DAGU_SOURCE" && go build -o "$folder/dagu" ./cmd) >"$folder/dagu.log" 2>&1
  then echo "dagu: built"
  elif GOBIN=$folder go install github.com/dagu-org/dagu/cmd@latest >"$folder/dagu.log" 2>&1; then
    mv "$folder/cmd" "$folder/dagu"  # its main package is called cmd
    echo "dagu: installed"
  else
    echo "dagu: left out, see $folder/dagu.log" >&2
  fi
fi
