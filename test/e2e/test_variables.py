"""Every variable of Argo's docs/variables.md, in each place where it is said to be known: a workflow runs, and what
came of the variable is compared."""
import http.server
import json
import re
import threading
import unittest

from engine import EngineTest, nodes

HEAD = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  name: vars
  labels: {team: blue}
  annotations: {note: "a b"}
spec:
  entrypoint: main
  serviceAccountName: robot
  priority: 7
  arguments: {parameters: [{name: message, value: hello}]}
"""

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
UID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def inputs(node):
    return {p["name"]: p.get("value") for p in node.get("inputs", {}).get("parameters", [])}


def outputs(node):
    return {p["name"]: p.get("value") for p in node.get("outputs", {}).get("parameters", [])}


def parameters(variables):
    """The rows of a table as arguments or inputs, whose values are these texts."""
    return json.dumps([{"name": f"p{i}", "value": text} for i, (text, _) in enumerate(variables)])


def declared(variables):
    return json.dumps([{"name": f"p{i}"} for i in range(len(variables))])


class Variables(EngineTest):
    def run_body(self, body, *flags, ok=True):
        self.workflow = self.run_workflow(self.write("vars.yaml", HEAD + body), *flags, ok=ok)
        self.assertNotIn("message", self.workflow["status"])
        return nodes(self.workflow)

    def check(self, table, got):
        """Each row: the text with the variable, and a pattern for the whole of what it becomes."""
        for i, (text, wanted) in enumerate(table):
            with self.subTest(text):
                self.assertRegex(got[f"p{i}"], re.compile(rf"\A(?:{wanted})\Z", re.S))

    GLOBALS = [
        ("{{workflow.name}}", "vars"),
        ("{{workflow.namespace}}", "default"),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.serviceAccountName}}", "robot"),
        ("{{workflow.uid}}", UID),
        ("{{workflow.parameters.message}}", "hello"),
        ("{{workflow.parameters}}", re.escape('[{"name":"message","value":"hello"}]')),
        ("{{workflow.parameters.json}}", re.escape('[{"name":"message","value":"hello"}]')),
        ("{{=workflow.parameters.message}}", "hello"),
        ("{{=jsonpath(workflow.parameters.json, '$[0].value')}}", "hello"),
        ("{{workflow.annotations.note}}", "a b"),
        ("{{workflow.annotations.json}}", re.escape('{"note":"a b"}')),
        ("{{workflow.labels.team}}", "blue"),
        ("{{workflow.labels.json}}", r'\{.*"team":"blue".*\}'),
        ("{{workflow.creationTimestamp}}", TIME),
        ("{{workflow.creationTimestamp.RFC3339}}", TIME),
        ("{{workflow.creationTimestamp.s}}", r"\d{10}"),
        ("{{workflow.creationTimestamp.Y}}-{{workflow.creationTimestamp.m}}-{{workflow.creationTimestamp.d}}",
         r"\d{4}-\d\d-\d\d"),
        ("{{workflow.creationTimestamp.H}}:{{workflow.creationTimestamp.M}}:{{workflow.creationTimestamp.S}}",
         r"\d\d:\d\d:\d\d"),
        ("{{workflow.creationTimestamp.A}} {{workflow.creationTimestamp.a}}", r"(\w{3})\w*day \1"),
        ("{{workflow.creationTimestamp.B}} {{workflow.creationTimestamp.b}}", r"(\w{3})\w* \1"),
        ("{{workflow.creationTimestamp.y}}{{workflow.creationTimestamp.p}}", r"\d\d[AP]M"),
        ("{{workflow.creationTimestamp.Z}}", "UTC"),
        ("{{workflow.priority}}", "7"),
        ("{{workflow.duration}}", r"\d+\.\d{6}"),
        ("{{workflow.status}}", "Running"),
        ("{{=workflow.name + '-' + workflow.labels.team}}", "vars-blue"),
        ("{{ workflow.name }}", "vars"),
    ]

    def test_the_workflow(self):
        n = self.run_body(f"""
  templates:
  - name: main
    steps: [[{{name: a, template: leaf, arguments: {{parameters: {parameters(self.GLOBALS)}}}}}]]
  - name: leaf
    inputs: {{parameters: {declared(self.GLOBALS)}}}
    container: {{image: x, command: ["true"]}}
