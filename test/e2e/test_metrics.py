"""Metrics that workflows and templates declare, as `tiphys metrics` and `run --stats` show them."""
import json
import unittest

from engine import EngineTest

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME, labels: {team: blue}}
spec:
  entrypoint: main
  metrics:
    prometheus:
    - {name: runs, help: how often, labels: [{key: status, value: "{{workflow.status}}"}], counter: {value: "1"}}
  templates:
  - name: main
    steps: [[{name: try, template: try, continueOn: {failed: true}}], [{name: size, template: size}]]
  - name: try
    retryStrategy: {limit: 1}
    metrics:
      prometheus:
      - name: failures
        help: steps that failed
        when: "{{status}} == Failed"
        labels: [{key: code, value: "{{exitCode}}"}]
        counter: {value: "1"}
    container: {image: x, command: [sh, -c, 'exit 1']}
  - name: size
    outputs: {parameters: [{name: bytes, valueFrom: {path: /tmp/n}}]}
    metrics:
      prometheus:
      - {name: bytes, help: size, histogram: {buckets: [10, 100], value: "{{outputs.parameters.bytes}}"}}
      - {name: last_bytes, help: size, gauge: {value: "{{outputs.parameters.bytes}}"}}
    container: {image: x, command: [sh, -c, 'printf SIZE > /tmp/n']}
"""


class Metrics(EngineTest):
    def run_one(self, name, size, *flags):
        path = self.write(f"{name}.yaml", WORKFLOW.replace("NAME", name).replace("SIZE", str(size)))
        return self.call("run", path, *flags)

    def test_metrics_are_shown_from_the_store(self):
        self.run_one("a", 5)
        self.run_one("b", 50)
        text = self.call("metrics", "-o", "prometheus").stdout
        for line in ('argo_workflows_runs{status="Succeeded"} 2', "# TYPE argo_workflows_failures counter",
                     'argo_workflows_bytes_bucket{le="10"} 1', 'argo_workflows_bytes_bucket{le="+Inf"} 2',
                     "argo_workflows_bytes_sum 55", "argo_workflows_bytes_count 2", "# HELP argo_workflows_bytes size",
                     "argo_workflows_last_bytes 50"):
            self.assertIn(line + "\n", text)
        self.assertRegex(text, r'argo_workflows_failures\{code="\d"\} 2\n')  # one for each Retry node
        rows = {r["name"]: r for r in json.loads(self.call("metrics", "-o", "json").stdout)}
        self.assertEqual((rows["runs"]["value"], rows["bytes"]["count"]), (2, 2))
        self.assertIn('runs{status="Succeeded"} 2\n', self.call("metrics").stdout)
        self.call("delete", "a")
        self.assertIn('runs{status="Succeeded"} 1\n', self.call("metrics").stdout)

    def test_metrics_that_cannot_be_emitted_are_a_condition(self):
        path = self.write("c.yaml", WORKFLOW.replace("NAME", "c").replace("SIZE", "x").replace(
            'counter: {value: "1"}}\n  templates', 'counter: {value: "1"}}\n    - {name: live, help: h, '
            'gauge: {realtime: true, value: "5"}}\n  templates'))
        told = 'real time metrics can only be used with metric variables'
        parsed = 'strconv.ParseFloat: parsing "x": invalid syntax'
        for w in (self.run_workflow(path), self.get("c")):
            found = [c for c in w["status"]["conditions"] if c["type"] == "MetricsError"]
            self.assertEqual([{"type": "MetricsError", "status": "True", "message":
                               f"could not construct metric 'bytes': {parsed}, "
                               f"could not construct metric 'last_bytes': {parsed}, {told}"}], found)

    def test_a_run_tells_its_own(self):
        err = self.run_one("a", 5, "--stats").stderr
        self.assertIn('metric runs{status="Succeeded"} 1\n', err)
        self.assertIn("metric last_bytes 5\n", err)

    def test_without_metrics_there_are_none(self):
        self.assertEqual(self.call("metrics").stdout, "No metrics found\n")


if __name__ == "__main__":
    unittest.main()
