"""A MiB of hostile input: whatever it is, each command that reads it ends soon, with at most 256 MiB of memory."""
import json
import os
import subprocess

from engine import EngineTest, binary, is_sanitized

SIZE = 1 << 20
MEMORY_KIB_MAX = 256 << 10
# A second of CPU on a machine of today; machines differ, and what grows with the square of its input takes much longer.
CPU_SECONDS_MAX = 5

HEAD = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec:\n  entrypoint: main\n  templates:\n"
LEAF = "  - name: main\n    container: {image: x, command: ['true']}\n"
OTHER = "  - {name: leaf, suspend: {duration: '0'}}\n"


def repeated(text):
    return text * (SIZE // len(text) + 1)


def rows(head, row):
    """`row` with its number in place of #, and the one before in place of @, until there is a MiB."""
    out, size = [head], 0
    while size < SIZE:
        i = len(out)
        out.append(row.replace("#", str(i)).replace("@", str(max(i - 1, 1))))
        size += len(out[-1])
    return "".join(out)


def step_with(field, text):
    return (HEAD + OTHER + "  - name: main\n    steps:\n    - - name: s\n        template: leaf\n"
            f"        {field}: {json.dumps(text)}\n")


def argument(text):
    return HEAD + f"  - name: main\n    container: {{image: x, command: ['true'], args: [{json.dumps(text)}]}}\n"


def keys(count):
    return "{" + ",".join(f'"k{i}":"x"' for i in range(count)) + "}"


BOMB = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 40) + "]" for i in range(1, 100)]

YAML = {
    "aliases": "\n".join(BOMB),
    "lists in lists": repeated("["),
    "maps in maps": repeated("{a: "),
    "dashes": repeated("- "),
    "question marks": repeated("? "),
    "documents": repeated("---\na: b\n"),
    "empty documents": repeated("---\n"),
    "keys": rows("", "k#: 1\n"),
    "elements": "[" + repeated("a,") + "]",
    "empty maps": "[" + repeated("{},") + "]",
    "an open quote": repeated('"'),
    "zero bytes": repeated("\0"),
    "directives": repeated("%TAG !a! b\n"),
    "tags of YAML": repeated("!!str "),
    "block scalars": repeated("|\n"),
    "no UTF-8": b"\xff" * SIZE,
    "JSON that nests": '{"kind":"Workflow","spec":' + repeated("["),
}

MANIFESTS = {
    "labels": HEAD + LEAF + f"    metadata: {{labels: {keys(70_000)}}}\n",
    "annotations": HEAD.replace("{name: w}", "{name: w, annotations: " + keys(70_000) + "}") + LEAF,
    "a ConfigMap": "kind: ConfigMap\nmetadata: {name: c}\ndata: " + keys(70_000) + "\n",
    "unknown fields": rows("", "---\nkind: Workflow\nmetadata: {name: w#}\nspec: {entrypoint: m, nope: 1}\n"),
    "templates": rows(HEAD + LEAF, "  - {name: t#, suspend: {}}\n"),
    "a chain of templates": rows(HEAD + "  - {name: main, steps: [[{name: s, template: t1}]]}\n" + OTHER,
                                 "  - {name: t#, steps: [[{name: s, template: t@}]]}\n"),
    "steps": rows(HEAD + OTHER + "  - name: main\n    steps:\n", "    - [{name: s#, template: leaf}]\n"),
    "tasks": rows(HEAD + OTHER + "  - name: main\n    dag:\n      tasks:\n      - {name: t1, template: leaf}\n",
                  "      - {name: u#, template: leaf, depends: t1}\n"),
    "parameters": rows(HEAD + LEAF + "    inputs:\n      parameters:\n", "      - {name: p#, value: x}\n"),
    "hooks": HEAD.replace("  templates:\n", "  hooks: {" + ",".join(
        f"h{i}: {{template: main, expression: 'workflow.status == \"Failed\"'}}" for i in range(14_000))
        + "}\n  templates:\n") + LEAF,
    "open tags": argument(repeated("{{")),
    "tags of nothing": argument(repeated("{{nope}}")),
    "tags": argument(repeated("{{workflow.name}}")),
    "expressions": argument(repeated("{{=1}}")),
    "an expression that nests": argument("{{=" + repeated("(") + "}}"),
    "a long sum": argument("{{=" + repeated("1+") + "1}}"),
    "loops in loops": argument("{{=" + repeated("map(1..1000, {") + "}}"),
    "when that nests": step_with("when", repeated("(")),
    "when with ands": step_with("when", repeated("true && ") + "true"),
    "when with nots": step_with("when", repeated("!") + "true"),
    "a list that nests": step_with("withParam", repeated("[")),
    "a long number": step_with("withParam", "[" + "9" * SIZE + "]"),
    "an object's keys": step_with("withParam", "[" + keys(70_000) + "]"),
    "depends that nests": HEAD + OTHER + "  - name: main\n    dag:\n      tasks:\n      - {name: a, template: leaf}\n"
                          "      - {name: b, template: leaf, depends: '" + repeated("(") + "a'}\n",
    "depends with ands": HEAD + OTHER + "  - name: main\n    dag:\n      tasks:\n      - {name: a, template: leaf}\n"
                         "      - {name: b, template: leaf, depends: '" + repeated("a && ") + "a'}\n",
    "a schedule": "kind: CronWorkflow\nmetadata: {name: c}\nspec:\n  schedules: ['" + repeated("1,") + "1 * * * *']\n"
                  "  workflowSpec: {entrypoint: m, templates: [{name: m, suspend: {}}]}\n",
    "a long name": HEAD + f"  - {{name: {repeated('a')}, suspend: {{}}}}\n",
}