""")
        self.check(self.GLOBALS, inputs(n["a"]))
        stamp = self.workflow["metadata"]["creationTimestamp"]
        self.assertEqual(inputs(n["a"])["p14"], stamp)
        self.assertEqual(inputs(n["a"])["p15"], stamp)
        self.assertEqual(inputs(n["a"])["p17"], stamp[:10])
        self.assertEqual(inputs(n["a"])["p18"], stamp[11:19])

    def test_the_workflow_in_a_command(self):
        """Not only in arguments: in every text of a template."""
        table = [row for row in self.GLOBALS if "'" not in row[0]]
        args = json.dumps([text for text, _ in table])
        n = self.run_body(f"""
  templates:
  - name: main
    outputs: {{parameters: [{{name: p, valueFrom: {{path: /tmp/p}}}}]}}
    container: {{image: x, command: [python3, -c, "import json, sys; open('/tmp/p', 'w').write(json.dumps(sys.argv[1:]))"],
      args: {args}}}
""")
        got = json.loads(outputs(n["vars"])["p"])
        self.check(table, {f"p{i}": text for i, text in enumerate(got)})

    def test_a_scheduled_time(self):
        n = self.run_body("""
  templates:
  - name: main
    inputs: {parameters: [{name: t, value: "{{workflow.scheduledTime}}"}]}
    container: {image: x, command: ["true"]}
""", "--scheduled-time", "2020-02-03T04:05:06Z")
        self.assertEqual(inputs(n["vars"])["t"], "2020-02-03T04:05:06Z")

    LEAF = [
        ("{{inputs.parameters.who}}", "world"),
        ("{{inputs.parameters}}", r'\[.*\{"name":"who","value":"world"\}.*\]'),
        ("{{=inputs.parameters.who + '!'}}", "world!"),
        ("{{=inputs.parameters['who']}}", "world"),
        ("{{inputs.artifacts.in.path}}", "/tmp/in"),
        ("{{outputs.artifacts.out.path}}", "/tmp/out"),
        ("{{outputs.parameters.p.path}}", "/tmp/p"),
        ("{{node.name}}", r"vars\[0\]\.a"),
        ("{{pod.name}}", r"vars-leaf-\d+"),
        ("{{steps.name}}", "a"),
    ]

    def leaf(self, kind):
        args = json.dumps([text for text, _ in self.LEAF])
        write = "import json, sys; open('/tmp/out', 'w').close(); open('/tmp/p', 'w').write(json.dumps(sys.argv[-10:]))"
        body = (f'container: {{image: x, command: [python3, -c, "{write}"], args: {args}}}' if kind == "container" else
                f'script: {{image: x, command: [python3], source: "{write}", args: {args}}}')
        return f"""
  - name: leaf
    inputs:
      parameters: [{{name: who}}]
      artifacts: [{{name: in, path: /tmp/in, raw: {{data: x}}}}]
    outputs:
      parameters: [{{name: p, globalName: g, valueFrom: {{path: /tmp/p}}}}]
      artifacts: [{{name: out, path: /tmp/out, globalName: ga}}]
    {body}
"""

    def test_a_container(self):
        n = self.run_body("""
  templates:
  - name: main
    steps: [[{name: a, template: leaf, arguments: {parameters: [{name: who, value: world}]}}]]
""" + self.leaf("container"))
        self.check(self.LEAF, {f"p{i}": t for i, t in enumerate(json.loads(outputs(n["a"])["p"]))})

    def test_a_task_knows_its_name(self):
        n = self.run_body("""
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: leaf}
      - {name: l, template: leaf, withItems: [x, z]}
  - name: leaf
    outputs: {parameters: [{name: p, valueFrom: {path: /tmp/p}}]}
    container: {image: x, command: [sh, -c, "printf '{{tasks.name}} {{node.name}}' > /tmp/p"]}
