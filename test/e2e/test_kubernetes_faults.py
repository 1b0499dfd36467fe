"""The Kubernetes executor against an API that fails on demand: no cluster is needed."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kubernetes"))
from engine import nodes, phase, wait_until  # noqa: E402
from pods_engine import ENGINE, WORKFLOW, FakeApiTest, template, workflow  # noqa: E402
from receiver import WebhookReceiver  # noqa: E402
from resource_templates import resource  # noqa: E402


def hooks(url, *phases):
    """Hooks of a workflow that tell a receiver of phases; `exit` is one, too."""
    rows = "".join(f"  {p.lower()}: {{template: tell-{p.lower()}"
                   + ("" if p == "exit" else f", expression: 'workflow.status == \"{p}\"'") + "}\n" for p in phases)
    tells = "".join(f"- name: tell-{p.lower()}\n  http: {{url: '{url}/{p.lower()}', method: POST}}\n" for p in phases)
    return f"hooks:\n{rows}", tells


def step_hooks(url, *phases):
    """Steps with one step `a` of template `pod`, whose phases are told to a receiver."""
    rows = "".join(f"        {p.lower()}: {{template: tell-{p.lower()}, expression: 'steps.a.status == \"{p}\"'}}\n"
                   for p in phases)
    tells = "".join(f"- name: tell-{p.lower()}\n  http: {{url: '{url}/{p.lower()}', method: POST}}\n" for p in phases)
    return f"- name: main\n  steps:\n  - - name: a\n      template: pod\n      hooks:\n{rows}{tells}"


def parallel(count, body):
    """Steps that run `count` pods at once."""
    return (f"- name: main\n  steps:\n  - - name: a\n      template: pod\n      withSequence: {{count: '{count}'}}\n"
            + template("pod", **body))


class FaultTest(FakeApiTest):
    def assert_each_made_once(self, count):
        self.assertEqual(sorted(self.api.made.values()), [1] * count, self.api.made)

    def finish(self, api_pod):
        """Ends a pod that was told never to end."""
        key = (api_pod["metadata"]["namespace"], api_pod["metadata"]["name"])
        plan = self.api.kubelet.plan(api_pod)
        plan.end = ""
        self.api.kubelet.take(key, api_pod)

    def wait_for_running(self, count=1):
        return self.api.wait(lambda: (found := [p for p in self.api.pods.values()
                                                if p["status"].get("phase") == "Running"])
                             and len(found) >= count and found, what=f"{count} running pods")


class States(FaultTest):
    def test_a_pod_that_ends_before_it_is_seen(self):
        with WebhookReceiver() as receiver:
            made = self.run_pods(step_hooks(receiver.url, "Running", "Succeeded") + template("pod"))
            self.assertEqual(sorted(receiver.paths()), ["/running", "/succeeded"])
        self.assertEqual(phase(made), "Succeeded")
        self.assert_each_made_once(1)

    def test_labels_and_name(self):
        self.api.kubelet.pause(True)
        name = self.submit_pods(template())
        self.start_server()
        pod, = self.api.wait(lambda: list(self.api.pods.values()), what="a pod")
        labels = pod["metadata"]["labels"]
        self.assertEqual((labels[WORKFLOW], labels["workflows.argoproj.io/completed"]), (name, "false"))
        self.assertTrue(labels[ENGINE])
        self.assertRegex(pod["metadata"]["name"], r"^w(-main-\d+)?$")
        self.assertEqual(pod["spec"]["restartPolicy"], "Never")
        self.api.kubelet.pause(False)
        self.wait_for_phase(name, "Succeeded")

    def test_how_pods_end(self):
        for case, told, wanted, message in (
                ("exit code", {"exit_code": 3}, "Failed", r"^main: Error \(exit code 3\)$"),
                ("message", {"exit_code": 3, "message": "no space"}, "Failed",
                 r"^main: Error \(exit code 3\): no space$"),
                ("killed for memory", {"end": "oom"}, "Failed", r"^main: OOMKilled \(exit code 137\)$"),
                ("evicted", {"end": "evicted", "after": 0.1}, "Failed", r"^The node was low on resource: memory\. ?$"),
                ("deadline", {"end": "deadline", "after": 0.1}, "Failed",
                 r"^Pod was active on the node longer than the specified deadline$"),
                ("lost with its node", {"end": "lost"}, "Failed",
                 "^pod failed: neither main nor wait container completed successfully$"),
                ("init", {"end": "init", "exit_code": 5}, "Error", r"^init: Error \(exit code 5\)")):
            with self.subTest(case):
                name = f"w-{case.replace(' ', '-')}"
                made = self.run_pods(template(told=told), name=name, ok=False)
                node = nodes(made)[name]
                self.assertEqual(node["phase"], wanted, node)
                self.assertRegex(node["message"], message)

    def test_logs_are_archived_however_a_pod_ends(self):
        for case, told in (("exit code", {"exit_code": 3}), ("killed", {"end": "oom", "after": 0.2}),
                           ("evicted", {"end": "evicted", "after": 0.2}), ("deadline", {"end": "deadline", "after": 0.2}),
                           ("lost", {"end": "lost", "after": 0.5})):
            with self.subTest(case):
                name = f"w-{case.replace(' ', '-')}"
                made = self.run_pods(template(told={"log": f"hello from {name}\n", **told}), name=name, ok=False,
                                     spec="archiveLogs: true")
                kept, = (nodes(made)[name].get("outputs") or {}).get("artifacts", [{}])
                self.assertEqual(kept.get("name"), "main-logs")
                self.assertEqual((self.home / "artifacts/default" / kept["s3"]["key"]).read_text(), f"hello from {name}\n")

    def test_the_logs_of_all_containers_of_a_set_are_archived(self):
        made = self.run_pods("- name: main\n  metadata: {annotations: {fake.tiphys.dev/log: 'hello\\n'}}\n"
                             "  containerSet:\n    containers:\n"
                             "    - {name: a, image: 'busybox:latest', command: [x]}\n"
                             "    - {name: b, image: 'busybox:latest', command: [x]}\n", spec="archiveLogs: true")
        kept = {a["name"]: (self.home / "artifacts/default" / a["s3"]["key"]).read_text()
                for a in nodes(made)["w"]["outputs"]["artifacts"]}
        self.assertEqual(kept, {"a-logs": "hello\n", "b-logs": ""})  # the first is fake_kubelet's main one

    def test_no_log_of_a_pod_that_never_began_is_archived(self):
        made = self.run_pods(template(told={"end": "init"}), ok=False, spec="archiveLogs: true")
        self.assertNotIn("outputs", nodes(made)["w"])

    def test_a_sidecar_that_fails_fails_its_step(self):
        body = "  sidecars: [{name: side, image: 'busybox:latest', command: [x]}]\n"
        for code, wanted in ((3, "Failed"), (143, "Succeeded"), (137, "Succeeded")):
            with self.subTest(code):
                made = self.run_pods(template(told={"sidecar": code}) + body, name=f"w-{code}", ok=wanted == "Succeeded")
                node = nodes(made)[f"w-{code}"]
                self.assertEqual((node["phase"], node.get("message")),
                                 (wanted, None if wanted == "Succeeded" else "side: Error (exit code 3)"))

    def test_what_holds_a_pod_up_is_told(self):
        for end, message in (("image", r'^ImagePullBackOff: Back-off pulling image "none"$'),
                             ("unschedulable", r"^Unschedulable: 0/1 nodes are available: 1 Insufficient cpu\.$")):
            with self.subTest(end):
                name = self.submit_pods(template(told={"end": end}), name=f"w-{end}")
                self.start_server()
                node = self.wait_for_node(name, name, lambda n: n.get("message"), "a message")
                node = self.wait_for_node(name, name, lambda n: "Pulling" not in n["message"] and
                                          not n["message"].startswith("ErrImagePull"), "the last message")
                self.assertEqual(node["phase"], "Pending")
                self.assertRegex(node["message"], message)
                self.call("terminate", name)
                self.wait_for_phase(name, "Failed")
                self.kill(self.engines[-1])

    def test_a_pod_that_somebody_deletes(self):
        name = self.submit_pods(template(told={"end": "never", "log": "hello\n"}), spec="archiveLogs: true")
        self.start_server()
        pod = self.wait_for_running()[0]
        wait_until(lambda: "hello" in self.call("logs", name, ok=None).stdout, 20, "what it has said until then")
        key = ("default", pod["metadata"]["name"])
        with self.api.changed:  # as with --force, and whatever finalizer there is
            self.api.put("DELETED", key, {**pod, "metadata": dict(pod["metadata"])})
        done = self.wait_for_phase(name, "Error", "Failed")
        self.assertEqual(nodes(done)[name]["phase"], "Error")
        self.assertRegex(nodes(done)[name]["message"], "^pod deleted")
        kept, = nodes(done)[name]["outputs"]["artifacts"]
        self.assertEqual((self.home / "artifacts/default" / kept["s3"]["key"]).read_text(), "hello\n")

    def test_a_result(self):
        made = self.run_pods("- name: main\n  steps:\n  - - {name: a, template: say}\n  - - name: b\n      "
                             "template: pod\n      when: '{{steps.a.outputs.result}} == forty'\n"
                             "- name: say\n  metadata: {annotations: {fake.tiphys.dev/result: forty}}\n"
                             "  script: {image: 'busybox:latest', command: [sh], source: echo forty}\n"
                             + template("pod"))
        self.assertEqual(nodes(made)["a"]["outputs"]["result"], "forty")
        self.assertEqual(nodes(made)["b"]["phase"], "Succeeded")

    def test_a_data_template_needs_no_pod(self):
        folder = self.home / "artifacts/b/in"
        folder.mkdir(parents=True)
        for name in ("b.txt", "a.txt", "c.pdf"):
            (folder / name).write_text(name)
        made = self.run_pods("""
            - name: main
              steps:
              - - {name: list, template: list}
              - - name: use
                  template: use
                  arguments: {parameters: [{name: f, value: '{{item}}'}]}
                  withParam: '{{steps.list.outputs.result}}'
            - name: list
              data:
                source: {artifactPaths: {name: x, s3: {bucket: b, key: in}}}
                transformation: [{expression: "filter(data, {# endsWith '.txt'})"}]
            - name: use
              inputs: {parameters: [{name: f}]}
              container: {image: 'busybox:latest', command: [echo, '{{inputs.parameters.f}}']}
            """)
        self.assertEqual((nodes(made)["list"]["phase"], nodes(made)["list"]["outputs"]["result"]),
                         ("Succeeded", '["in/a.txt","in/b.txt"]'))
        self.assert_each_made_once(2)  # those of `use`
        words = sorted(str(r.body["spec"]["containers"][0]).count("in/") for r in self.api.asked("create"))
        self.assertEqual(words, [1, 1])

    def test_a_data_template_that_fails_makes_no_pod(self):
        node, = self.run_pods("- name: main\n  data:\n    source: {artifactPaths: {name: x, s3: {bucket: b}}}\n"
                              "    transformation: [{expression: 'nothing(data)'}]\n", ok=False)["status"]["nodes"].values()
        self.assertEqual(node["phase"], "Failed", node)
        self.assertRegex(node["message"], r"^main: Error \(exit code 64\): .*unknown name nothing")
        self.assertEqual(self.api.asked("create"), [])


class Requests(FaultTest):
    def test_a_busy_server_is_left_alone_for_as_long_as_it_says(self):
        self.api.fail("create", status=429, retry_after=2)
        self.run_pod()
        first, second = self.api.asked("create")
        self.assertGreaterEqual(second.at - first.at, 1.9)
        self.assert_each_made_once(1)

    def test_a_server_that_fails_is_asked_again_but_not_in_haste(self):
        self.api.fail("create", status=500, times=4)
        self.run_pod()
        asked = self.api.asked("create")
        self.assertEqual([r.status for r in asked], [500] * 4 + [201])
        self.assertGreaterEqual(asked[4].at - asked[0].at, 0.2)

    def test_a_refusal_is_the_end(self):
        self.api.fail("create", status=403, times=None)
        node = self.run_pod(ok=False)
        self.assertEqual(node["phase"], "Error")
        self.assertIn("told to fail", node["message"])
        self.assertEqual(len(self.api.asked("create")), 1)

    def test_an_answer_that_is_lost(self):
        self.api.fail("create", cut="after")
        self.run_pod()
        self.assert_each_made_once(1)

    def test_a_request_that_is_lost(self):
        self.api.fail("create", cut="before", times=2)
        self.run_pod()
        self.assert_each_made_once(1)

    def limit(self, **variables):
        env = self.env(**variables)
        self.env = lambda **more: {**env, **more}

    def test_no_more_requests_a_second_than_it_may_make(self):
        self.limit(TIPHYS_KUBE_QPS="20", TIPHYS_KUBE_BURST="5")
        self.run_pods(parallel(20, {}))
        asked = sorted(r.at for verb in ("list", "get", "create", "patch", "delete") for r in self.api.asked(verb))
        self.assertGreaterEqual(len(asked), 40)
        for i, first in enumerate(asked):
            within = sum(at <= first + 1 for at in asked[i:])
            self.assertLessEqual(within, 5 + 20 + 2, "requests of a second (two may have been on their way for longer)")
        self.assertGreater(asked[-1] - asked[0], (len(asked) - 5) / 20 - 0.2)
        self.assertLess(min(after - at for at, after in zip(asked[5:], asked[15:])), 1, "nor many fewer, at its best")
        self.assert_each_made_once(20)

    def test_an_engine_that_ends_frees_its_pods_however_few_requests_it_may_make(self):
        self.limit(TIPHYS_KUBE_QPS="4", TIPHYS_KUBE_BURST="1")
        self.run_pods(parallel(24, {}), spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.assertEqual(len(self.api.made), 24)
        self.assertEqual(self.api.pods, {})

    def test_a_rate_that_makes_no_sense_is_refused(self):
        self.limit(TIPHYS_KUBE_QPS="fast")
        p = self.call("run", self.write("w.yaml", workflow(template())), ok=False)
        self.assertIn("TIPHYS_KUBE_QPS is 'fast': want a number from 0.1 to 1000000", p.stdout + p.stderr)
        self.assertEqual(self.api.requests, [])

    def test_who_is_not_let_in_is_told_so(self):
        self.config = self.api.kubeconfig(self.home / "other", token="wrong")
        p = self.call("run", self.write("w.yaml", workflow(template())), ok=False)
        self.assertIn("nauthorized", p.stdout + p.stderr)
        self.assertNotIn("wrong", p.stdout + p.stderr)

    def test_a_list_that_fails_at_first(self):
        self.api.fail("list", status=503, times=2)
        self.run_pod()
        self.assert_each_made_once(1)

    def test_a_delete_and_a_patch_that_fail_at_first(self):
        self.api.fail("delete", status=500, times=2)
        self.api.fail("patch", status=409)
        self.api.fail("patch", status=500)
        name = self.submit_pods(template(), spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.start_server()
        self.wait_for_phase(name, "Succeeded")
        self.api.wait(lambda: not self.api.pods, what="the pod to be deleted")


    def test_a_log_that_ends_before_its_pod_is_not_asked_for_in_haste(self):
        self.api.container_of = lambda *_: ("hello\n", False)
        self.run_pod(told={"after": 1.5})
        self.assertLess(len(self.api.asked("log")), 15)

    def test_a_pod_is_freed_and_then_deleted_once(self):
        self.run_pods(parallel(20, {}), spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.assertEqual(self.api.pods, {})
        freed = {r.name: r.at for r in self.api.asked("patch")}
        deleted = self.api.asked("delete")
        self.assertEqual(sorted(r.name for r in deleted), sorted(freed))
        self.assertTrue(all(freed[r.name] < r.at for r in deleted))


class Watches(FaultTest):
    def run_many(self, count=10, **told):
        made = self.run_pods(parallel(count, {"told": told}))
        self.assertEqual(phase(made), "Succeeded")
        self.assert_each_made_once(count)
        return made

    def test_one_watch_a_namespace(self):
        self.run_many(20, after="0.2")
        self.assertEqual(dict(self.api.watching_max), {"default": 1})
        for watch in self.api.asked("watch"):
            self.assertEqual(watch.query.get("allowWatchBookmarks"), "true")
            self.assertIn(ENGINE, watch.query.get("labelSelector", ""))

    def test_a_watch_whose_time_is_over_goes_on_from_its_version(self):
        self.api.fail("watch", end_after=2, times=5)
        self.run_many(after="0.2")
        self.assertEqual(len(self.api.asked("list")), 1)

    def test_a_watch_goes_on_from_a_bookmark(self):
        self.api.bookmark_seconds = 0.3
        self.api.fail("watch", end_after_bookmark=True, times=3)
        name = self.submit_pods(template(told={"end": "never"}))
        self.start_server()
        pod, = self.wait_for_running()
        for i in range(3):  # changes that the watch is not told of
            self.api.create("default", {"metadata": {"name": f"other-{i}"}, "spec": {"containers": [{"name": "main"}]}})
            watches = self.api.wait(lambda n=i + 2: len(a := self.api.asked("watch")) >= n and a, what="the next watch")
        self.assertGreater(self.api.bookmarks[2], int(pod["metadata"]["resourceVersion"]))
        self.assertEqual([w.query["resourceVersion"] for w in watches[1:4]], [str(v) for v in self.api.bookmarks[:3]])
        self.finish(pod)
        self.wait_for_phase(name, "Succeeded")
        self.assertEqual(len(self.api.asked("list")), 1)

    def test_a_version_that_is_too_old_means_a_new_list(self):
        self.api.fail("watch", gone_after=2, times=3)
        self.run_many(after="0.2")
        self.assertGreaterEqual(len(self.api.asked("list")), 2)

    def test_a_watch_that_is_refused_as_too_old(self):
        self.api.fail("watch", status=410, times=3)
        self.run_many(after="0.2")
        self.assertGreaterEqual(len(self.api.asked("list")), 2)

    def test_an_event_that_is_cut_in_the_middle(self):
        self.api.fail("watch", cut_event=1, times=4)
        self.run_many(after="0.2")

    def test_events_twice_and_late(self):
        with WebhookReceiver() as receiver:
            self.api.fail("watch", is_doubled=True, is_late=True, times=None)
            self.run_pods(step_hooks(receiver.url, "Running", "Succeeded") + template("pod", told={"after": "0.3"}))
            self.assertEqual(sorted(receiver.paths()), ["/running", "/succeeded"])
        self.assert_each_made_once(1)

    def test_a_watch_that_says_nothing(self):
        self.api.fail("watch", is_hung=True)
        node = nodes(self.run_pods(template(told={"after": "0.2"})))["w"]
        self.assertEqual(node["phase"], "Succeeded")


class Outages(FaultTest):
    def test_a_server_that_is_away_for_a_while(self):
        name = self.submit_pods(parallel(5, {"told": {"after": "0.5"}}))
        self.start_server()
        self.api.wait(lambda: len(self.api.pods) == 5, what="five pods")
        self.api.stop()
        wait_until(lambda: all(p["status"]["phase"] == "Succeeded" for p in self.api.pods.values()), 30,
                   "the pods to end unseen")
        self.api.start()
        self.wait_for_phase(name, "Succeeded", seconds=120)
        self.assert_each_made_once(5)

    def test_a_server_that_comes_later_than_the_engine(self):
        self.api.stop()
        name = self.submit_pods(template())
        self.start_server()
        self.api.start()
        self.wait_for_phase(name, "Succeeded", seconds=120)
        self.assert_each_made_once(1)

    def test_an_engine_that_is_killed_finds_its_pods_again(self):
        with WebhookReceiver() as receiver:
            spec, tells = hooks(receiver.url, "Running", "exit")
            name = self.submit_pods(parallel(5, {"told": {"end": "never"}}) + tells, spec=spec)
            for _ in range(3):
                engine = self.start_server()
                self.wait_for_running(5)
                self.kill(engine)
            for pod in self.wait_for_running(5):
                self.finish(pod)
            self.start_server()
            self.wait_for_phase(name, "Succeeded", seconds=120)
            keys = {(r["path"], r["headers"].get("Idempotency-Key")) for r in receiver.requests}
            self.assertEqual(sorted(p for p, _ in keys), ["/exit", "/running"])
        self.assert_each_made_once(5)

    def test_a_pod_that_ends_while_no_engine_lives(self):
        name = self.submit_pods(template(told={"end": "never"}))
        engine = self.start_server()
        pod = self.wait_for_running()[0]
        self.kill(engine)
        self.finish(pod)
        self.api.compact()
        self.start_server()
        self.wait_for_phase(name, "Succeeded")
        self.assert_each_made_once(1)

    def test_a_pod_whose_workflow_is_deleted_while_no_engine_lives(self):
        name = self.submit_pods(template(told={"end": "never"}))
        engine = self.start_server()
        self.wait_for_running()
        self.kill(engine)
        self.call("delete", name)
        self.api.create("default", {"metadata": {"name": "other", "labels": {ENGINE: "another", WORKFLOW: "w"}},
                                    "spec": {"containers": [{"name": "main"}]}})
        self.start_server()
        self.api.wait(lambda: len(self.api.pods) == 1, what="the pod to go")
        self.assertIn(("default", "other"), self.api.pods)

    def test_the_pod_of_a_resource_template_whose_workflow_is_deleted_while_no_engine_lives(self):
        """No step has ever made a pod in its namespace."""
        name = self.submit_pods(resource(
            manifest="apiVersion: v1\nkind: Pod\nmetadata: {name: '{{pod.name}}', annotations: {foo: bar}}\n",
            more="action: patch\nsuccessCondition: metadata.annotations.foo == never\n"))
        engine = self.start_server()
        self.api.wait(lambda: self.api.asked("patch"), what="its own pod to be patched")
        self.kill(engine)
        self.call("delete", name)
        self.assertEqual(len(self.api.pods), 1)
        self.start_server()
        self.api.wait(lambda: not self.api.pods, what="the pod to go")

    def test_a_patch_of_a_resource_template_is_sent_once(self):
        """Its answer is lost, and then it is killed: an API server notes in the object who has patched it."""
        self.api.fail("patch", cut="after", times=1)
        name = self.submit_pods(resource(
            manifest="apiVersion: v1\nkind: Pod\nmetadata: {name: '{{pod.name}}', annotations: {foo: bar}}\n",
            more="action: patch\nsuccessCondition: metadata.annotations.foo == never\n"))
        engine = self.start_server()
        self.api.wait(lambda: len(self.api.asked("get")) > 2, what="its own pod to be looked at")
        self.kill(engine)
        seen = len(self.api.asked("get"))
        self.start_server()
        self.api.wait(lambda: len(self.api.asked("get")) > seen + 2, what="its own pod to be looked at again")
        self.assertEqual(len(self.api.asked("patch")), 1, name)

    def test_pods_of_others_are_left_alone(self):
        others = {"other": {ENGINE: "another", WORKFLOW: "w"}, "argo": {WORKFLOW: "w"}, "plain": {}}
        for other, labels in others.items():
            self.api.create("default", {"metadata": {"name": other, "labels": labels},
                                        "spec": {"containers": [{"name": "main"}]}})
        name = self.submit_pods(template(), spec="podGC: {strategy: OnWorkflowCompletion}")
        self.start_server()
        self.wait_for_phase(name, "Succeeded")
        self.api.wait(lambda: len(self.api.pods) == 3, what="its own pod to be deleted")
        touched = {r.name for verb in ("delete", "patch") for r in self.api.asked(verb)}
        self.assertFalse(touched & set(others), touched)
