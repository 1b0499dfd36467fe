"""Steps as pods on a real cluster: what they see, how they end, what is told of them."""
import textwrap

from cluster import ClusterTest
from engine import nodes, phase, wait_until
from pods_engine import COMPLETED, ENGINE, WORKFLOW, template, workflow
from receiver import WebhookReceiver


class Ends(ClusterTest):
    def test_one_step(self):
        node = self.run_pod(script="echo hello")
        self.assertEqual((node["phase"], node["type"]), ("Succeeded", "Pod"))
        self.assert_each_made_once(1)
        self.assertIn("hello", self.call("logs", "w", "--no-color").stdout)

    def test_exit_code(self):
        node = self.run_pod(script="exit 3", ok=False)
        self.assertEqual((node["phase"], node["message"]), ("Failed", "main: Error (exit code 3)"))
        self.assertEqual(node["outputs"]["exitCode"], "3")

    def test_exit_code_and_the_steps_own_message(self):
        node = self.run_pod(script="echo no space > /dev/termination-log; exit 4", ok=False)
        self.assertEqual(node["phase"], "Failed")
        self.assertRegex(node["message"], r"^main: Error \(exit code 4\): no space\s*$")

    def test_killed_for_memory(self):
        made = self.run_pods(textwrap.dedent("""\
            - name: main
              container:
                image: busybox
                imagePullPolicy: IfNotPresent
                command: [tail, /dev/zero]
                resources: {limits: {memory: 32Mi}}
            """), ok=False)
        node = nodes(made)["w"]
        self.assertEqual((node["phase"], node["message"]), ("Failed", "main: OOMKilled (exit code 137)"))

    def test_an_image_that_is_not_there(self):
        name = self.submit_pods(template(image="docker.io/library/none:1"))
        self.start_server()
        node = self.wait_for_node(name, name, lambda n: n.get("message", "").startswith("ImagePullBackOff"),
                                  "ImagePullBackOff")
        self.assertEqual(node["phase"], "Pending")
        self.assertRegex(node["message"], r"^ImagePullBackOff: Back-off pulling image \"docker.io/library/none:1\"")
        self.call("terminate", name)
        self.wait_for_phase(name, "Failed")

    def test_a_pod_that_no_node_can_take(self):
        name = self.submit_pods(template(more="nodeSelector: {no: where}"))
        self.start_server()
        node = self.wait_for_node(name, name, lambda n: n.get("message", "").startswith("Unschedulable: "),
                                  "Unschedulable")
        self.assertEqual(node["phase"], "Pending")
        self.call("terminate", name)
        self.wait_for_phase(name, "Failed")

    def test_a_pod_that_somebody_deletes(self):
        name = self.submit_pods(template(script="sleep 600"))
        self.start_server()
        pod = self.wait_for_running()[0]["metadata"]["name"]
        self.api.call("DELETE", f"{self.pods_path}/{pod}?gracePeriodSeconds=0")
        done = self.wait_for_phase(name, "Failed", "Error", seconds=120)
        node = nodes(done)[name]
        # With a finalizer its exit code is still seen; without one it is gone.
        self.assertIn((node["phase"], node["message"].split(" (")[0]), [("Error", "pod deleted"), (
            "Failed", "main: Error")])

    def test_deadline(self):
        node = self.run_pod(script="trap 'exit 1' TERM; sleep 600 & wait", more="activeDeadlineSeconds: 3", ok=False)
        self.assertEqual(node["phase"], "Failed")
        self.assertEqual(node["message"], "Pod was active on the node longer than the specified deadline")

    def test_an_init_container_that_fails(self):
        node = self.run_pod(more="initContainers: [{name: first, image: busybox, imagePullPolicy: IfNotPresent, "
                                 "command: [sh, -c, exit 5]}]", ok=False)
        self.assertEqual((node["phase"], node["message"]), ("Failed", "first: Error (exit code 5)"))

    def test_a_program_that_is_not_there(self):
        made = self.run_pods("- name: main\n  container: {image: busybox, imagePullPolicy: IfNotPresent, "
                             "command: [nowhere]}\n", ok=False)
        node = nodes(made)["w"]
        self.assertEqual(node["phase"], "Failed")
        self.assertRegex(node["message"], r"nowhere.*not found")

    def test_retries(self):
        made = self.run_pods(template(script="test {{retries}} -ge 2", more="retryStrategy: {limit: 3}"))
        self.assertEqual({n: v["phase"] for n, v in nodes(made).items()},
                         {"w": "Succeeded", "w(0)": "Failed", "w(1)": "Failed", "w(2)": "Succeeded"})
        self.assert_each_made_once(3)


