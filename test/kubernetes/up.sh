#!/bin/sh
# Starts a single-node Kubernetes, waits until it has run a pod, and prints the path of its kubeconfig as the last line.
# Where it already runs, it only prints. As root.
#   K8S_DIR   state folder, new or made by this script (default: k8s-node under TMPDIR or /tmp); not below /run, /var/lib or /var/log
#   K8S_PORT  port of the API on 127.0.0.1 (default 16443); the next four are used too
#   K8S_NET   first three bytes of the pods' network (default 10.244.0)
#   K8S_BIN   the binary that build.sh made (default: build-kubernetes/k8s in the project's folder)
#   STEP_BINARY, K8S_IMAGES  see images.py
set -eu
here=$(cd "$(dirname "$0")" && pwd)
export K8S_DIR="${K8S_DIR:-${TMPDIR:-/tmp}/k8s-node}"
export K8S_PORT="${K8S_PORT:-16443}"
export K8S_BIN="${K8S_BIN:-$here/../../build-kubernetes/k8s}"
export K8S_NAME="k8s-$K8S_PORT"
net=${K8S_NET:-10.244.0}
export K8S_NODE_IP="$net.1"
start=$(date +%s%N)

say() {
  tenths=$((($(date +%s%N) - start) / 100000000))
  echo "$((tenths / 10)).$((tenths % 10)) s: $1" >&2
}

fail() {
  echo "up.sh: $1" >&2
  exit 1
}

alive() { kill -0 "$(cat "$K8S_DIR/pid" 2>/dev/null)" 2>/dev/null; }

if alive && [ -f "$K8S_DIR/ready" ]; then
  say 'already up'
  echo "$K8S_DIR/admin.kubeconfig"
  exit
fi
K8S_KEEP= "$here/down.sh"
[ -x "$K8S_BIN" ] || fail "$K8S_BIN is not there: run build.sh"
[ -z "$(ls -A "$K8S_DIR" 2>/dev/null)" ] || fail "$K8S_DIR holds something else"

mkdir -p "$K8S_DIR"
chmod 700 "$K8S_DIR"
K8S_DIR=$(cd "$K8S_DIR" && pwd -P)
pki=$K8S_DIR/lib/kubernetes
mkdir -p "$K8S_DIR/log" "$pki" "$K8S_DIR/lib/kubelet" "$K8S_DIR/lib/cni/net.d"
echo "$K8S_NAME" > "$K8S_DIR/.k8s-node"

# Certificates: one for the servers, one by which the API server is known to the kubelet.
cd "$pki"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
# certificate NAME SUBJECT EXTENSION
certificate() {
  key "$1"
  echo "$3" > "$1.ext"
  openssl req -new -key "$1.key" -subj "$2" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
key ca
openssl req -x509 -new -key ca.key -subj /CN=k8s-ca -days 3650 -out ca.crt
certificate server /CN=localhost subjectAltName=IP:127.0.0.1,DNS:localhost
certificate client /CN=apiserver extendedKeyUsage=clientAuth
key sa
openssl ec -in sa.key -pubout -out sa.pub 2>/dev/null

# user FILE USER GROUP [NAMESPACE]: a static token and a kubeconfig that holds it.
user() {
  token=$(openssl rand -hex 16)
  echo "$token,$2,$2,$3" >> tokens.csv
  cat > "$1.kubeconfig" <<EOT
apiVersion: v1
kind: Config
current-context: k8s
clusters: [{name: k8s, cluster: {server: "https://127.0.0.1:$K8S_PORT", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: "$2", user: {token: $token}}]
contexts: [{name: k8s, context: {cluster: k8s, user: "$2", namespace: ${4:-default}}}]
EOT
}
user controller-manager system:kube-controller-manager ''
user scheduler system:kube-scheduler ''
user kubelet system:node:localhost system:nodes
user "$K8S_DIR/engine" system:serviceaccount:steps:engine system:serviceaccounts steps
user "$K8S_DIR/admin" admin system:masters

# Configuration and images.
fill() { sed -e "s/@NAME@/$K8S_NAME/; s/@SUBNET@/$net/; s/@KUBELET_PORT@/$((K8S_PORT + 3))/" "$here/$1" > "$2"; }
fill containerd.toml containerd.toml
fill kubelet.yaml kubelet.yaml
fill cni.conflist ../cni/net.d/pods.conflist
/usr/bin/python3 -B "$here/images.py" "$pki/images"
mkdir -p "$pki/certs.d/_default"
registry=http://127.0.0.1:$((K8S_PORT + 4))
printf 'server = "%s"\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$registry" "$registry" > "$pki/certs.d/_default/hosts.toml"
cp "$here/registry.py" "$pki/registry.py"
say 'certificates and images made'

# The pods' bridge: it gives the node an address that is not a loopback one.
ip link add "$K8S_NAME" type bridge
ip addr add "$K8S_NODE_IP/24" dev "$K8S_NAME"
ip link set "$K8S_NAME" up

# The pods' cgroup, in each hierarchy.
for root in /sys/fs/cgroup/*/; do
  [ -e "$root/cgroup.procs" ] || continue
  mkdir -p "$root$K8S_NAME"
  for f in cpuset.cpus cpuset.mems; do
    [ ! -e "$root$f" ] || cat "$root$f" > "$root$K8S_NAME/$f"
  done
done

setsid unshare --mount --pid --fork --mount-proc --kill-child "$here/node.sh" > "$K8S_DIR/log/node.log" 2>&1 < /dev/null &
echo $! > "$K8S_DIR/pid"

# await TEXT COMMAND...: runs the command until it succeeds.
await() {
  text=$1 left=900
  shift
  until "$@" > "$K8S_DIR/log/await.log" 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] && alive || fail "gave up waiting: $text (logs: $K8S_DIR/log)"
    sleep 0.1
  done
  say "$text"
}
get() { curl -sSf --cacert "$pki/ca.crt" -H "Authorization: Bearer $token" "https://127.0.0.1:$K8S_PORT$1"; }
node_ready() { get /api/v1/nodes/localhost | tr -d ' \n' | grep -q '"type":"Ready","status":"True"'; }
pod_succeeded() { get /api/v1/namespaces/steps/pods/echo | grep -q '"phase": "Succeeded"'; }
kubectl() { "$K8S_BIN" kubectl --kubeconfig "$K8S_DIR/$1.kubeconfig" "$2" -f "$3" > "$K8S_DIR/log/await.log" 2>&1; }

await 'API ready' get /readyz
await 'namespace and rights made' kubectl admin apply "$here/rbac.yaml"
for namespace in default steps; do
  await "service account made in $namespace" get "/api/v1/namespaces/$namespace/serviceaccounts/default"
done
await 'node ready' node_ready
await 'pod made' kubectl engine apply "$here/pods/echo.yaml"
await 'pod succeeded' pod_succeeded
kubectl engine delete "$here/pods/echo.yaml"
: > "$K8S_DIR/ready"
echo "$K8S_DIR/admin.kubeconfig"
