"""A stand-in for the kubelet of fake_api.py: what becomes of a pod, and when. It runs nothing.

What a pod does is told by annotations `fake.tiphys.dev/NAME` of its template, or by a function of the test:

  exit-code  of the main container (default 0)
  message    what the main container's command leaves as termination message
  result     what it is said to have printed, for outputs.result
  after      seconds until the end (default 0: it ends without ever having been seen to run)
  log        what the main container prints; `\\n` is the end of a line
  end        how it ends, if not by itself: never | oom | evicted | image | lost | init | deadline | unschedulable
  sidecar    exit code of the other containers (default 0)

Where a container's command is run by tiphys-step, its termination message is the report that tiphys-step would leave.
"""
import dataclasses
import datetime
import heapq
import itertools
import threading
import time

PREFIX = "fake.tiphys.dev/"
ENDS = ("", "never", "oom", "evicted", "image", "lost", "init", "deadline", "unschedulable")


@dataclasses.dataclass
class Plan:
    """What a pod does; `messages` are termination messages of further containers, by name."""
    exit_code: int = 0
    message: str = ""
    result: str = None
    after: float = 0
    log: str = ""
    end: str = ""
    sidecar: int = 0
    messages: dict = dataclasses.field(default_factory=dict)


def plan_of(pod):
    """The plan that a pod's annotations tell."""
    told = {k.removeprefix(PREFIX): v for k, v in (pod["metadata"].get("annotations") or {}).items()
            if k.startswith(PREFIX)}
    plan = Plan(exit_code=int(told.pop("exit-code", 0)), message=told.pop("message", ""),
                result=told.pop("result", None), after=float(told.pop("after", 0)),
                log=told.pop("log", "").replace("\\n", "\n"), end=told.pop("end", ""),
                sidecar=int(told.pop("sidecar", 0)))
    if told or plan.end not in ENDS:
        raise ValueError(f"no such plan: {told} end={plan.end!r}")
    return plan


def now():
    """The API's time has whole seconds."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def terminated(code, reason, message="", started=None):
    out = {"exitCode": code, "reason": reason, "startedAt": started or now(), "finishedAt": now(),
           "containerID": "fake://0"}
    return {"terminated": {**out, **({"message": message} if message else {})}}


def report(code, plan):
    """What tiphys-step leaves as termination message."""
    parts = [("result", plan.result)] if plan.result is not None else []
    parts += [("message", plan.message)] if plan.message else []
    sized = "".join(f"{word} {len(text.encode())}\n{text}\n" for word, text in parts)
    return f"tiphys 1\nexit {code}\n{sized}end\n"


def is_under_step(container):
    return (container.get("command") or [""])[0].endswith("tiphys-step")


def statuses(containers, state_of, ready=False):
    return [{"name": c["name"], "image": c.get("image", ""), "imageID": "", "restartCount": 0, "ready": ready,
             "started": ready, "state": state_of(c["name"])} for c in containers]


def waiting(pod, reason="ContainerCreating", message="", main_only=False):
    """The status of a pod whose containers cannot start yet."""
    def state(name):
        if main_only and name != main_of(pod):
            return {"waiting": {"reason": "PodInitializing"}}
        return {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    return {"phase": "Pending", "startTime": now(), "hostIP": "127.0.0.1",
            "containerStatuses": statuses(pod["spec"]["containers"], state)}


def main_of(pod):
    names = [c["name"] for c in pod["spec"]["containers"]]
    return "main" if "main" in names else names[0]


def running(pod):
    init = pod["spec"].get("initContainers") or []
    return {"phase": "Running", "startTime": now(), "hostIP": "127.0.0.1", "podIP": "10.0.0.7",
            "podIPs": [{"ip": "10.0.0.7"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": statuses(init, lambda _: terminated(0, "Completed")),
            "containerStatuses": statuses(pod["spec"]["containers"], lambda _: {"running": {"startedAt": now()}},
                                          ready=True)}


def ended(pod, plan, code=None, reason=None):
    """The status after all containers have ended; `code` is the main one's, unless the plan tells."""
    main, code = main_of(pod), plan.exit_code if code is None else code
    started = next((s["state"]["running"]["startedAt"] for s in pod.get("status", {}).get("containerStatuses", [])
                    if "running" in s["state"]), None)

    under_step = {c["name"] for c in pod["spec"]["containers"] if is_under_step(c)}

    def state(name):
        its = code if name == main else plan.sidecar
        message = plan.message if name == main else plan.messages.get(name, "")
        if name in under_step and name not in plan.messages:
            message = "" if reason else report(its, plan if name == main else Plan())
        why = reason if reason and name == main else "Error" if its else "Completed"
        return terminated(its, why, message, started)

    init = pod["spec"].get("initContainers") or []
    is_good = code == 0 and (plan.sidecar == 0 or len(pod["spec"]["containers"]) == 1)
    return {"startTime": now(), **pod.get("status", {}), "phase": "Succeeded" if is_good else "Failed",
            "initContainerStatuses": statuses(init, lambda n: terminated(0, "Completed", plan.messages.get(n, ""))),
            "containerStatuses": statuses(pod["spec"]["containers"], state)}


