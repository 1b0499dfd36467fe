#!/bin/sh
# Installs the Debian packages and builds the one Kubernetes binary out of the Go module proxy.
# K8S_BIN: where the binary goes (default: build-kubernetes/k8s in the project's folder). One that is there stays, unless
# the sums beside it tell that it was built of other sources; times of files would tell nothing in a fresh clone.
set -eu
cd "$(dirname "$0")"
out=${K8S_BIN:-$(cd ../.. && pwd)/build-kubernetes/k8s}
../../tools/install_packages.sh kubernetes
sums=$(sha256sum main.go go.mod go.sum)
if [ -x "$out" ] && [ "$(cat "$out.sums" 2>/dev/null || echo "$sums")" = "$sums" ]; then exit; fi
PATH=$PATH:/usr/local/go/bin
command -v go > /dev/null || { echo 'build.sh: no go (1.25 or newer)' >&2; exit 1; }
mkdir -p "$(dirname "$out")"
v=$(sed -n 's|^.*k8s.io/kubernetes \(v[0-9.]*\)$|\1|p' go.mod)
x=k8s.io/component-base/version
minor=${v#v1.}
# Built beside its place: what is there is always whole.
CGO_ENABLED=0 go build -o "$out.new" -ldflags "-s -w -X $x.gitVersion=$v -X $x.gitMajor=1 -X $x.gitMinor=${minor%%.*} -X $x.gitTreeState=clean" .
mv "$out.new" "$out"
echo "$sums" > "$out.sums"
