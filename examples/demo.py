#!/usr/bin/env python3
"""demo.py BIN: runs the examples and shows the tree of each run and what the receivers got.

Works on a state folder of its own, which is removed at the end."""
import os
import pathlib
import subprocess
import sys
import tempfile

from receiver import MailReceiver, WebhookReceiver

HERE = pathlib.Path(__file__).resolve().parent
RUNS = [
    (["exit-handlers.yaml"], [], "Failed"),
    (["exit-handlers.yaml"], ["-p", "code=0"], "Succeeded"),
    (["hooks-workflow.yaml"], [], "Succeeded"),
    (["hooks-steps.yaml"], [], "Succeeded"),
    (["hooks-dag.yaml"], [], "Succeeded"),
    (["exit-hook.yaml"], [], "Succeeded"),
    (["workflow-of-workflows.yaml"], [], "Succeeded"),
    (["step-notify-webhook.yaml", "notify-webhook.yaml"], [], "Succeeded"),
    (["mail-secret.yaml", "step-notify-email.yaml", "notify-email.yaml"], [], "Failed"),
]


def show(hooks, mails):
    for r in hooks:
        print(f"  webhook got  {r['method']} {r['path']}  {' '.join(r['body'].split())}")
    for m in mails:
        print(f"  mail to      {', '.join(m['to'])}")
        print("".join(f"    {line}\n" for line in m["text"].splitlines()), end="")


def main():
    binary = os.path.abspath(sys.argv[1])
    wrong = []
    with tempfile.TemporaryDirectory(prefix="tiphys-demo-") as home, \
            WebhookReceiver(18080) as webhook, MailReceiver(18025) as mail:
        env = dict(os.environ, TIPHYS_HOME=home)
        for files, flags, phase in RUNS:
            print(f"\n\033[1m$ tiphys run {' '.join(['examples/' + f for f in files] + flags)}\033[0m", flush=True)
            hooks_before, mails_before = len(webhook.requests), len(mail.mails)
            run = subprocess.run([binary, "run", "-o", "short", *[str(HERE / f) for f in files], *flags], env=env)
            show(webhook.requests[hooks_before:], mail.mails[mails_before:])
            if (run.returncode == 0) != (phase == "Succeeded"):
                wrong.append(f"{files[-1]} {' '.join(flags)}: exit code {run.returncode}, expected {phase}")
        subprocess.run([binary, "list"], env=env)
    print(f"\n{len(RUNS)} examples, {len(webhook.requests)} webhook calls, {len(mail.mails)} mails")
    for line in wrong:
        print("unexpected:", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
