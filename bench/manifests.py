"""Workflows to be measured, and the same graphs for ninja and make."""

HEAD = """apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: bench}
spec:
  entrypoint: main
"""
TRUE = "  - name: step\n    container: {image: busybox, command: ['true']}\n"
ONE = HEAD + "  templates:\n  - name: main\n    container: {image: busybox, command: [sh, -c, 'true']}\n"


def fan(count, limit=""):
    """Independent steps."""
    return (HEAD + limit + "  templates:\n  - name: main\n    steps:\n"
            f"    - - {{name: s, template: step, withSequence: {{count: '{count}'}}}}\n" + TRUE)


def chain(count):
    return HEAD + "  templates:\n  - name: main\n    steps:\n" + "".join(
        f"    - - {{name: s{i}, template: step}}\n" for i in range(count)) + TRUE


def layered(layers, width):
    """The graph itself: (name, names it depends on), each of a layer on two of the layer before."""
    for layer in range(layers):
        for i in range(width):
            before = [] if layer == 0 else [f"t{layer - 1}-{i}", f"t{layer - 1}-{(i + 1) % width}"]
            yield f"t{layer}-{i}", before


def dag(layers, width):
    return HEAD + "  templates:\n  - name: main\n    dag:\n      tasks:\n" + "".join(
        f"      - {{name: {name}, template: step, dependencies: [{', '.join(before)}]}}\n"
        for name, before in layered(layers, width)) + TRUE


def ninja(layers, width):
    """No target is ever made, so everything is run each time."""
    return "rule t\n  command = true\n" + "".join(
        f"build {name}: t {' '.join(before)}\n" for name, before in layered(layers, width))


def make(layers, width):
    names = [name for name, _ in layered(layers, width)]
    return (f".PHONY: all {' '.join(names)}\nall: {' '.join(names)}\n" + "".join(
        f"{name}: {' '.join(before)}\n\t@true\n" for name, before in layered(layers, width)))


def hooked_chain(count, program, folder, url):
    """Steps one after the other, each with a file for its program and an exit hook that sends its number."""
    def numbered(i):
        return f"arguments: {{parameters: [{{name: number, value: '{i}'}}]}}"
    steps = "".join(f"    - - {{name: s{i}, template: step, {numbered(i)}, "
                    f"hooks: {{exit: {{template: tell, {numbered(i)}}}}}}}\n" for i in range(count))
    return (HEAD + "  templates:\n  - name: main\n    steps:\n" + steps + f"""\
  - name: step
    inputs: {{parameters: [{{name: number}}]}}
    container: {{image: busybox, command: [{program}, "{folder}/{{{{inputs.parameters.number}}}}"]}}
  - name: tell
    inputs: {{parameters: [{{name: number}}]}}
    http: {{url: "{url}/{{{{inputs.parameters.number}}}}", method: GET}}
""")


def ruled_chain(count, program, folder, url, rules, others):
    """As hooked_chain(), but a rule tells of each step. `others`: what the rest of `rules` rules is about, which
    send nothing: "elsewhere" other workflows or events, "here" this one, whose every step they look at."""
    chain = (HEAD + "  templates:\n  - name: main\n    steps:\n" + "".join(
        f"    - - {{name: s{i}, template: step, arguments: {{parameters: [{{name: number, value: '{i}'}}]}}}}\n"
        for i in range(count)) + f"""\
  - name: step
    inputs: {{parameters: [{{name: number}}]}}
    container: {{image: busybox, command: [{program}, "{folder}/{{{{inputs.parameters.number}}}}"]}}
""")
    kinds = {"elsewhere": ["selector: {names: ['other-%d']}, triggers: [on-step-succeeded]",
                           "selector: {matchLabels: {team: 't%d'}}, triggers: [on-step-succeeded]",
                           "selector: {namespaces: ['n%d']}, triggers: [on-finished]",
                           "triggers: [on-step-failed], oncePer: 'workflow.name + \"%d\"'"],
             "here": ["triggers: ['node.phase == \"Succeeded\" && node.displayName == \"other-%d\"']"]}[others]
    head = "---\napiVersion: notifications.tiphys.dev/v1\n"
    out = chain + head + f"kind: NotificationChannel\nmetadata: {{name: ops}}\n" \
                         f"spec: {{kind: webhook, config: {{url: '{url}/rule'}}}}\n"
    out += head + "kind: Notification\nmetadata: {name: told}\nspec: {triggers: [on-step-succeeded], " \
                  "send: [{channel: ops, message: {body: '{{node.displayName}}'}}]}\n"
    for i in range(rules - 1):
        about = kinds[i % len(kinds)] % i
        out += head + f"kind: Notification\nmetadata: {{name: r{i}}}\nspec: {{{about}, send: [{{channel: ops}}]}}\n"
    return out