def init_failed(pod, plan):
    init = (pod["spec"].get("initContainers") or [{"name": "init"}])[:1]
    return {"phase": "Failed", "startTime": now(),
            "initContainerStatuses": statuses(init, lambda _: terminated(plan.exit_code or 1, "Error", plan.message)),
            "containerStatuses": statuses(pod["spec"]["containers"],
                                          lambda _: {"waiting": {"reason": "PodInitializing"}})}


def stages(pod, plan):
    """[(seconds from its making, status)]: the states that a pod goes through."""
    if plan.end == "unschedulable":
        return [(0, {"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu."}]})]
    if plan.end == "image":
        return [(0, waiting(pod, "ErrImagePull", "not found", True)),
                (plan.after, waiting(pod, "ImagePullBackOff", 'Back-off pulling image "none"', True))]
    if plan.end == "init":
        return [(plan.after, init_failed(pod, plan))]
    out = [(0, running(pod))] if plan.after or plan.end else []
    if plan.end == "oom":
        out.append((plan.after, ended(pod, plan, 137, "OOMKilled")))
    elif plan.end in ("evicted", "deadline"):
        why, text = {"evicted": ("Evicted", "The node was low on resource: memory. "),
                     "deadline": ("DeadlineExceeded", "Pod was active on the node longer than the specified "
                                                      "deadline")}[plan.end]
        out.append((plan.after, {**ended(pod, plan, 137), "reason": why, "message": text}))
    elif plan.end == "lost":
        away = {**running(pod), "reason": "NodeLost", "conditions": [{"type": "Ready", "status": "False"}]}
        # What Kubernetes' own garbage collector says of the pods of a node that is gone.
        gone = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
        out += [(plan.after, away), (plan.after + 0.2, {**away, "phase": "Failed", "conditions": [gone]})]
    elif plan.end == "":
        out.append((plan.after, None))  # None: ended(), made when it is time, as it tells the time
    return out


class FakeKubelet:
    """Brings each pod that it is told of through its stages, in a thread of its own.

    `update(key, change)` is the API's: calls change(pod) under its lock, if the pod is there, for the new status."""

    def __init__(self, update, remove, planner=plan_of):
        self.update, self.remove, self.planner = update, remove, planner
        self.plans = {}
        self.queue = []
        self.order = itertools.count()
        self.changed = threading.Condition()
        self.is_stopped = False
        self.is_paused = False
        threading.Thread(target=self.work, daemon=True).start()

    def plan(self, pod):
        uid = pod["metadata"]["uid"]
        if uid not in self.plans:
            self.plans[uid] = self.planner(pod)
        return self.plans[uid]

    def at(self, seconds, action):
        with self.changed:
            heapq.heappush(self.queue, (time.monotonic() + seconds, next(self.order), action))
            self.changed.notify()

    def take(self, key, pod):
        """A pod was made."""
        plan, uid = self.plan(pod), pod["metadata"]["uid"]
        for seconds, status in stages(pod, plan):
            def change(p, status=status):
                is_over = p["metadata"]["uid"] != uid or p["status"].get("phase") in ("Succeeded", "Failed")
                return None if is_over else status or ended(p, plan)
            self.at(seconds, lambda change=change: self.update(key, change))

    def end(self, key, pod, grace):
        """A pod is being deleted: it ends by SIGTERM, and is gone then."""
        plan, uid = self.plan(pod), pod["metadata"]["uid"]

        def change(p):
            is_over = p["metadata"]["uid"] != uid or p["status"].get("phase") in ("Succeeded", "Failed")
            return None if is_over else ended(p, plan, 143)
        self.at(min(grace, 0.02), lambda: (self.update(key, change), self.remove(key, uid)))

    def pause(self, is_paused):
        """A node that hangs: nothing changes until it goes on."""
        with self.changed:
            self.is_paused = is_paused
            self.changed.notify()

    def stop(self):
        with self.changed:
            self.is_stopped = True
            self.changed.notify()

    def work(self):
        while True:
            with self.changed:
                while not self.is_stopped and (self.is_paused or not self.queue
                                               or self.queue[0][0] > time.monotonic()):
                    is_idle = self.is_paused or not self.queue
                    self.changed.wait(None if is_idle else max(0, self.queue[0][0] - time.monotonic()))
                if self.is_stopped:
                    return
                action = heapq.heappop(self.queue)[2]
            action()