""")
        self.assertEqual(outputs(n["a"])["p"], "a vars.a")
        self.assertEqual(outputs(n["l(0:x)"])["p"], "l(0:x) vars.l(0:x)")

    NODE = [
        ("{{ROOT.a.id}}", r"vars-\d+"),
        ("{{ROOT.a.status}}", "Succeeded"),
        ("{{ROOT.a.exitCode}}", "0"),
        ("{{ROOT.a.startedAt}}", TIME),
        ("{{ROOT.a.finishedAt}}", TIME),
        ("{{ROOT.a.hostNodeName}}", r"\S+"),
        ("{{ROOT.a.outputs.result}}", "said"),
        ("{{ROOT.a.outputs.parameters.p}}", "written"),
        ("{{=ROOT.a.outputs.parameters.p}}", "written"),
        ("{{=ROOT['a'].status}}", "Succeeded"),
        ("{{ROOT.l.outputs.parameters}}", re.escape('[{"p":"x"},{"p":"z"}]')),
        ("{{ROOT.l.outputs.parameters.p}}", re.escape('["x","z"]')),
        ("{{ROOT.l.outputs.result}}", re.escape('["said x","said z"]')),
        ("{{ROOT.l.status}}", "Succeeded"),
        ("{{ROOT.none.status}}", "Skipped"),
        ("{{=ROOT.none.outputs.parameters.p ?? 'none'}}", "none"),
        ("{{ROOT.d.ip}}", r"127\.0\.0\.1"),
        ("{{workflow.outputs.parameters.g}}", "written"),
    ]

    LEAVES = """
  - name: say
    inputs: {parameters: [{name: item, default: ""}]}
    outputs: {parameters: [{name: p, globalName: g, valueFrom: {path: /tmp/p}}],
              artifacts: [{name: art, path: /tmp/art, globalName: ga}]}
    container: {image: x, command: [sh, -c, "printf written > /tmp/p; printf art > /tmp/art; printf said"]}
  - name: each
    inputs: {parameters: [{name: item}]}
    outputs: {parameters: [{name: p, valueFrom: {path: /tmp/p}}]}
    container: {image: x, command: [sh, -c, 'printf {{inputs.parameters.item}} > /tmp/p; printf "\\"said {{inputs.parameters.item}}\\""']}
  - name: daemon
    daemon: true
    container: {image: x, command: [sleep, "600"]}
"""

    def read_leaf(self, table):
        return f"""
  - name: read
    inputs: {{parameters: {declared(table)}, artifacts: [{{name: in, path: /tmp/in}}, {{name: global, path: /tmp/global}}]}}
    container: {{image: x, command: [sh, -c, "cat /tmp/in /tmp/global"]}}
"""

    def nodes_table(self, root):
        return [(text.replace("ROOT", root), wanted) for text, wanted in self.NODE]

    def arguments(self, table, root):
        return (f"{{parameters: {parameters(table)}, artifacts: [{{name: in, from: '{{{{{root}.a.outputs.artifacts.art}}}}'}}, "
                "{name: global, from: '{{workflow.outputs.artifacts.ga}}'}]}")

    def test_steps(self):
        table = self.nodes_table("steps")
        n = self.run_body(f"""
  templates:
  - name: main
    steps:
    - - {{name: a, template: say}}
      - {{name: none, template: say, when: "1 == 2"}}
      - {{name: d, template: daemon}}
      - {{name: l, template: each, withItems: [x, z], arguments: {{parameters: [{{name: item, value: "{{{{item}}}}"}}]}}}}
    - - {{name: b, template: read, arguments: {self.arguments(table, "steps")}}}
