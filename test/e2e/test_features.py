"""Features of templates that need more than one process or more than one workflow: containerSet, sidecars, init
containers, daemons, memoize, locks, data, podSpecPatch, git artifacts."""
import os
import shutil
import socket
import subprocess
import time
import unittest
from unittest import mock

from engine import EngineTest, nodes, phase, wait_until

HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
"""


class Features(EngineTest):
    def workflow(self, body, name="w"):
        return self.write(f"{name}.yaml", HEAD.replace("NAME", name) + body)

    def test_containers_of_a_set_share_volumes_and_wait_for_each_other(self):
        path = self.workflow("""
  templates:
  - name: main
    volumes: [{name: shared, emptyDir: {}}]
    containerSet:
      volumeMounts: [{name: shared, mountPath: /shared}]
      containers:
      - {name: a, image: x, command: [sh, -c], args: ['echo from-a | tee /shared/f']}
      - {name: b, image: x, command: [sh, -c], args: ['sleep 0.2; echo from-b >> /shared/f'], dependencies: [a]}
      - {name: main, image: x, command: [sh, -c], args: ['tr "\\n" " " < /shared/f'], dependencies: [b]}
    outputs: {parameters: [{name: p, valueFrom: {path: /shared/f}}]}
""")
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["w"]["outputs"]["parameters"][0]["value"], "from-a\nfrom-b")
        self.assertEqual({k: v["phase"] for k, v in n.items()},
                         {"w": "Succeeded", "a": "Succeeded", "b": "Succeeded", "main": "Succeeded"})
        logs = self.call("logs", "w", "--no-color").stdout
        self.assertIn("w.a: ", logs)
        self.assertIn("w: from-a from-b", logs)

    def test_a_failed_container_fails_those_that_wait_for_it(self):
        path = self.workflow("""
  templates:
  - name: main
    containerSet:
      containers:
      - {name: a, image: x, command: [sh, -c], args: ['exit 3']}
      - {name: main, image: x, command: ['true'], dependencies: [a]}
""")
        n = nodes(self.run_workflow(path, ok=False))
        self.assertEqual(n["w"]["message"], "a: Error (exit code 3)")
        self.assertEqual(n["main"]["message"],
                         'main: Error (exit code 64): dependency "a" exited with non-zero code: 3')

    def test_defaults_are_merged_in_the_form_of_a_manifest(self):
        path = self.workflow("""
  arguments: {parameters: [{name: own, value: mine}]}
  templates:
  - name: main
    inputs: {parameters: [{name: p, value: "{{workflow.parameters.own}} {{workflow.parameters.count}}"}]}
    container: {image: x, command: ['true']}
