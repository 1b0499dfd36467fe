#!/bin/sh
# Runs the example pods, as the user that may only handle pods in one namespace, and says whether each did what it is there for.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${K8S_DIR:-${TMPDIR:-/tmp}/k8s-node}
failed=0

k() { "${K8S_BIN:-$here/../../build-kubernetes/k8s}" kubectl --kubeconfig "$dir/engine.kubeconfig" "$@"; }

# expect NAME WANTED GOT
expect() {
  if [ "$2" = "$3" ]; then echo "ok: $1"; else
    echo "not ok: $1: wanted '$2', got '$3'"
    failed=1
  fi
}

state() { k get pod "$1" -o 'jsonpath={.status.phase} {.status.reason} {.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode}' | tr -s ' '; }
until_phase() { k wait "pod/$1" "--for=jsonpath={.status.phase}=$2" --timeout=60s > /dev/null; }
output() { k logs "$1" | tr '\n' ' '; }
unfinalize() { k patch pod "$1" --type merge -p '{"metadata":{"finalizers":null}}' > /dev/null; }

for pod in "$here"/pods/*.yaml; do k create -f "$pod" > /dev/null; done

for pod in echo init limits host-network finalizer; do until_phase $pod Succeeded; done
expect 'logs' 'hello ' "$(output echo)"
expect 'an init container hands a file over in an emptyDir' 'from the init container ' "$(output init)"
expect 'limits of memory and CPU' '67108864 25000 ' "$(output limits)"
expect 'host network' 1 "$(k logs host-network | grep -c 127.0.0.1)"

for pod in exit oom deadline; do until_phase $pod Failed; done
expect 'exit code' 'Failed Error 3' "$(state exit)"
# The two are read by two threads: their order is open.
expect 'both outputs are in the logs' 'to stderr to stdout ' "$(k logs exit | sort | tr '\n' ' ')"
expect 'OOM kill' 'Failed OOMKilled 137' "$(state oom)"
expect 'deadline' 'Failed DeadlineExceeded' "$(state deadline | cut -d' ' -f1-2)"
expect 'image that is not there' 'Pending ErrImageNeverPull' \
  "$(k get pod pull -o 'jsonpath={.status.phase} {.status.containerStatuses[0].state.waiting.reason}')"

k delete pod finalizer --wait=false > /dev/null
sleep 1
expect 'a finalizer keeps a deleted pod' 'Succeeded Completed 0' "$(state finalizer)"
unfinalize finalizer
expect 'until it is taken off' '' "$(k get pod finalizer --ignore-not-found -o name)"

for pod in grace stubborn; do
  until_phase $pod Running
  until [ "$(k logs $pod)" = ready ]; do sleep 0.2; done
done
k logs --follow grace > "$dir/log/grace.out" &
k delete pod grace --wait=false > /dev/null
wait
expect 'SIGTERM on delete, followed logs to their end' 'ready goodbye ' "$(tr '\n' ' ' < "$dir/log/grace.out")"
until_phase grace Failed
expect 'exit code after SIGTERM' 'Failed Error 7' "$(state grace)"
unfinalize grace

before=$(date +%s)
k delete pod stubborn > /dev/null
took=$(($(date +%s) - before))
expect 'SIGKILL after the grace period' yes "$([ $took -ge 2 ] && [ $took -le 5 ] && echo yes || echo "$took s")"

expect 'no rights elsewhere' no "$(k auth can-i list pods --namespace default || :)"
k delete pods --all --now > /dev/null
expect 'nothing left' '' "$(k get pods -o name)"
exit $failed
