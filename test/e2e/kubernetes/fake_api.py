"""A fake Kubernetes API server over plain HTTP, for faults that a real one cannot be made to have.

It knows pods only: list (limit, continue, labelSelector), watch (resourceVersion, bookmarks, initial events), get,
create, delete, patch, log. fake_kubelet.py ends the pods. Times and limits are the test's to set; faults are told by
`fail(verb, ...)`. Everything that was asked is in `requests`."""
import base64
import collections
import copy
import http.server
import json
import pathlib
import re
import socket
import threading
import time
import uuid

from fake_faults import VERBS, Fault, Refusal
from fake_http import Handler
from fake_kubelet import FakeKubelet, main_of, now, plan_of

FIRST_VERSION = 100
NODE = "fake"


def matches(labels, selector):
    """Whether labels fit a selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, `a notin (b,c)`, joined by commas."""
    for part in re.findall(r"[^,(]+(?:\([^)]*\))?", selector or ""):
        part = part.strip()
        listed = re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", part)
        equal = re.fullmatch(r"([^=!]+?)\s*(==|=|!=)\s*([^=]*)", part)
        if listed:
            is_in = labels.get(listed[1]) in [v.strip() for v in listed[3].split(",")]
            good = is_in == (listed[2] == "in")
        elif equal:
            good = (labels.get(equal[1]) == equal[3].strip()) == (equal[2] != "!=")
        elif part.startswith("!"):
            good = part[1:] not in labels
        else:
            good = part in labels
        if not good:
            return False
    return True


