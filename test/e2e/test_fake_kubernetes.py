"""The fake Kubernetes API itself: what it knows of a real one's manners, and each fault that it can have."""
import http.client
import json
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kubernetes"))
from fake_api import FakeApi, matches  # noqa: E402
from fake_kubelet import Plan  # noqa: E402

MERGE = "application/merge-patch+json"


def pod(name, labels=None, spec=None, **told):
    return {"metadata": {"name": name, "labels": labels or {}, "annotations": {
        f"fake.tiphys.dev/{k.replace('_', '-')}": str(v) for k, v in told.items()}},
        "spec": {"containers": [{"name": "main", "image": "x"}], **(spec or {})}}


class FakeApiTest(unittest.TestCase):
    def setUp(self):
        self.api = FakeApi(bookmark_seconds=0.05)
        self.enterContext(self.api)

    def enterContext(self, context):  # unittest has it from Python 3.11 on
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def open(self, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.api.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None,
                           {"Authorization": "Bearer fake", "Content-Type": kind})
        return connection.getresponse()

    def call(self, method, path, body=None, kind="application/json", status=200):
        response = self.open(method, path, body, kind)
        text = response.read()
        self.assertEqual(response.status, status, text)
        return json.loads(text) if text.startswith(b"{") else text.decode()

    def make(self, name, *args, **more):
        return self.call("POST", "/namespaces/ns/pods", pod(name, *args, **more), status=201)

    def get(self, name):
        return self.call("GET", f"/namespaces/ns/pods/{name}")

    def wait_for_phase(self, name, phase):
        self.api.wait(lambda: self.api.pods[("ns", name)]["status"]["phase"] == phase, what=f"{name}: {phase}")
        return self.get(name)

    def version(self):
        return self.call("GET", "/namespaces/ns/pods")["metadata"]["resourceVersion"]

    def watch(self, query=""):
        """The events of a watch, as they come; ends where the stream ends."""
        response = self.open("GET", f"/namespaces/ns/pods?watch=true&{query}")
        self.assertEqual(response.status, 200, response)
        for line in iter(response.readline, b""):
            event = json.loads(line)
            yield event["type"], event["object"]

    def states(self, query, count):
        """(type, name, phase) of a watch's next events."""
        events = self.watch(query)
        return [(kind, o["metadata"]["name"], o["status"]["phase"]) for kind, o in (next(events) for _ in range(count))]


