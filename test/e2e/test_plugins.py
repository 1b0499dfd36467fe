"""Plugin templates: real plugin processes that speak Argo's executor-plugin protocol."""
import json
import os
import pathlib
import signal
import socket
import unittest

from engine import EngineTest, nodes, wait_until

SERVER = r'''
import http.server, json, os, pathlib, sys, time
state = pathlib.Path(sys.argv[1])
with (state / "started").open("a") as f: f.write("%d\n" % os.getpid())
token = open("/var/run/argo/token").read()
class Plugin(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def answer(self, status, o):
        self.send_response(status); self.end_headers()
        self.wfile.write(o if isinstance(o, bytes) else json.dumps(o).encode())
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with (state / "calls").open("a") as f: f.write(json.dumps(body) + "\n")
        calls = len((state / "calls").read_text().splitlines())
        if self.path != "/api/v1/template.execute": return self.answer(404, {})
        if self.headers["Authorization"] != "Bearer " + token: return self.answer(403, b"forbidden")
        plugin = body["template"]["plugin"]
        WHAT
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Plugin).serve_forever()
'''
DONE = 'return self.answer(200, {"node": {"phase": "Succeeded", "message": "Hello", "outputs": {"parameters": [{"name": "foo", "value": plugin["hello"]["say"]}]}}})'