def merge(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def json_patch(target, operations):
    """RFC 6902: add, replace, remove and test, on objects."""
    out = copy.deepcopy(target)
    for op in operations:
        *way, last = [w.replace("~1", "/").replace("~0", "~") for w in op["path"].split("/")[1:]]
        at = out
        for word in way:
            at = at.get(word) if isinstance(at, dict) else None
        if not isinstance(at, dict) or (op["op"] in ("replace", "remove", "test") and last not in at):
            raise Refusal(422, f"the server rejected our request: no {op['path']}")
        if op["op"] == "test" and at[last] != op["value"]:
            raise Refusal(422, f"testing value {op['path']} failed")
        if op["op"] in ("add", "replace"):
            at[last] = op["value"]
        elif op["op"] == "remove":
            del at[last]
    return out


class FakeApi:
    """Listens on 127.0.0.1 while it is used as a context.

    `planner` tells what a pod does (default: its annotations); `token`: the only one that is let in."""

    def __init__(self, planner=plan_of, token="fake", bookmark_seconds=1.0):
        self.token, self.bookmark_seconds = token, bookmark_seconds
        self.pods = {}                               # (namespace, name) -> pod
        self.events = []                             # (version, type, old pod or None, pod)
        self.version = FIRST_VERSION                 # each change makes it one more
        self.oldest = 0                              # watches from before it get 410
        self.changed = threading.Condition()
        self.requests = []
        self.made = collections.Counter()            # (namespace, name) -> times made
        self.watching = collections.Counter()        # namespace -> watches that are open
        self.watching_max = collections.Counter()
        self.faults = []
        self.bookmarks = []                          # the versions that watches were told without a change
        self.snapshots = {}                          # continue token -> (version, items left)
        self.kubelet = FakeKubelet(self.set_status, self.remove, planner)
        self.port, self.server, self.is_up, self.mistake = 0, None, False, None

    # The server.

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.kubelet.stop()
        if self.mistake:
            raise self.mistake

    def start(self):
        """Begins to listen; on the same port as before, if there was one."""
        api = self

        class Bound(Handler):
            pass
        Bound.api = api
        self.server = Server(("127.0.0.1", self.port), Bound)
        self.port, self.is_up = self.server.server_address[1], True
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        """Stops to listen and cuts all connections; the pods go on."""
        with self.changed:
            self.is_up = False
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        self.server.cut_all()

    def kubeconfig(self, path, namespace="default", token=None):
        """Writes a kubeconfig for it, and gives its path."""
        path = pathlib.Path(path)
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "engine", "user": {"token": token or self.token}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "engine", "namespace": namespace}}]}))
        return path

    # What a test says and asks.

    def fail(self, verb, **how):
        """The next requests of a verb go wrong; see Fault. Gives the fault; `clear` ends it."""
        if verb not in VERBS:
            raise ValueError(verb)
        with self.changed:
            self.faults.append(Fault(verb, **how))
            self.changed.notify_all()
            return self.faults[-1]

    def clear(self):
        """No faults any more; what hangs goes on."""
        with self.changed:
            self.faults.clear()
            self.changed.notify_all()

    def compact(self):
        """Forgets the past: a watch from an older version gets 410."""
        with self.changed:
            self.oldest = self.version

    def asked(self, verb, namespace=None):
        """The requests of a verb, in order."""
        with self.changed:
            return [r for r in self.requests if r.verb == verb and namespace in (None, r.namespace)]

    def find(self, **labels):
        """The pods that have these labels."""
        with self.changed:
            return [copy.deepcopy(p) for p in self.pods.values()
                    if labels.items() <= (p["metadata"].get("labels") or {}).items()]

    def wait(self, condition, seconds=60, what="a condition"):
        """Waits until condition(), called under the lock, gives something true; gives that."""
        end = time.monotonic() + seconds
        with self.changed:
            while not (value := condition()):
                if time.monotonic() > end:
                    raise AssertionError(f"waited {seconds} s in vain for {what}")
                self.changed.wait(0.05)
            return value

    def take_fault(self, verb):
        for fault in self.faults:
            if fault.verb != verb:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is None:
                return fault
            if fault.times > 0:
                fault.times -= 1
                return fault
        return None

    # The state.

    def put(self, kind, key, pod):
        """Notes a change; under the lock."""
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        old = self.pods.get(key)
        if kind == "DELETED":
            self.pods.pop(key, None)
        else:
            self.pods[key] = pod
        self.events.append((self.version, kind, old, pod))
        self.changed.notify_all()

    def set_status(self, key, change):
        """A report of a pod's kubelet, or of the scheduler that has no node for it."""
        with self.changed:
            pod = self.pods.get(key)
            status = pod and change(pod)
            if status:
                bound = {"nodeName": NODE} if "startTime" in status else {}
                self.put("MODIFIED", key, {**pod, "metadata": dict(pod["metadata"]), "status": status,
                                           "spec": {**pod["spec"], **bound}})

    def remove(self, key, uid=None):
        """The end of a pod, unless a finalizer keeps it."""
        with self.changed:
            pod = self.pods.get(key)
            if not pod or uid not in (None, pod["metadata"]["uid"]) or pod["metadata"].get("finalizers"):
                return
            self.put("DELETED", key, {**pod, "metadata": dict(pod["metadata"])})

    def create(self, namespace, pod):
        meta = pod.setdefault("metadata", {})
        name = meta.get("name") or (meta.get("generateName", "") + uuid.uuid4().hex[:5])
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", name):
            raise Refusal(422, f'Pod "{name}" is invalid: metadata.name: Invalid value: "{name}"')
        for label, value in (meta.get("labels") or {}).items():
            if not re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value):
                raise Refusal(422, f'Pod "{name}" is invalid: metadata.labels: Invalid value: "{value}"')
        if not pod.get("spec", {}).get("containers"):
            raise Refusal(422, f'Pod "{name}" is invalid: spec.containers: Required value')
        key = (namespace, name)
        with self.changed:
            if key in self.pods:
                raise Refusal(409, f'pods "{name}" already exists')
            pod = {"kind": "Pod", "apiVersion": "v1", **pod, "status": {"phase": "Pending"}}
            meta.update(name=name, namespace=namespace, uid=str(uuid.uuid4()), creationTimestamp=now())
            self.kubelet.plan(pod)  # a plan that cannot be read is a mistake of the test: found out here
            self.put("ADDED", key, pod)
            self.made[key] += 1
        self.kubelet.take(key, pod)
        return pod

    def get(self, key):
        if key not in self.pods:
            raise Refusal(404, f'pods "{key[1]}" not found')
        return self.pods[key]

    def delete(self, key, options):
        with self.changed:
            pod = self.get(key)
            wanted = (options.get("preconditions") or {}).get("uid")
            if wanted not in (None, pod["metadata"]["uid"]):
                raise Refusal(409, f"the UID in the precondition ({wanted}) does not match")
            grace = options.get("gracePeriodSeconds")
            if grace is None:
                grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            is_over = pod["status"].get("phase") in ("Succeeded", "Failed")
            has_run = is_over or pod["status"].get("phase") == "Running"
            marked = {**pod, "metadata": {**pod["metadata"], "deletionTimestamp": now(),
                                          "deletionGracePeriodSeconds": grace}}
            if (grace and has_run and not is_over) or pod["metadata"].get("finalizers"):
                self.put("MODIFIED", key, marked)
                self.kubelet.end(key, marked, grace)
                return marked
        self.remove(key)
        return marked

    def patch(self, key, kind, patch, manager=""):
        with self.changed:
            pod = self.get(key)
            if kind == "application/json-patch+json":
                new = json_patch(pod, patch)
            elif kind in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
                new = merge(pod, patch)
            else:
                raise Refusal(415, f"the body of the request was in an unknown format: {kind}")
            if new["spec"] != pod["spec"]:
                raise Refusal(422, "pod updates may not change fields other than its image")
            new["metadata"] = dict(new["metadata"])
            if manager:
                notes = new["metadata"].get("managedFields") or []
                new["metadata"]["managedFields"] = [*notes, {"manager": manager, "operation": "Update"}]
            self.put("MODIFIED", key, new)
        if new["metadata"].get("deletionTimestamp"):
            self.remove(key)
        return new

    def list(self, namespace, query):
        with self.changed:
            token, limit = query.get("continue"), int(query.get("limit") or 0)
            if token:
                version, items = self.snapshots.pop(token, (0, None))
                if items is None or version < self.oldest:
                    raise Refusal(410, "The provided continue parameter is too old")
            else:
                version = self.version
                items = [p for (its, _), p in sorted(self.pods.items()) if namespace in (None, its)
                         and matches(p["metadata"].get("labels") or {}, query.get("labelSelector"))]
            meta = {"resourceVersion": str(version)}
            if limit and len(items) > limit:
                meta["continue"] = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
                self.snapshots[meta["continue"]] = (version, items[limit:])
                items = items[:limit]
            return {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items}

    def container_of(self, key, query):
        """The pod and the name of the container whose log is asked for."""
        with self.changed:
            pod = self.get(key)
        names = [c["name"] for c in pod["spec"]["containers"] + (pod["spec"].get("initContainers") or [])]
        name = query.get("container") or (names[0] if len(pod["spec"]["containers"]) == 1 else None)
        if name is None:
            raise Refusal(400, f"a container name must be specified for pod {key[1]}, choose one of: {names}")
        if name not in names:
            raise Refusal(400, f"container {name} is not valid for pod {key[1]}")
        all_states = pod["status"].get("containerStatuses", []) + pod["status"].get("initContainerStatuses", [])
        state = next((s["state"] for s in all_states if s["name"] == name), {"waiting": {}})
        if "waiting" in state:
            raise Refusal(400, f'container "{name}" in pod "{key[1]}" is waiting to start: ContainerCreating')
        text = self.kubelet.plan(pod).log if name == main_of(pod) else ""
        return text, "running" in state

    def events_since(self, version, namespace, selector):
        """[(version, type, pod)] as a watch tells them: a pod whose labels no longer fit is DELETED to it. Under the
        lock."""
        out = []
        for at, kind, old, pod in self.events[max(0, version - FIRST_VERSION):]:
            if namespace not in (None, pod["metadata"]["namespace"]):
                continue
            did = old is not None and matches(old["metadata"].get("labels") or {}, selector)
            does = matches(pod["metadata"].get("labels") or {}, selector)
            if kind == "DELETED" and (did or does):
                out.append((at, "DELETED", pod))
            elif does:
                out.append((at, "MODIFIED" if did else "ADDED", pod))
            elif did:
                out.append((at, "DELETED", pod))
        return out


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, *args):
        self.connections = set()
        super().__init__(*args)

    def process_request(self, request, address):
        self.connections.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def cut_all(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, *_):  # a client that has gone is none of our business
        pass