class Hooks(ClusterTest):
    def test_a_pod_that_was_never_seen_to_run_has_run(self):
        with WebhookReceiver() as receiver:
            made = self.run_pods(textwrap.dedent(f"""\
                - name: main
                  steps:
                  - - name: a
                      template: pod
                      hooks:
                        running: {{template: tell, expression: steps.a.status == "Running"}}
                - name: tell
                  http: {{url: '{receiver.url}/running', method: POST}}
                - name: pod
                  container: {{image: busybox, imagePullPolicy: IfNotPresent, command: ['true']}}
                """))
            self.assertEqual(receiver.paths(), ["/running"])
        self.assertEqual(phase(made), "Succeeded")

    def test_exit_hook_with_http(self):
        with WebhookReceiver() as receiver:
            self.run_pods(template(script="exit 3") + "- name: tell\n  http: {url: '" + receiver.url
                          + "/in', method: POST, body: '{{workflow.status}}'}\n",
                          spec="hooks: {exit: {template: tell}}", ok=False)
            self.assertEqual([r["body"] for r in receiver.requests], ["Failed"])

    def test_on_exit_container(self):
        made = self.run_pods(template(script="exit 3") + template("bye", "test {{workflow.status}} = Failed"),
                             spec="onExit: bye", ok=False)
        self.assertEqual((phase(made), nodes(made)["w.onExit"]["phase"]), ("Failed", "Succeeded"))
        self.assert_each_made_once(2)


class Data(ClusterTest):
    def test_result_and_parameters(self):
        made = self.run_pods(textwrap.dedent("""\
            - name: main
              steps:
              - - {name: a, template: make}
              - - name: b
                  template: take
                  arguments: {parameters: [{name: r, value: '{{steps.a.outputs.result}}'},
                                           {name: s, value: '{{steps.a.outputs.parameters.small}}'}]}
            - name: make
              script:
                image: busybox
                imagePullPolicy: IfNotPresent
                command: [sh]
                source: |
                  echo -n small > /tmp/small
                  head -c 200000 /dev/zero | tr '\\0' x > /tmp/large
                  echo printed
              outputs:
                parameters:
                - {name: small, valueFrom: {path: /tmp/small}}
                - {name: large, valueFrom: {path: /tmp/large}}
            - name: take
              inputs: {parameters: [{name: r}, {name: s}]}
              container: {image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c],
                          args: ['test {{inputs.parameters.r}}-{{inputs.parameters.s}} = printed-small']}
            """))
        outputs = nodes(made)["a"]["outputs"]
        values = {p["name"]: p["value"] for p in outputs["parameters"]}
        self.assertEqual((outputs["result"], values["small"], len(values["large"])), ("printed", "small", 200000))
        self.assertEqual(nodes(made)["b"]["phase"], "Succeeded")

    def test_an_artifact(self):
        made = self.run_pods(textwrap.dedent("""\
            - name: main
              steps:
              - - {name: a, template: make}
              - - name: b
                  template: take
                  arguments: {artifacts: [{name: in, from: '{{steps.a.outputs.artifacts.out}}'}]}
            - name: make
              container: {image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c], args: ['echo kept > /tmp/f']}
              outputs: {artifacts: [{name: out, path: /tmp/f}]}
            - name: take
              inputs: {artifacts: [{name: in, path: /tmp/in}]}
              container: {image: busybox, imagePullPolicy: IfNotPresent, command: [grep, kept, /tmp/in]}
            """))
        self.assertEqual(nodes(made)["b"]["phase"], "Succeeded")


