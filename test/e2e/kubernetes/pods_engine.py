"""The program under test with Kubernetes as its executor, whether the API is real or fake."""
import subprocess
import textwrap

from engine import EngineTest, binary, wait_until
from fake_api import FakeApi

ENGINE = "tiphys.dev/engine"
WORKFLOW = "workflows.argoproj.io/workflow"
COMPLETED = "workflows.argoproj.io/completed"


def workflow(templates, name="w", spec=""):
    """A Workflow whose entrypoint is `main`; `templates` is a YAML list, `spec` more fields of the spec."""
    return (f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\nspec:\n"
            f"  entrypoint: main\n{textwrap.indent(textwrap.dedent(spec), '  ').rstrip()}\n"
            f"  templates:\n{textwrap.indent(textwrap.dedent(templates), '  ')}")


def template(name="main", script="exit 0", image="busybox:latest", told=None, more=""):
    """A container template; `told`: what fake_kubelet shall do with its pod."""
    notes = ", ".join(f"fake.tiphys.dev/{k.replace('_', '-')}: {str(v)!r}" for k, v in (told or {}).items())
    metadata = f"\n  metadata: {{annotations: {{{notes}}}}}" if notes else ""
    body = f"\n{textwrap.indent(textwrap.dedent(more), '  ').rstrip()}" if more else ""
    return (f"- name: {name}{metadata}{body}\n  container:\n    image: {image}\n    imagePullPolicy: IfNotPresent\n"
            f"    command: [sh, -c]\n    args: [{script!r}]\n")


class PodsTest(EngineTest):
    """A test whose engine makes pods in self.namespace of the API that self.config names."""

    config = None
    namespace = "default"

    def flags(self):
        return ("--executor", "kubernetes", "--kubeconfig", str(self.config), "--namespace", self.namespace)

    def with_flags(self, args):
        if args[0] == "submit":
            return (args[0], "--namespace", self.namespace, *args[1:])
        return (args[0], *self.flags(), *args[1:]) if args[0] in ("run", "server") else args

    def env(self, **more):
        return super().env(**{"KUBECONFIG": str(self.config), **more})

    def call(self, *args, **kwargs):
        return super().call(*self.with_flags(args), **kwargs)

    def start(self, *args, **kwargs):
        return super().start(*self.with_flags(args), **kwargs)

    def start_server(self, *args, env=None):
        p = subprocess.Popen([binary(), *map(str, self.with_flags(("server", *args)))], env=env or self.env(),
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.engines.append(p)
        self.assertRegex(p.stdout.readline(), "server", "the server must say when it is ready")
        return p

    def run_pods(self, templates, ok=True, **parts):
        return self.run_workflow(self.write("w.yaml", workflow(templates, **parts)), ok=ok)

    def run_pod(self, ok=True, **parts):
        """Runs a workflow of one container; its node."""
        nodes = self.run_pods(template(**parts), ok=ok)["status"]["nodes"]
        return next(iter(nodes.values()))

    def submit_pods(self, templates, **parts):
        return self.submit(self.write("w.yaml", workflow(templates, **parts)))

    def node(self, name, display):
        """A node of a workflow as it stands, or {}."""
        every = ((self.get(name).get("status") or {}).get("nodes") or {}).values()
        return next((n for n in every if n["displayName"] == display), {})

    def wait_for_node(self, name, display, condition, what):
        return wait_until(lambda: (n := self.node(name, display)) and condition(n) and n, 120, what)


class FakeApiTest(PodsTest):
    """A PodsTest with a fake API of its own, self.api."""

    def setUp(self):
        super().setUp()
        self.api = FakeApi()
        self.api.__enter__()
        self.addCleanup(self.api.__exit__, None, None, None)
        self.config = self.api.kubeconfig(self.home / "kubeconfig")