class Pods(FakeApiTest):
    def test_a_pod_is_made_once_and_ends_at_once(self):
        made = self.make("a")
        self.assertEqual(made["metadata"]["namespace"], "ns")
        self.call("POST", "/namespaces/ns/pods", pod("a"), status=409)
        done = self.wait_for_phase("a", "Succeeded")
        state = done["status"]["containerStatuses"][0]["state"]["terminated"]
        self.assertEqual((state["exitCode"], state["reason"]), (0, "Completed"))
        self.assertRegex(state["startedAt"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(self.api.made[("ns", "a")], 1)

    def test_how_pods_end(self):
        for name, told, phase, reason, code in (
                ("exit", {"exit_code": 3, "message": "why"}, "Failed", "Error", 3),
                ("oom", {"end": "oom"}, "Failed", "OOMKilled", 137),
                ("evicted", {"end": "evicted"}, "Failed", "Error", 137)):
            with self.subTest(name):
                self.make(name, **told)
                state = self.wait_for_phase(name, phase)["status"]["containerStatuses"][0]["state"]["terminated"]
                self.assertEqual((state["reason"], state["exitCode"]), (reason, code))
        self.assertEqual(self.get("exit")["status"]["containerStatuses"][0]["state"]["terminated"]["message"], "why")
        self.assertEqual(self.get("evicted")["status"]["reason"], "Evicted")

    def test_what_never_starts(self):
        self.make("image", end="image")
        self.api.wait(lambda: "ImagePullBackOff" in json.dumps(self.api.pods[("ns", "image")]["status"]))
        self.make("init", end="init", spec={"initContainers": [{"name": "first"}]})
        status = self.wait_for_phase("init", "Failed")["status"]
        self.assertEqual(status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 1)

    def test_names_and_labels_are_held_to_the_rules(self):
        self.call("POST", "/namespaces/ns/pods", pod("Upper"), status=422)
        self.call("POST", "/namespaces/ns/pods", pod("a", {"x": "a b"}), status=422)
        self.call("POST", "/namespaces/ns/pods", {"metadata": {"name": "a"}}, status=422)

    def test_a_running_pod_is_deleted_with_grace(self):
        self.make("a", end="never")
        self.wait_for_phase("a", "Running")
        version = self.version()
        deleted = self.call("DELETE", "/namespaces/ns/pods/a")
        self.assertIn("deletionTimestamp", deleted["metadata"])
        self.assertEqual(self.states(f"resourceVersion={version}", 3), [
            ("MODIFIED", "a", "Running"), ("MODIFIED", "a", "Failed"), ("DELETED", "a", "Failed")])
        self.call("GET", "/namespaces/ns/pods/a", status=404)

    def test_a_finalizer_keeps_a_pod(self):
        self.make("a")
        self.wait_for_phase("a", "Succeeded")
        self.call("PATCH", "/namespaces/ns/pods/a", {"metadata": {"finalizers": ["x/y"]}}, MERGE)
        self.call("DELETE", "/namespaces/ns/pods/a")
        self.assertIn("deletionTimestamp", self.get("a")["metadata"])
        self.call("PATCH", "/namespaces/ns/pods/a", {"metadata": {"finalizers": None}}, MERGE)
        self.call("GET", "/namespaces/ns/pods/a", status=404)

    def test_preconditions_of_a_delete(self):
        uid = self.make("a")["metadata"]["uid"]
        self.call("DELETE", "/namespaces/ns/pods/a", {"preconditions": {"uid": "other"}}, status=409)
        self.call("DELETE", "/namespaces/ns/pods/a", {"preconditions": {"uid": uid}, "gracePeriodSeconds": 0})

    def test_patches(self):
        self.make("a", {"x": "1"})
        path = "/namespaces/ns/pods/a"
        self.call("PATCH", path, [{"op": "add", "path": "/metadata/labels/a~1b", "value": "2"}],
                  "application/json-patch+json")
        self.assertEqual(self.get("a")["metadata"]["labels"], {"x": "1", "a/b": "2"})
        self.call("PATCH", path, {"metadata": {"labels": {"x": None}}}, MERGE)
        self.assertEqual(self.get("a")["metadata"]["labels"], {"a/b": "2"})
        self.call("PATCH", path, {}, "text/plain", status=415)
        self.call("PATCH", path, {"spec": {"nodeName": "n"}}, MERGE, status=422)

    def test_logs(self):
        self.make("a", log="one\ntwo\n")
        self.wait_for_phase("a", "Succeeded")
        path = "/namespaces/ns/pods/a/log"
        self.assertEqual(self.call("GET", path), "one\ntwo\n")
        self.assertEqual(self.call("GET", path + "?tailLines=1"), "two\n")
        self.assertRegex(self.call("GET", path + "?timestamps=true"), r"^\S+Z one\n\S+Z two\n$")
        self.make("b", end="unschedulable")
        self.call("GET", "/namespaces/ns/pods/b/log", status=400)

    def test_a_followed_log_ends_with_its_container(self):
        self.make("a", end="never", log="one\n")
        self.wait_for_phase("a", "Running")
        response = self.open("GET", "/namespaces/ns/pods/a/log?follow=true")
        self.assertEqual(response.readline(), b"one\n")
        self.call("DELETE", "/namespaces/ns/pods/a")
        self.assertEqual(response.read(), b"")

    def test_only_with_the_token(self):
        self.api.token = "another"
        self.call("GET", "/namespaces/ns/pods", status=401)


class ListsAndWatches(FakeApiTest):
    def test_selectors(self):
        labels = {"a": "1", "b": "2"}
        for good in ("", "a", "a=1", "a==1,b=2", "a!=2", "!c", "a in (0,1),b=2", "a notin (2)", "c!=1"):
            self.assertTrue(matches(labels, good), good)
        for bad in ("c", "a=2", "a=1,b=1", "a!=1", "!a", "a in (0, 2)", "b notin (2,3)"):
            self.assertFalse(matches(labels, bad), bad)

    def test_a_list_in_parts(self):
        for i in range(5):
            self.make(f"p{i}", {"n": str(i % 2)})
        self.assertEqual(len(self.call("GET", "/namespaces/ns/pods?labelSelector=n%3D0")["items"]), 3)
        self.assertEqual(len(self.call("GET", "/namespaces/other/pods")["items"]), 0)
        first = self.call("GET", "/namespaces/ns/pods?limit=3")
        self.make("p9")
        rest = self.call("GET", f"/namespaces/ns/pods?limit=3&continue={first['metadata']['continue']}")
        self.assertEqual([p["metadata"]["name"] for p in first["items"] + rest["items"]],
                         [f"p{i}" for i in range(5)])
        self.call("GET", "/namespaces/ns/pods?limit=3&continue=xyz", status=410)

    def test_a_watch_tells_what_came_after_its_version(self):
        self.make("old")
        self.wait_for_phase("old", "Succeeded")
        version = self.version()
        self.make("a", after=0.05)
        self.assertEqual(self.states(f"resourceVersion={version}", 3), [
            ("ADDED", "a", "Pending"), ("MODIFIED", "a", "Running"), ("MODIFIED", "a", "Succeeded")])

    def test_a_pod_whose_label_goes_is_deleted_to_a_watch(self):
        self.make("a", {"x": "1"}, end="unschedulable")
        self.api.wait(lambda: "conditions" in self.api.pods[("ns", "a")]["status"], what="its last state")
        version = self.version()
        self.call("PATCH", "/namespaces/ns/pods/a", {"metadata": {"labels": {"x": "2"}}}, MERGE)
        self.call("PATCH", "/namespaces/ns/pods/a", {"metadata": {"labels": {"x": "1"}}}, MERGE)
        states = self.states(f"labelSelector=x%3D1&resourceVersion={version}", 2)
        self.assertEqual([s[0] for s in states], ["DELETED", "ADDED"])

    def test_bookmarks_and_initial_events(self):
        self.make("a")
        done = self.wait_for_phase("a", "Succeeded")["metadata"]["resourceVersion"]
        events = self.watch("sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan")
        self.assertEqual(next(events)[1]["metadata"]["name"], "a")
        kind, first = next(events)
        self.assertEqual((kind, first["metadata"]["resourceVersion"]), ("BOOKMARK", done))
        self.assertEqual(first["metadata"]["annotations"], {"k8s.io/initial-events-end": "true"})
        self.assertEqual(next(events)[0], "BOOKMARK")

    def test_a_watch_ends_after_its_time(self):
        self.assertEqual(list(self.watch("timeoutSeconds=0.1&resourceVersion=" + self.version())), [])

    def test_the_past_can_be_forgotten(self):
        version = self.version()
        self.make("a")
        self.api.compact()
        self.call("GET", f"/namespaces/ns/pods?watch=1&resourceVersion={version}", status=410)


class Faults(FakeApiTest):
    def test_refusals(self):
        self.api.fail("create", status=429, retry_after=7)
        self.api.fail("create", status=500, times=2)
        response = self.open("POST", "/namespaces/ns/pods", pod("a"))
        self.assertEqual((response.status, response.getheader("Retry-After")), (429, "7"))
        for _ in range(2):
            self.call("POST", "/namespaces/ns/pods", pod("a"), status=500)
        self.make("a")
        self.assertEqual([r.status for r in self.api.asked("create")], [429, 500, 500, 201])

    def test_cut_before_and_after_the_work(self):
        self.api.fail("create", cut="before")
        self.api.fail("create", cut="after")
        for count in (0, 1):
            with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
                self.open("POST", "/namespaces/ns/pods", pod("a"))
            self.assertEqual(self.api.made[("ns", "a")], count)

    def test_a_watch_is_cut_in_an_event(self):
        self.api.fail("watch", cut_event=1)
        self.make("a", end="never")
        self.wait_for_phase("a", "Running")
        with self.assertRaises((ValueError, http.client.IncompleteRead)):
            list(self.watch("resourceVersion=100"))
        self.assertEqual(len(self.states("resourceVersion=100", 2)), 2)

    def test_a_watch_tells_an_error(self):
        self.api.fail("watch", gone_after=1)
        self.make("a", end="never")
        kinds = [(kind, o.get("code")) for kind, o in self.watch("resourceVersion=100")]
        self.assertEqual(kinds, [("ADDED", None), ("ERROR", 410)])

    def test_events_twice_and_late(self):
        self.make("a", end="never")
        self.wait_for_phase("a", "Running")
        self.api.fail("watch", is_doubled=True)
        self.api.fail("watch", is_late=True)
        self.assertEqual([s[2] for s in self.states("resourceVersion=100", 4)],
                         ["Pending", "Pending", "Running", "Running"])
        self.assertEqual([s[2] for s in self.states("resourceVersion=100", 3)], ["Pending", "Running", "Pending"])

    def test_a_watch_that_says_nothing(self):
        self.api.fail("watch", is_hung=True)
        response = self.open("GET", "/namespaces/ns/pods?watch=1&resourceVersion=100")
        self.make("a")
        self.wait_for_phase("a", "Succeeded")
        response.fp.raw._sock.settimeout(0.2)
        with self.assertRaises((socket.timeout, TimeoutError)):
            response.read(1)
        self.api.clear()

    def test_an_outage_on_the_same_port(self):
        self.make("a", end="never")
        self.wait_for_phase("a", "Running")
        watch = self.watch("resourceVersion=" + self.version())
        port = self.api.port
        self.api.stop()
        with self.assertRaises(ConnectionError):
            self.get("a")
        self.assertEqual(self.cut_short(watch), [])
        self.api.start()
        self.assertEqual(self.api.port, port)
        self.assertEqual(self.get("a")["status"]["phase"], "Running")

    def cut_short(self, events):
        try:
            return list(events)
        except (http.client.HTTPException, OSError):
            return []

    def test_a_node_that_hangs(self):
        self.api.kubelet.pause(True)
        self.make("a")
        self.assertEqual(self.get("a")["status"]["phase"], "Pending")
        self.api.kubelet.pause(False)
        self.wait_for_phase("a", "Succeeded")

    def test_a_mistake_in_a_test_is_told(self):
        with self.assertRaisesRegex(ValueError, "no such plan"):
            with FakeApi() as api:
                self.api = api
                self.call("POST", "/namespaces/ns/pods", pod("a", nonsense=1), status=500)

    def test_plans_of_a_function(self):
        with FakeApi(planner=lambda pod: Plan(exit_code=len(pod["metadata"]["name"]))) as self.api:
            self.make("four")
            self.assertEqual(self.wait_for_phase("four", "Failed")["status"]["containerStatuses"][0]["state"]
                             ["terminated"]["exitCode"], 4)