class Specs(ClusterTest):
    def test_what_a_pod_is_made_of(self):
        self.run_pods(template(script="test $A = b && test $(id -u) = 1000", more="""\
            metadata: {labels: {mine: l}, annotations: {mine/a: b}}
            securityContext: {runAsUser: 1000}
            podSpecPatch: '{"terminationGracePeriodSeconds": 7, "containers": [{"name": "main", "env": [{"name": "A",
              "value": "b"}]}]}'
            tolerations: [{key: k, operator: Exists}]
            """))
        pod = self.recorder.events[0][1]
        labels, spec = pod["metadata"]["labels"], pod["spec"]
        self.assertEqual((labels[WORKFLOW], labels[COMPLETED], labels["mine"]), ("w", "false", "l"))
        self.assertTrue(labels[ENGINE])
        self.assertEqual(pod["metadata"]["annotations"]["mine/a"], "b")
        self.assertEqual((spec["terminationGracePeriodSeconds"], spec["restartPolicy"]), (7, "Never"))
        self.assertIn({"key": "k", "operator": "Exists"}, spec["tolerations"])

    def test_an_image_without_a_shell_and_root(self):
        made = self.run_pods("- name: main\n  container: {image: 'localhost/distroless:1', command: [/hello], "
                             "args: [pods, '3']}\n", ok=False)
        self.assertEqual(nodes(made)["w"]["message"], "main: Error (exit code 3)")
        log = self.call("logs", "w", "--no-color").stdout
        self.assertIn("hello pods", log)
        self.assertIn("uid 65532", log)

    def test_an_image_that_knows_its_program(self):
        self.run_pods("- name: main\n  container: {image: 'argoproj/argosay:v2', args: [echo, said]}\n")
        self.assertIn("said", self.call("logs", "w", "--no-color").stdout)

    def test_a_sidecar_ends_with_main(self):
        node = self.run_pod(more="sidecars: [{name: beside, image: busybox, imagePullPolicy: IfNotPresent, "
                                 "command: [sleep, '1000']}]")
        self.assertEqual(node["phase"], "Succeeded")

    def test_a_daemon_and_its_address(self):
        made = self.run_pods(textwrap.dedent("""\
            - name: main
              steps:
              - - {name: d, template: serve}
              - - name: ask
                  template: ask
                  arguments: {parameters: [{name: ip, value: '{{steps.d.ip}}'}]}
            - name: serve
              daemon: true
              container:
                image: busybox
                imagePullPolicy: IfNotPresent
                command: [sh, -c]
                args: ['echo served > /tmp/page; exec httpd -f -p 8080 -h /tmp']
                readinessProbe: {httpGet: {path: /page, port: 8080}, periodSeconds: 1}
            - name: ask
              inputs: {parameters: [{name: ip}]}
              container: {image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c],
                          args: ['wget -qO- http://{{inputs.parameters.ip}}:8080/page | grep served']}
            """))
        self.assertEqual((phase(made), nodes(made)["ask"]["phase"]), ("Succeeded", "Succeeded"))
        self.assert_none_running()

    def assert_none_running(self):
        wait_until(lambda: not [p for p in self.pods() if p["status"]["phase"] == "Running"], 120,
                   "the daemon to end with its workflow")

    def test_a_container_set(self):
        made = self.run_pods(textwrap.dedent("""\
            - name: main
              volumes: [{name: shared, emptyDir: {}}]
              containerSet:
                volumeMounts: [{name: shared, mountPath: /shared}]
                containers:
                - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, echo from a > /shared/f]}
                - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, grep a /shared/f; exit 3],
                   dependencies: [a]}
            """), ok=False)
        self.assertEqual((nodes(made)["a"]["phase"], nodes(made)["b"]["phase"]), ("Succeeded", "Failed"))
        self.assertRegex(nodes(made)["b"]["message"], r"^b: Error \(exit code 3\)")
        self.assert_each_made_once(1)

    def test_twenty_at_once(self):
        made = self.run_pods("- name: main\n  steps:\n  - - name: a\n      template: pod\n      withSequence: "
                             "{count: '20'}\n" + template("pod", script="exit 0"))
        self.assertEqual(phase(made), "Succeeded")
        self.assert_each_made_once(20)