class Plugins(EngineTest):
    def setUp(self):
        super().setUp()
        self.objects = []

    def plugin(self, name, what, **container):
        state = self.home / f"state-{name}"
        state.mkdir()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.objects.append({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "ExecutorPlugin", "metadata": {"name": name},
            "spec": {"sidecar": {"container": {
                "name": name, "image": "python:3", "command": ["/usr/bin/python3", "-c"],
                "args": [SERVER.replace("WHAT", what), str(state), str(port)],
                "ports": [{"containerPort": port}], **container}}}})
        return state

    def run_plugin(self, ok=True, spec=None, **template):
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"}, "spec": {
            "entrypoint": "main", **(spec or {}), "templates": [{
                "name": "main", "inputs": {"parameters": [{"name": "p", "value": "hi"}]},
                "plugin": {"hello": {"say": "{{inputs.parameters.p}}"}}, **template}]}}
        path = self.write("w.yaml", "\n---\n".join(json.dumps(o) for o in [*self.objects, workflow]))
        return nodes(self.run_workflow(path, ok=ok))["w"]

    def calls(self, state):
        return [json.loads(line) for line in (state / "calls").read_text().splitlines()]

    def pids(self, state):
        return [int(p) for p in (state / "started").read_text().split()]

    def is_alive(self, pid):
        try:
            return "Z" not in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return False

    def test_a_plugin_runs_a_template_and_ends_with_the_engine(self):
        state = self.plugin("hello", DONE, env=[{"name": "X", "value": "1"}])
        node = self.run_plugin()
        self.assertEqual((node["type"], node["phase"], node["message"]), ("Plugin", "Succeeded", "Hello"))
        self.assertEqual(node["outputs"]["parameters"], [{"name": "foo", "value": "hi"}])
        call, = self.calls(state)
        self.assertEqual(call["workflow"]["metadata"]["name"], "w")
        self.assertEqual(call["workflow"]["metadata"]["namespace"], "default")
        self.assertTrue(call["workflow"]["metadata"]["uid"])
        self.assertEqual(call["template"]["plugin"], {"hello": {"say": "hi"}})
        self.assertEqual(call["template"]["inputs"]["parameters"][0]["value"], "hi")
        pid, = self.pids(state)
        self.assertFalse(self.is_alive(pid))

    def test_plugins_are_asked_in_order_until_one_takes_it(self):
        first = self.plugin("a-not-found", "return self.answer(404, {})")
        second = self.plugin("b-not-mine", "return self.answer(200, {})")
        third = self.plugin("c-takes", DONE)
        fourth = self.plugin("d-too-late", DONE)
        self.assertEqual(self.run_plugin()["phase"], "Succeeded")
        self.assertEqual([len(self.calls(s)) for s in (first, second, third)], [1, 1, 1])
        self.assertFalse((fourth / "calls").exists())

    def test_a_plugin_may_ask_to_be_asked_again(self):
        state = self.plugin("later", 'if calls < 3: return self.answer(200, {"node": {"phase": "Running"}, "requeue": "200ms"})\n'
                                     "        " + DONE)
        node = self.run_plugin()
        self.assertEqual(node["phase"], "Succeeded")
        self.assertEqual(len(self.calls(state)), 3)

    def test_busy_and_dead_plugins_are_asked_again(self):
        busy = self.plugin("busy", "if calls < 3: return self.answer(503, b'busy')\n        " + DONE)
        self.assertEqual(self.run_plugin()["phase"], "Succeeded")
        self.assertEqual(len(self.calls(busy)), 3)
        self.call("delete", "w")
        self.objects.clear()
        dies = self.plugin("a-dies", "if calls < 2: os._exit(3)\n        " + DONE)
        self.assertEqual(self.run_plugin()["phase"], "Succeeded")
        self.assertEqual(len(self.pids(dies)), 2)

    def test_failures_are_told(self):
        for name, what, phase, message in (
                ("e500", 'return self.answer(500, b"broken")', "Failed", "500: broken"),
                ("json", 'return self.answer(200, b"<html>")', "Failed", "the answer is no JSON object"),
                ("fails", 'return self.answer(200, {"node": {"phase": "Failed", "message": "no"}})', "Failed", "no"),
                ("odd", 'return self.answer(200, {"node": {"phase": "Odd"}})', "Error",
                 "plugin 'odd' answered with the phase 'Odd'")):
            with self.subTest(name):
                self.plugin(name, what)
                node = self.run_plugin(ok=False)
                self.assertEqual((node["phase"], node["message"]), (phase, message))
                self.call("delete", "w")
                self.objects[0]["spec"]["sidecar"]["container"]["args"][0] = SERVER.replace(
                    "WHAT", "return self.answer(404, {})")
                self.call("apply", "-f", self.write("gone.json", json.dumps(self.objects.pop())))

    def test_without_a_plugin_the_template_fails(self):
        node = self.run_plugin(ok=False)
        self.assertEqual((node["phase"], node["message"]), ("Failed", "no plugin executed the template"))

    def test_a_workflow_may_bring_its_own(self):
        sizes = {"cpu": "1", "memory": "64Mi"}
        state = self.plugin("own", DONE, resources={"requests": sizes, "limits": sizes},
                            securityContext={"runAsNonRoot": True})
        own = [{k: v for k, v in self.objects.pop().items() if k in ("metadata", "spec")}]
        self.assertEqual(self.run_plugin(spec={"executorPlugins": own})["phase"], "Succeeded")
        self.assertEqual(len(self.calls(state)), 1)

    def test_config_maps_as_argo_builds_them_are_plugins(self):
        state = self.plugin("cm", DONE)
        container = self.objects.pop()["spec"]["sidecar"]["container"]
        self.objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "cm-executor-plugin", "labels": {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"}},
            "data": {"sidecar.automountServiceAccountToken": "false", "sidecar.container": json.dumps(container)}})
        self.assertEqual(self.run_plugin()["phase"], "Succeeded")
        self.assertEqual(len(self.calls(state)), 1)

    def test_a_template_is_asked_for_again_after_a_crash_and_can_be_stopped(self):
        state = self.plugin("slow", 'return self.answer(200, {"node": {"phase": "Running"}, "requeue": "50ms"})')
        self.call("apply", "-f", self.write("p.json", json.dumps(self.objects[0])))
        self.objects.clear()
        engine = self.start_server()
        self.submit(self.write("w.yaml", json.dumps({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "plugin": {"hello": {}}}]}})))
        wait_until(lambda: (state / "calls").exists() and len(self.calls(state)) > 2)
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        pid, = self.pids(state)
        wait_until(lambda: not self.is_alive(pid), 5, "the plugin to die with its engine")
        before = len(self.calls(state))
        self.start_server()
        wait_until(lambda: len(self.calls(state)) > before + 2)
        self.call("stop", "w")
        w = self.wait_for_phase("w", "Failed")
        self.assertEqual(nodes(w)["w"]["message"], "Stopped with strategy 'Stop'")


if __name__ == "__main__":
    unittest.main()