""" + self.LEAVES + self.read_leaf(table))
        self.check(table, inputs(n["b"]))
        self.assertEqual(inputs(n["b"])["p0"], n["a"]["id"])
        self.assertEqual(inputs(n["b"])["p3"], n["a"]["startedAt"])
        self.assertEqual(inputs(n["b"])["p4"], n["a"]["finishedAt"])
        self.assertIn("artart", self.call("logs", "vars", "--no-color").stdout)

    def test_tasks(self):
        table = self.nodes_table("tasks")
        n = self.run_body(f"""
  templates:
  - name: main
    dag:
      tasks:
      - {{name: a, template: say}}
      - {{name: none, template: say, when: "1 == 2"}}
      - {{name: d, template: daemon}}
      - {{name: l, template: each, withItems: [x, z], arguments: {{parameters: [{{name: item, value: "{{{{item}}}}"}}]}}}}
      - {{name: b, template: read, depends: a && none.Skipped && d && l, arguments: {self.arguments(table, "tasks")}}}
""" + self.LEAVES + self.read_leaf(table))
        self.check(table, inputs(n["b"]))
        self.assertIn("artart", self.call("logs", "vars", "--no-color").stdout)

    LOOPS = [
        ("{{item}}", r'\{"os":"linux","version":"1\.0"\}'),
        ("{{item.os}}", "linux"),
        ("{{item.version}}", r"1\.0"),
        ("{{=item.os}}", "linux"),
        ("{{=item['version']}}", r"1\.0"),
    ]

    def test_loops(self):
        arguments = f"arguments: {{parameters: {parameters(self.LOOPS)}}}"
        n = self.run_body(f"""
  templates:
  - name: main
    steps:
    - - {{name: a, template: leaf, withItems: [{{os: linux, version: "1.0"}}], {arguments}}}
      - {{name: b, template: leaf, withParam: '[{{"os":"linux","version":"1.0"}}]', {arguments}}}
      - {{name: c, template: one, withItems: [5], when: "{{{{item}}}} > 4", arguments: {{parameters: [{{name: p, value: "{{{{item}}}}"}}]}}}}
      - {{name: s, template: one, withSequence: {{start: "3", end: "4", format: "n%02d"}}, arguments: {{parameters: [{{name: p, value: "{{{{item}}}}"}}]}}}}
  - name: leaf
    inputs: {{parameters: {declared(self.LOOPS)}}}
    container: {{image: x, command: ["true"]}}
  - name: one
    inputs: {{parameters: [{{name: p}}]}}
    container: {{image: x, command: ["true"]}}
""")
        by_letter = {name[0]: node for name, node in n.items() if "(" in name}
        for letter in "ab":
            self.check(self.LOOPS, inputs(by_letter[letter]))
        self.assertEqual(inputs(by_letter["c"]), {"p": "5"})
        self.assertEqual(inputs(n["s(0:n03)"]), {"p": "n03"})

    def test_retries(self):
        text = "{{retries}} {{lastRetry.exitCode}} [{{lastRetry.status}}] [{{lastRetry.message}}] {{lastRetry.duration}}"
        n = self.run_body(f"""
  templates:
  - name: main
    retryStrategy:
      limit: 4
      expression: "asInt(lastRetry.exitCode) == 3 && lastRetry.status == 'Failed' && asInt(lastRetry.duration) >= 0
        && lastRetry.message contains 'exit code 3' && asInt(retries) < 3"
    outputs: {{parameters: [{{name: p, valueFrom: {{path: /tmp/p}}}}, {{name: pod, value: "{{{{pod.name}}}}"}}]}}
    container: {{image: x, command: [sh, -c, "printf '{text}' > /tmp/p; [ {{{{retries}}}} -gt 0 ] || exit 3"]}}