class Logs(ClusterTest):
    def test_followed_and_kept(self):
        name = self.submit_pods(template(script="echo first; while ! test -e /tmp/go; do sleep 0.1; done; echo last"),
                                spec="podGC: {strategy: OnPodCompletion, deleteDelayDuration: 0s}")
        self.start_server()
        pod = self.wait_for_running()[0]
        follower = self.start("logs", name, "--follow", "--no-color")
        self.assertIn("first", follower.stdout.readline())
        self.execute(pod, "touch", "/tmp/go")
        self.wait_for_phase(name, "Succeeded")
        self.assertIn("last", follower.stdout.read())
        self.wait_for_no_pods()
        log = self.call("logs", name, "--no-color").stdout
        self.assertRegex(log, r"(?s)first.*last")

    def wait_for_no_pods(self):
        wait_until(lambda: not self.pods(), 60, "the pod to be deleted")


class Clearing(ClusterTest):
    def left(self, strategy, script):
        """How many pods are left of a workflow of two steps, of which the second is `script`."""
        name = self.submit_pods("- name: main\n  steps:\n  - - {name: a, template: good}\n  - - {name: b, template: p}\n"
                                + template("good") + template("p", script),
                                spec=f"podGC: {{strategy: {strategy}, deleteDelayDuration: 0s}}")
        self.start_server()
        self.wait_for_phase(name, "Succeeded", "Failed", seconds=120)
        return name

    def wait_for(self, count):
        wait_until(lambda: len(self.pods()) == count, 60, f"{count} pods to be left")

    def test_on_pod_completion(self):
        self.left("OnPodCompletion", "exit 3")
        self.wait_for(0)

    def test_on_pod_success(self):
        self.left("OnPodSuccess", "exit 3")
        self.wait_for(1)
        # the phase comes later than the container's end
        wait_until(lambda: [p["status"]["phase"] for p in self.pods()] == ["Failed"], 60, "the failed pod")

    def test_on_workflow_completion(self):
        self.left("OnWorkflowCompletion", "exit 3")
        self.wait_for(0)

    def test_on_workflow_success(self):
        self.left("OnWorkflowSuccess", "exit 3")
        self.wait_for(2)

    def test_kept_and_marked(self):
        self.run_pods(template())
        wait_until(lambda: [p["metadata"]["labels"][COMPLETED] for p in self.pods()] == ["true"], 60,
                   "the pod to be marked as completed")

    def test_deleted_with_its_workflow(self):
        name = self.submit_pods(template(script="sleep 600"))
        self.start_server()
        self.wait_for_running()
        self.call("terminate", name)
        self.wait_for_phase(name, "Failed", seconds=120)
        wait_until(lambda: not [p for p in self.pods() if p["status"]["phase"] == "Running"], 60, "the pod to end")


class Manifests(ClusterTest):
    def test_a_name_that_is_too_long_for_a_pod_is_cut(self):
        name = "w-" + "x" * 55
        made = self.run_workflow(self.write("w.yaml", workflow(
            "- name: main\n  steps:\n  - - {name: a, template: a-template-whose-name-is-rather-long}\n"
            + template("a-template-whose-name-is-rather-long"), name=name)))
        self.assertEqual(phase(made), "Succeeded")
        self.assert_each_made_once(1)
