#!/usr/bin/env python3
"""Writes src/spec/schema_table_*.cc: the fields of Argo's and Kubernetes' objects, in Go order.

usage: schema_table.py ARGO_TYPES_DIR CORE_V1_TYPES_GO POLICY_V1_TYPES_GO META_V1_TYPES_GO OUT_DIR

Only facts are taken from the Go sources: struct names, JSON names, types, `omitempty`, pointers.
One line per struct, `pkg.Type|name:type|...`; the type codes stand in src/spec/schema.h.
"""
import glob
import os
import re
import sys

ROOTS = ["v1alpha1.Workflow", "v1alpha1.WorkflowTemplate", "v1alpha1.ClusterWorkflowTemplate",
         "v1alpha1.CronWorkflow", "v1alpha1.WorkflowEventBinding", "v1.Secret", "v1.ConfigMap",
         "v1.PersistentVolumeClaim", "v1alpha1.WorkflowStep", "v1alpha1.ExecutorPlugin"]
BASIC = {"string": "s", "bool": "b", "int": "i", "int64": "i", "int32": "n", "float64": "f",
         "AnyString": "A", "Item": "I", "ParallelSteps": "P", "intstr.IntOrString": "X",
         "resource.Quantity": "Q", "metav1.Time": "T", "metav1.MicroTime": "T",
         "metav1.Duration": "D", "json.RawMessage": "U", "Amount": "M", "Plugin": "U",
         "runtime.RawExtension": "U", "metav1.FieldsV1": "U", "Object": "U", "types.UID": "s",
         "WorkflowStatus": "U", "CronWorkflowStatus": "U", "FieldsV1": "U",
         "PersistentVolumeClaimStatus": "U", "metav1.TypeMeta": "inline", "uint64": "i",
         "Time": "T",
         "any": "U", "interface{}": "U", "metav1.ListMeta": "U"}
GROUP = re.compile(r"^type \(\n(.*?)^\)", re.M | re.S)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
EMPTY = re.compile(r"^type (\w+) struct\s*\{\s*\}", re.M)
ALIAS = re.compile(r"^type (\w+) ([\[\]\w.*]+)$", re.M)
FIELD = re.compile(r"^\t(?:(\w+)\s+)?([\[\]\w.*]+(?:\{\})?)\s+`([^`]*)`")


def load(package, files, structs, aliases):
    for path in files:
        text = open(path, encoding="utf-8").read()
        text = GROUP.sub(lambda m: re.sub(r"^\t", "type ", m.group(1), flags=re.M), text)
        for m in STRUCT.finditer(text):
            structs[f"{package}.{m.group(1)}"] = m.group(2)
        for m in EMPTY.finditer(text):
            structs[f"{package}.{m.group(1)}"] = ""
        for m in ALIAS.finditer(text):
            aliases[f"{package}.{m.group(1)}"] = m.group(2)


def qualify(package, name):
    """The table's name of a Go type that `package` calls `name`."""
    if "." in name:
        prefix, rest = name.split(".")
        return {"apiv1": "v1", "corev1": "v1", "v1": "v1", "metav1": "meta", "policyv1": "policy",
                "wfv1": "v1alpha1"}.get(prefix, prefix) + "." + rest
    return f"{package}.{name}"


class Table:
    def __init__(self, structs, aliases):
        self.structs, self.aliases, self.done, self.queue = structs, aliases, {}, list(ROOTS)

    def code(self, package, go):
        if go in ("[]byte",):
            return "B"
        if go.startswith("*"):
            return "*" + self.code(package, go[1:])
        if go.startswith("[]"):
            return "[]" + self.code(package, go[2:])
        m = re.match(r"map\[([\w.]+)\](.*)$", go)
        if m:
            return "{}" + self.code(package, m.group(2))
        if go in BASIC:
            return BASIC[go]
        name = qualify(package, go)
        if name == "v1.ResourceList":
            return "{}Q"
        short = name.split(".")[1]
        if short in BASIC and name not in self.structs:
            return BASIC[short]
        if name in self.aliases:
            return self.code(name.split(".")[0], self.aliases[name])
        if name in self.structs:
            if not self.structs[name]:
                return "E"
            if name not in self.done:
                self.queue.append(name)
            return name
        print(f"unknown type {name}", file=sys.stderr)
        return "U"

    def fields(self, name):
        package = name.split(".")[0]
        out = []
        for line in self.structs[name].splitlines():
            m = FIELD.match(line)
            if not m:
                continue
            tag = re.search(r'json:"([^"]*)"', m.group(3))
            if not tag:
                continue
            json_name, *options = tag.group(1).split(",")
            if json_name == "-":
                continue
            if json_name == "":  # embedded
                target = m.group(2).lstrip("*")
                if target.endswith("TypeMeta"):
                    out += ["kind:s", "apiVersion:s"]
                else:
                    out += self.fields(qualify(package, target))
                continue
            code = self.code(package, m.group(2))
            always = "omitempty" not in options or (
                "." in code and not code.startswith(("*", "[", "{"))) and "omitzero" not in options
            out.append(f"{json_name}:{code}{'!' if always else ''}")
        return out

    def run(self):
        while self.queue:
            name = self.queue.pop(0)
            if name not in self.done:
                self.done[name] = []
                self.done[name] = self.fields(name)
        return self.done


HEADER = """// The fields of {what}. Made by tools/schema_table.py; do not edit.
#include "spec/schema_table.h"

namespace tiphys::spec {{

const char* const {symbol} =
"""


def write(path, what, symbol, lines):
    with open(path, "w", encoding="utf-8") as f:
        f.write("// clang-format off\n" + HEADER.format(what=what, symbol=symbol))
        for line in lines:
            while len(line) > 88:
                cut = line.rfind("|", 0, 88) + 1 or 88
                f.write(f'    "{line[:cut]}"\n')
                line = line[cut:]
            f.write(f'    "{line}\\n"\n')
        f.write("    ;\n\n}  // namespace tiphys::spec\n// clang-format on\n")


def main():
    argo, core, policy, meta, out = sys.argv[1:]
    structs, aliases = {}, {}
    files = [p for p in sorted(glob.glob(os.path.join(argo, "*.go")))
             if not re.search(r"_test\.go|generated|zz_", p)]
    load("v1alpha1", files, structs, aliases)
    load("v1", [core], structs, aliases)
    load("policy", [policy], structs, aliases)
    load("meta", [meta], structs, aliases)
    table = Table(structs, aliases).run()
    lines = ["|".join([name] + fields) for name, fields in sorted(table.items())]
    argo_lines = [l for l in lines if l.startswith("v1alpha1.")]
    other = [l for l in lines if not l.startswith("v1alpha1.")]
    write(os.path.join(out, "schema_table_argo.cc"), "Argo's objects", "kArgoFields", argo_lines)
    half = len(other) // 2
    write(os.path.join(out, "schema_table_core_a.cc"), "Kubernetes' objects, first half",
          "kCoreFieldsA", other[:half])
    write(os.path.join(out, "schema_table_core_b.cc"), "Kubernetes' objects, second half",
          "kCoreFieldsB", other[half:])


if __name__ == "__main__":
    main()