class HostileInput(EngineTest):
    def bounded(self, text, *command):
        """Runs `command FILE`, which may fail."""
        path = self.home / "hostile.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with open(self.home / "told", "wb") as told:
            p = subprocess.Popen([binary(), *command, str(path)], env=self.env(), stdout=told, stderr=told,
                                 stdin=subprocess.DEVNULL)
            self.engines.append(p)  # ends with the test, whatever becomes of it
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        self.assertIn(p.returncode, (0, 1), (self.home / "told").read_text(errors="replace")[:2000])
        if not is_sanitized():
            self.assertLess(usage.ru_maxrss, MEMORY_KIB_MAX, "KiB")
            self.assertLess(usage.ru_utime + usage.ru_stime, CPU_SECONDS_MAX, "seconds of CPU")

    def test_no_yaml_is_too_much(self):
        for name, text in YAML.items():
            for command in (["lint"], ["submit"], ["apply", "-f"]):
                with self.subTest(name, command=command[0]):
                    self.bounded(text, *command)

    def test_no_manifest_is_too_much_for_lint(self):
        for name, text in MANIFESTS.items():
            with self.subTest(name):
                self.bounded(text, "lint")

    def test_no_manifest_is_too_much_to_store(self):
        for name, text in MANIFESTS.items():
            with self.subTest(name):
                self.bounded(text, *(["submit"] if text.startswith(HEAD[:20]) else ["apply", "-f"]))
                self.call("delete", "w", ok=None)

    def test_no_output_is_too_much(self):
        """What a step prints is looked at where another one reads it."""
        for name, text in {"lists in lists": repeated("["), "a text": repeated("x"), "tags": repeated("{{=1}}"),
                           "an object's keys": "[" + keys(70_000) + "]"}.items():
            with self.subTest(name):
                (self.home / "output").write_text(text)
                self.bounded(
                    HEAD + f"  - {{name: make, container: {{image: x, command: [cat, {self.home}/output]}}}}\n"
                    "  - {name: take, container: {image: x, command: ['true']}}\n"
                    "  - name: main\n    steps:\n    - [{name: a, template: make}]\n"
                    "    - [{name: b, template: take, withParam: '{{steps.a.outputs.result}}'}]\n"
                    "    - [{name: c, template: take, when: '{{steps.a.outputs.result}} == 1'}]\n", "run")
                self.call("delete", "w", ok=None)