""")
        self.assertEqual(outputs(n["vars(0)"])["p"], "0 0 [] [] 0")
        self.assertRegex(outputs(n["vars(1)"])["p"], r"\A1 3 \[Failed\] \[main: Error \(exit code 3\)\] \d+\Z")
        self.assertNotEqual(outputs(n["vars(0)"])["pod"], outputs(n["vars(1)"])["pod"])

    EXIT = [
        ("{{workflow.status}}", "Failed"),
        ("{{=workflow.status}}", "Failed"),
        ("{{workflow.duration}}", r"\d+\.\d{6}"),
        ("{{workflow.outputs.parameters.g}}", "written"),
    ]

    def exits(self, how, spec, name):
        failing = "{name: b, template: fails}"
        self.workflow = self.run_workflow(self.write("vars.yaml", HEAD + f"""
{spec}
  templates:
  - name: main
    steps: [[{{name: a, template: say}}], [{failing}]]
  - name: fails
    container: {{image: x, command: [sh, -c, "exit 3"]}}
  - name: tell
    inputs: {{parameters: {json.dumps([{"name": f"p{i}", "value": t} for i, (t, _) in enumerate(self.EXIT)])}}}
    outputs: {{parameters: [{{name: failures, valueFrom: {{path: /tmp/f}}}}]}}
    container: {{image: x, env: [{{name: F, value: "{{{{workflow.failures}}}}"}}], command: [sh, -c, 'printf "%s" "$F" > /tmp/f']}}
""" + self.LEAVES), ok=False)
        n = nodes(self.workflow)[name]
        self.check(self.EXIT, inputs(n))
        failures = {f["displayName"]: f for f in json.loads(json.loads(outputs(n)["failures"]))}
        failure = failures["b"]
        self.assertEqual(sorted(failure), ["displayName", "finishedAt", "message", "phase", "podName", "templateName"])
        self.assertEqual((failure["displayName"], failure["templateName"], failure["phase"], failure["message"]),
                         ("b", "fails", "Failed", "main: Error (exit code 3)"), how)
        self.assertRegex(failure["podName"], r"^vars-fails-\d+$")

    def test_the_exit_handler(self):
        self.exits("onExit", "  onExit: tell", "vars.onExit")

    def test_a_hook_at_the_end(self):
        self.exits("hooks.exit", "  hooks: {exit: {template: tell}}", "vars.onExit")

    CONDITIONS = [
        "request.method == 'POST'",
        "request.url == '{{inputs.parameters.url}}'",
        "request.body == 'asked'",
        "request.headers['X-Asked'][0] == 'yes'",
        "response.statusCode == 201",
        "response.body == 'answer'",
        "response.headers['X-Answer'][0] == 'yes'",
    ]

    def test_http(self):
        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(201)
                self.send_header("X-Answer", "yes")
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"answer")

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_address[1]}/x"
        tasks = "\n".join(f"      - {{name: t{i}, template: ask{i}, arguments: {{parameters: [{{name: url, value: '{url}'}}]}}}}"
                          for i in range(len(self.CONDITIONS) + 1))
        asks = "".join(f"""
  - name: ask{i}
    inputs: {{parameters: [{{name: url}}]}}
    http:
      url: "{{{{inputs.parameters.url}}}}"
      method: POST
      headers: [{{name: X-Asked, value: "yes"}}]
      body: asked
      successCondition: {json.dumps(condition)}
""" for i, condition in enumerate(self.CONDITIONS + ["response.statusCode == 200"]))
        self.workflow = self.run_workflow(self.write("vars.yaml", HEAD + f"""
  templates:
  - name: main
    dag:
      failFast: false
      tasks:
{tasks}
      - {{name: after, template: leaf, depends: t0, arguments: {{parameters: [{{name: r, value: "{{{{tasks.t0.outputs.result}}}}"}}]}}}}
  - name: leaf
    inputs: {{parameters: [{{name: r}}]}}
    container: {{image: x, command: ["true"]}}
