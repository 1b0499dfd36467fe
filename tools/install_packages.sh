#!/usr/bin/env bash
# install_packages.sh GROUP...: installs the Debian packages of the groups build, test, demo, lint and kubernetes
# that are missing. Does nothing, quickly, when all are there; needs root otherwise.
set -euo pipefail

build="g++ cmake ninja-build ccache pkg-config libyaml-dev libsimdjson-dev libsqlite3-dev
  libcurl4-openssl-dev libpq-dev libre2-dev libfmt-dev libspdlog-dev libcli11-dev
  libhowardhinnant-date-dev libssl-dev libboost1.81-dev libarchive-dev tzdata"
demo="python3 python3-aiosmtpd curl"
test="libgtest-dev libgmock-dev jq runc crun podman busybox-static
  postfix sasl2-bin libsasl2-modules openssl postgresql-15 $demo"
lint="clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev python3 git"
kubernetes="containerd runc containernetworking-plugins busybox-static iptables iproute2 conntrack
  openssl curl jq gcc libc6-dev python3"

wanted=""
for group in "$@"; do
  case $group in
    build|demo|test|lint|kubernetes) wanted+=" ${!group}" ;;
    *) echo "install_packages.sh: unknown group '$group'" >&2; exit 2 ;;
  esac
done

missing=""
for package in $wanted; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=" $package"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "these packages are missing; install them as root: apt-get install$missing" >&2
    exit 1
  }
  as_root=sudo
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# The tests start the servers that they need; none shall run as a service of the machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap '$as_root rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
  $as_root chmod +x $policy
fi
# A machine may have lists that are too old, or none: try with those there are, then with fresh ones.
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
  $as_root apt-get update -qq
  $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
