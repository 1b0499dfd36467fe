#!/bin/sh
# The node: runs as the first process of its own process and mount namespaces, so that its end is the end of
# every process and mount below it. Called by up.sh with K8S_DIR, K8S_NAME, K8S_PORT and K8S_BIN set.
set -eu

# Everything that is written to a well-known path lands in K8S_DIR, and the host keeps its own.
mount --bind "$K8S_DIR/lib" /var/lib
mount --bind "$K8S_DIR/log" /var/log
mount -t tmpfs tmpfs /run
cd /var/lib/kubernetes

# The kubelet and the bridge plugin set these; here they only seem to, and the host keeps its own.
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1 net/ipv4/ip_forward=1; do
  file=$(mktemp -p /run)
  echo "${setting#*=}" > "$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

# run NAME COMMAND...: keeps a part running; one that ends, or that kill.sh ends, is started again.
run() {
  name=$1
  shift
  while :; do
    "$@" >> "/var/log/$name.log" 2>&1 < /dev/null &
    echo $! > "/run/$name.pid"
    wait $! || :
    sleep 0.5
  done &
}

etcd=http://127.0.0.1:$((K8S_PORT + 1))
peer=http://127.0.0.1:$((K8S_PORT + 2))

run registry /usr/bin/python3 -B registry.py images "$((K8S_PORT + 4))"

run containerd containerd --config containerd.toml

run etcd "$K8S_BIN" etcd --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn \
  --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
  --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"

run apiserver "$K8S_BIN" apiserver --etcd-servers "$etcd" \
  --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port "$K8S_PORT" --endpoint-reconciler-type none \
  --tls-cert-file server.crt --tls-private-key-file server.key --client-ca-file ca.crt \
  --kubelet-client-certificate client.crt --kubelet-client-key client.key --kubelet-certificate-authority ca.crt \
  --kubelet-preferred-address-types Hostname \
  --service-account-issuer https://kubernetes.default.svc --service-account-signing-key-file sa.key --service-account-key-file sa.pub \
  --token-auth-file tokens.csv --authorization-mode Node,RBAC --anonymous-auth=false \
  --service-cluster-ip-range 10.96.0.0/24 --allow-privileged

run controller-manager "$K8S_BIN" controller-manager --kubeconfig controller-manager.kubeconfig --leader-elect=false --secure-port 0 \
  --service-account-private-key-file sa.key --root-ca-file ca.crt --use-service-account-credentials \
  --flex-volume-plugin-dir /var/lib/kubelet/volume-plugins \
  --kube-api-qps 500 --kube-api-burst 1000

run scheduler "$K8S_BIN" scheduler --kubeconfig scheduler.kubeconfig --leader-elect=false --secure-port 0 \
  --kube-api-qps 500 --kube-api-burst 1000

until ctr version > /dev/null 2>&1; do sleep 0.1; done
tar -cf images.tar -C images .
ctr -n k8s.io images import images.tar
rm images.tar

run kubelet "$K8S_BIN" kubelet --config kubelet.yaml --kubeconfig kubelet.kubeconfig --root-dir /var/lib/kubelet \
  --hostname-override localhost --node-ip "$K8S_NODE_IP"

# As the first process it also reaps whatever is orphaned to it.
while :; do wait || :; done