""" + asks), ok=False)
        n = nodes(self.workflow)
        for i, condition in enumerate(self.CONDITIONS):
            with self.subTest(condition):
                self.assertEqual(n[f"t{i}"]["phase"], "Succeeded")
        self.assertEqual(n[f"t{len(self.CONDITIONS)}"]["phase"], "Failed")
        self.assertEqual(inputs(n["after"])["r"], "answer")

    METRICS = [
        ("{{status}}", "Succeeded"),
        ("{{exitCode}}", "0"),
        ("{{inputs.parameters.who}}", "world"),
        ("{{outputs.parameters.p}}", "9"),
        ("{{outputs.result}}", "said"),
        ("{{workflow.name}}", "vars"),
        ("{{workflow.labels.team}}", "blue"),
        ("{{workflow.parameters.message}}", "hello"),
        ("{{workflow.serviceAccountName}}", "robot"),
        ("{{workflow.priority}}", "7"),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.creationTimestamp.Y}}", r"\d{4}"),
        ("{{workflow.annotations.note}}", "a b"),
        ("{{=status + '!'}}", "Succeeded!"),
    ]
    NUMBERS = [
        ("duration", "{{duration}}", 0, 600),
        ("output", "{{outputs.parameters.p}}", 9, 9),
        ("retried", "{{retries}}", 0, 0),
        ("cpu", "{{resourcesDuration.cpu}}", 0, 600),
        ("memory", "{{resourcesDuration.memory}}", 0, 600),
        ("expression", "{{=asInt(outputs.parameters.p) + 1}}", 10, 10),
    ]

    def test_metrics(self):
        labels = json.dumps([{"key": f"p{i}", "value": text} for i, (text, _) in enumerate(self.METRICS)])
        gauges = "".join(f"\n      - {{name: {name}, help: h, gauge: {{value: '{text}'}}}}"
                         for name, text, _, _ in self.NUMBERS)
        self.run_body(f"""
  metrics:
    prometheus:
    - {{name: whole, help: h, gauge: {{value: "{{{{workflow.duration}}}}"}}, labels: [{{key: status, value: "{{{{workflow.status}}}}"}}]}}
    - {{name: live, help: h, gauge: {{value: "{{{{workflow.duration}}}}", realtime: true}}}}
  templates:
  - name: main
    steps: [[{{name: a, template: leaf}}, {{name: again, template: flaky}}], [{{name: b, template: read, arguments: {{parameters: [{{name: p, value: "{{{{steps.a.outputs.result}}}}"}}]}}}}]]
  - name: leaf
    inputs: {{parameters: [{{name: who, value: world}}]}}
    outputs: {{parameters: [{{name: p, valueFrom: {{path: /tmp/p}}}}]}}
    metrics:
      prometheus:
      - {{name: texts, help: h, when: "{{{{status}}}} == Succeeded", counter: {{value: "1"}}, labels: {labels}}}
      - {{name: live_duration, help: h, gauge: {{value: "{{{{duration}}}}", realtime: true}}}}{gauges}
    container: {{image: x, command: [sh, -c, "printf 9 > /tmp/p; printf said"]}}
  - name: read
    inputs: {{parameters: [{{name: p, value: x}}]}}
    container: {{image: x, command: ["true"]}}
  - name: flaky
    retryStrategy: {{limit: 2}}
    metrics:
      prometheus:
      - {{name: tries, help: h, gauge: {{value: "{{{{retries}}}}"}}}}
    container: {{image: x, command: [sh, -c, "[ {{{{retries}}}} = 1 ]"]}}
""")
        rows = {r["name"]: r for r in json.loads(self.call("metrics", "-o", "json").stdout)}
        labels = rows["texts"]["labels"]
        self.check(self.METRICS, labels)
        for name, text, low, high in self.NUMBERS:
            with self.subTest(text):
                self.assertIn(name, rows)
                self.assertTrue(low <= rows[name]["value"] <= high, rows[name])
        self.assertEqual(rows["whole"]["labels"], {"status": "Succeeded"})
        self.assertIn("live", rows)
        self.assertIn("live_duration", rows)
        self.assertEqual(rows["tries"]["value"], 1)


if __name__ == "__main__":
    unittest.main()