""")
        defaults = self.write("d.yaml", "metadata: {labels: {from: defaults}}\n"
                              "spec: {arguments: {parameters: [{name: count, value: 5}, {name: own, value: theirs}]}}\n")
        wf = self.run_workflow(path, "--workflow-defaults", defaults)
        self.assertEqual(nodes(wf)["w"]["inputs"]["parameters"][0]["value"], "mine 5")
        self.assertEqual(wf["metadata"]["labels"]["from"], "defaults")
        wrong = self.write("wrong.yaml", "spec:\n  activeDeadlineSecond: 5\n")
        err = self.call("run", path, "--workflow-defaults", wrong, ok=False).stderr
        self.assertIn('wrong.yaml:2:3: workflowDefaults: strict decoding error: unknown field '
                      '"spec.activeDeadlineSecond"; did you mean "activeDeadlineSeconds"?', err)

    def test_defaults_join_a_workflow_of_a_template_behind_its_validation(self):
        path = self.write("w.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: lib}
spec:
  entrypoint: m
  templates: [{name: m, container: {image: x, command: [echo, "{{workflow.labels.team}}"]}}]
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec: {workflowTemplateRef: {name: lib}}
""")
        defaults = self.write("d.yaml", """
spec:
  onExit: bye
  workflowMetadata: {labels: {team: blue}}
  templates: [{name: bye, container: {image: x, command: [echo, "bye {{workflow.status}}"]}}]
""")
        self.run_workflow(path, "--workflow-defaults", defaults)
        logs = self.call("logs", "w", "--no-color").stdout
        self.assertIn("blue", logs)
        self.assertIn("bye Succeeded", logs)
        # The template's own exit handler is nearer than that of the defaults, which names no template.
        path.write_text(path.read_text().replace("entrypoint: m", "entrypoint: m\n  onExit: m"))
        defaults.write_text("spec: {onExit: nope, workflowMetadata: {labels: {team: red}}}")
        self.call("delete", "w")
        self.assertIn("w.onExit", nodes(self.run_workflow(path, "--workflow-defaults", defaults)))

    def test_defaults_are_for_a_workflow_of_a_template_too(self):
        self.call("template", "create", self.write("t.yaml", """apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: t}
spec:
  entrypoint: main
  templates:
  - name: main
    container: {image: x, command: ['true']}
"""))
        defaults = self.write("d.yaml", "metadata: {labels: {from: defaults}}\nspec: {activeDeadlineSeconds: 77}\n")
        self.start_server()
        name = self.submit("--from", "workflowtemplate/t", "--workflow-defaults", defaults)
        wf = self.wait_for_phase(name, "Succeeded")
        self.assertEqual(wf["metadata"]["labels"]["from"], "defaults")

    def test_a_value_outside_of_the_enum_is_refused(self):
        path = self.workflow("""
  arguments: {parameters: [{name: first, value: x}, {name: size, value: small, enum: [small, large]}]}
  templates:
  - name: main
    container: {image: x, command: ['true']}
""")
        err = self.call("run", path, "-p", "size=huge", ok=False).stderr
        self.assertIn("w.yaml:8:73: error: spec.arguments.size.value should be present in spec.arguments.size.enum list", err)
        self.run_workflow(path, "-p", "size=large")

    def test_a_value_that_the_template_does_not_allow(self):
        template = self.write("t.yaml", """apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: t}
spec:
  entrypoint: main
  arguments: {parameters: [{name: size, value: small, enum: [small, large]}]}
  templates:
  - name: main
    container: {image: x, command: [echo, 'it is {{workflow.parameters.size}}']}
""")
        path = self.write("w.yaml", """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  workflowTemplateRef: {name: t}
  arguments: {parameters: [{name: size, value: huge}]}
""")
        words = "WorkflowTemplate 't' allows small, large for 'size', not 'huge'"
        # Argo runs it, so it runs here.
        self.assertIn(f"w.yaml:6:48: warning: {words}", self.call("run", template, path).stderr)
        self.call("delete", "w")
        err = self.call("run", template, path, "-p", "size=huge", ok=False).stderr
        self.assertIn(f"-p size: {words}", err)
        self.assertNotIn("warning", err)
        self.call("apply", template)
        for verb in (("run", path), ("submit", path), ("submit", "--from", "workflowtemplate/t"), ("simulate", path)):
            self.assertIn(f"-p size: {words}", self.call(*verb, "-p", "size=huge", ok=False).stderr)
        self.assertIn("No workflows found", self.call("list").stdout)
        self.run_workflow(path, "-p", "size=large")

    def test_init_containers_come_first_and_sidecars_end_with_main(self):
        path = self.workflow("""
  templates:
  - name: main
    volumes: [{name: v, emptyDir: {}}]
    initContainers:
    - {name: setup, image: x, command: [sh, -c], args: ['echo ready > /v/f'], mirrorVolumeMounts: true}
    sidecars:
    - {name: helper, image: x, command: [sh, -c], args: ['echo up > /v/side; sleep 600'], mirrorVolumeMounts: true}
    script:
      image: x
      command: [sh]
      source: 'until [ -e /v/side ]; do sleep 0.02; done; cat /v/f /v/side'
      volumeMounts: [{name: v, mountPath: /v}]
    outputs: {parameters: [{name: p, valueFrom: {path: /v/f}}]}
""")
        begun = time.monotonic()
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["w"]["outputs"]["parameters"][0]["value"], "ready")
        self.assertLess(time.monotonic() - begun, 20)

    def test_a_daemon_serves_until_its_template_ends(self):
        path = self.workflow("""
  templates:
  - name: main
    steps:
    - - {name: d, template: daemon}
    - - {name: ask, template: ask, arguments: {parameters: [{name: ip, value: '{{steps.d.ip}}'}]}}
  - name: daemon
    daemon: true
    container: {image: x, command: [sleep, '600']}
  - name: ask
    inputs: {parameters: [{name: ip}]}
    container: {image: x, command: [test, '{{inputs.parameters.ip}}', '=', 127.0.0.1]}
""")
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["d"]["phase"], "Succeeded")
        self.assertNotIn("daemoned", n["d"])

    def test_a_daemon_is_up_when_its_probe_says_so(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = str(s.getsockname()[1])
        path = self.workflow("""
  templates:
  - name: main
    steps:
    - - {name: d, template: daemon}
    - - {name: ask, template: ask}
  - name: daemon
    daemon: true
    container:
      image: x
      command: [sh, -c]
      args: ['sleep 0.5; exec python3 -m http.server PORT --bind 127.0.0.1']
      readinessProbe: {httpGet: {path: /, port: PORT}, initialDelaySeconds: 0, timeoutSeconds: 1}
  - name: ask
    container: {image: x, command: [curl, -sf, --noproxy, '*', 'http://127.0.0.1:PORT/']}
""".replace("PORT", port))
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["ask"]["phase"], "Succeeded")

    def test_a_memoized_resubmission_runs_only_what_had_failed(self):
        path = self.workflow("""
  templates:
  - name: main
    steps:
    - - {name: a, template: count}
    - - {name: b, template: fail}
  - name: count
    container: {image: x, command: [sh, -c], args: ['echo ran >> FILE']}
  - name: fail
    container: {image: x, command: [test, -e, FLAG]}
""".replace("FILE", str(self.home / "count")).replace("FLAG", str(self.home / "flag")))
        self.run_workflow(path, ok=False)
        (self.home / "flag").touch()
        self.start_server()
        name = self.call("resubmit", "w", "--memoized", "-o", "name").stdout.strip()
        n = nodes(self.wait_for_phase(name, "Succeeded", "Failed", "Error"))
        self.assertEqual((n["a"]["type"], n["a"]["phase"]), ("Skipped", "Skipped"))
        self.assertRegex(n["a"]["message"], "^original pod: w-")
        self.assertEqual(n["b"]["phase"], "Succeeded")
        self.assertEqual((self.home / "count").read_text(), "ran\n")

    def test_a_cache_is_shared_by_workflows(self):
        body = """
  templates:
  - name: main
    memoize: {key: k, maxAge: 1h, cache: {configMap: {name: the-cache}}}
    container: {image: x, command: [sh, -c], args: ['date +%N > /tmp/o']}
    outputs: {parameters: [{name: p, valueFrom: {path: /tmp/o}}]}
"""
        first = nodes(self.run_workflow(self.workflow(body, "one")))["one"]
        second = nodes(self.run_workflow(self.workflow(body, "two")))["two"]
        self.assertFalse(first["memoizationStatus"]["hit"])
        self.assertTrue(second["memoizationStatus"]["hit"])
        self.assertEqual(second["outputs"]["parameters"], first["outputs"]["parameters"])

    def test_a_mutex_keeps_workflows_of_two_processes_apart(self):
        body = """
  templates:
  - name: main
    synchronization: {mutexes: [{name: m}]}
    container: {image: x, command: [sh, -c], args: ['echo in >> FILE; sleep 1; echo out >> FILE']}
""".replace("FILE", str(self.home / "order"))
        runs = [self.start("run", self.workflow(body, name), "-o", "json") for name in ("one", "two", "three")]
        for run in runs:
            run.communicate(timeout=60)
            self.assertEqual(run.returncode, 0)
        self.assertEqual((self.home / "order").read_text().split(), ["in", "out"] * 3)

    def test_a_workflow_says_what_it_waits_for(self):
        body = """
  synchronization: {mutexes: [{name: m}]}
  templates: [{name: main, container: {image: x, command: [sleep, '600']}}]
"""
        self.start_server()
        self.submit(self.workflow(body, "one"))
        self.wait_for_phase("one", "Running")
        self.submit(self.workflow(body, "two"))
        waiting = wait_until(lambda: (w := self.get("two")) and w["status"].get("message") and w)
        self.assertEqual(phase(waiting), "Pending")
        self.assertEqual(waiting["status"]["message"],
                         "Waiting for default/Mutex/m lock. Lock status: 0/1")
        self.call("terminate", "one")
        self.wait_for_phase("two", "Running")
        self.call("terminate", "two")
        self.wait_for_phase("two", "Failed")

    def test_a_semaphore_without_its_config_map_fails_the_workflow(self):
        path = self.workflow("""
  synchronization: {semaphores: [{configMapKeyRef: {name: nowhere, key: k}}]}
  templates: [{name: main, container: {image: x, command: ['true']}}]
""")
        w = self.run_workflow(path, ok=False)
        self.assertEqual(w["status"]["message"], "Failed to acquire the synchronization lock. failed to "
                         "initialize semaphore default/ConfigMap/nowhere/k with limit")

    def test_data_lists_the_artifacts_of_a_bucket(self):
        path = self.workflow("""
  templates:
  - name: main
    steps:
    - - {name: put, template: put, arguments: {parameters: [{name: f, value: '{{item}}'}]}, withItems: [b.txt, a.txt, c.pdf]}
    - - {name: list, template: list}
    - - {name: use, template: use, arguments: {parameters: [{name: f, value: '{{item}}'}]}, withParam: '{{steps.list.outputs.result}}'}
  - name: put
    inputs: {parameters: [{name: f}]}
    container: {image: x, command: [sh, -c], args: ['echo {{inputs.parameters.f}} > /tmp/f']}
    outputs: {artifacts: [{name: f, path: /tmp/f, s3: {bucket: b, key: 'in/{{inputs.parameters.f}}'}}]}
  - name: list
    data:
      source: {artifactPaths: {name: x, s3: {bucket: b}}}
      transformation: [{expression: "filter(data, {# endsWith '.txt'})"}]
  - name: use
    inputs: {parameters: [{name: f}]}
    container: {image: x, command: ['true']}
""")
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["list"]["outputs"]["result"], '["in/a.txt","in/b.txt"]')
        self.assertIn("use(1:in/b.txt)", n)

    def test_pod_spec_patch_changes_command_and_env(self):
        path = self.workflow("""
  podSpecPatch: '{"containers": [{"name": "main", "env": [{"name": "A", "value": "from-patch"}]}]}'
  templates:
  - name: main
    podSpecPatch: |
      containers:
      - name: main
        args: ['echo $A > /tmp/o']
    container: {image: x, command: [sh, -c], args: ['exit 1'], env: [{name: A, value: x}]}
    outputs: {parameters: [{name: p, valueFrom: {path: /tmp/o}}]}
""")
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["w"]["outputs"]["parameters"][0]["value"], "from-patch")

    @unittest.skipUnless(shutil.which("git"), "no git")
    def test_a_git_artifact_is_checked_out(self):
        repo = self.home / "repo"
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "init", "-q", repo], check=True)
        for text in ("one", "two"):
            (repo / "f").write_text(text)
            subprocess.run([*git, "-C", repo, "add", "f"], check=True)
            subprocess.run([*git, "-C", repo, "commit", "-q", "-m", text], check=True)
        path = self.workflow("""
  templates:
  - name: main
    inputs: {artifacts: [{name: src, path: /src, git: {repo: 'REPO', revision: HEAD~1}}]}
    container: {image: x, command: [test, -e, /src/f]}
    outputs: {parameters: [{name: p, valueFrom: {path: /src/f}}]}
""".replace("REPO", str(repo)))
        n = nodes(self.run_workflow(path))
        self.assertEqual(n["w"]["outputs"]["parameters"][0]["value"], "one")

    @unittest.skipUnless(shutil.which("git"), "no git")
    def test_git_is_told_not_to_ask_for_certificates(self):
        programs = self.home / "programs"
        programs.mkdir()
        told = self.home / "told"
        (programs / "git").write_text(f"#!/bin/sh\necho no-verify=$GIT_SSL_NO_VERIFY >> {told}\n"
                                      f"exec {shutil.which('git')} \"$@\"\n")
        (programs / "git").chmod(0o755)
        path = self.home / "programs" / "repo"
        subprocess.run(["git", "init", "-q", path], check=True)
        for field, value in (("insecureSkipTLS: true", "1"), ("insecureSkipTLS: false", "")):
            manifest = self.workflow(f"""
  templates:
  - name: main
    inputs: {{artifacts: [{{name: src, path: /src, git: {{repo: '{path}', {field}}}}}]}}
    container: {{image: x, command: ['true']}}
""")
            with mock.patch.dict(os.environ, {"PATH": f"{programs}:{os.environ['PATH']}"}):
                self.run_workflow(manifest, ok=None)
            self.assertEqual({f"no-verify={value}"}, set(told.read_text().split()))
            told.unlink()
            self.call("delete", "w")

    def test_a_finished_workflow_is_deleted_when_its_time_is_over(self):
        path = self.workflow("""
  ttlStrategy: {secondsAfterSuccess: 1, secondsAfterFailure: 600}
  templates: [{name: main, container: {image: x, command: ['true']}}]
""")
        self.run_workflow(path)
        self.assertTrue(self.get("w"))
        self.start_server()
        wait_until(lambda: not self.get("w"), 20, "the workflow to be deleted")
        self.assertEqual(list((self.home / "runs").iterdir()), [])
        # So is one that ends beside the server, whether that has seen it run or not.
        self.run_workflow(path)
        wait_until(lambda: not self.get("w"), 20, "the workflow to be deleted that ended beside the server")

    def test_a_reference_to_no_template_is_an_error_of_the_workflow(self):
        path = self.write("w.yaml", """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec: {workflowTemplateRef: {name: nowhere}}
""")
        w = self.run_workflow(path, ok=False)
        self.assertEqual(phase(w), "Error")
        self.assertEqual(w["status"]["message"], 'workflowtemplate.argoproj.io "nowhere" not found')
