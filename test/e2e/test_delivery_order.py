"""What a channel says of the order in which its messages go: that of a workflow, of all of them, or none."""
import json
import random

from engine import EngineTest, nodes, wait_until
from receiver import WebhookReceiver

CHANNEL = """
apiVersion: notifications.tiphys.dev/v1
kind: NotificationChannel
metadata: {{name: ops}}
spec: {{kind: webhook, order: {order}, retries: [{retries}], config: {{url: "{url}/in"}}}}
"""

WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {{name: {name}}}
spec:
  entrypoint: main
  templates:
  - name: main
    steps: [[{{name: one, template: tell}}], {between}[{{name: two, template: tell}}]]
  - {{name: hold, suspend: {{}}}}
  - {{name: tell, plugin: {{tiphys: {{notify: {{channel: ops, await: accepted, message: "{{{{node.name}}}}"}}}}}}}}
---
"""


def workflow(name, between=""):
    return WORKFLOW.format(name=name, between=between)


class DeliveryOrder(EngineTest):
    def listed(self, *flags):
        return json.loads(self.call("notifications", "list", "-o", "json", *flags).stdout)

    def told(self, receiver, status=200):
        return [json.loads(r["body"])["data"]["message"]["text"] for r in receiver.requests if r.get("status") == status]

    def tell(self, order, retries, statuses):
        """Two workflows, one after the other; the receiver answers with `statuses` first. The first workflow goes
        on when its first message was refused, or its second one might be the first to arrive."""
        statuses = list(statuses)
        with WebhookReceiver(answer=lambda *_: statuses.pop(0) if statuses else 200) as receiver:
            self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(order=order, retries=retries, url=receiver.url)))
            self.start_server()
            self.submit(self.write("w.yaml", workflow("first", "[{name: hold, template: hold}], ")))
            wait_until(lambda: receiver.requests and "status" in receiver.requests[0], 30, "the first to be refused")
            wait_until(lambda: "hold" in nodes(self.get("first")), 30, "the first to be held")
            self.call("resume", "first")
            self.wait_for_phase("first", "Succeeded")
            self.submit(self.write("w.yaml", workflow("second")))
            self.wait_for_phase("second", "Succeeded")
            wait_until(lambda: not self.listed("--state", "pending"), 30, "all to be told")
            return self.told(receiver)

    def test_in_the_order_of_a_workflow_others_do_not_wait(self):
        self.assertEqual(self.tell("workflow", "0s, 8s", [503]),
                         ["second[0].one", "second[1].two", "first[0].one", "first[2].two"])

    def test_in_the_order_of_a_destination_all_wait_for_the_oldest(self):
        self.assertEqual(self.tell("destination", "0s, 3s", [503]),
                         ["first[0].one", "first[2].two", "second[0].one", "second[1].two"])

    def test_a_dead_one_lets_the_next_go(self):
        self.assertEqual(self.tell("destination", "0s, 1s", [503, 503]),
                         ["first[2].two", "second[0].one", "second[1].two"])

    def test_without_an_order_nothing_waits(self):
        told = self.tell("none", "0s, 8s", [503])
        self.assertEqual(told.pop(), "first[0].one")
        self.assertEqual(sorted(told), ["first[2].two", "second[0].one", "second[1].two"])

    def test_a_destination_s_order_outlives_engines_that_are_killed(self):
        count = 40
        chance = random.Random(7)
        with WebhookReceiver(answer=lambda *_: 503 if chance.random() < 0.3 else 200) as receiver:
            retries = ", ".join(["0s"] + ["10ms"] * 60)
            self.call("apply", "-f", self.write("c.yaml", CHANNEL.format(order="destination", retries=retries,
                                                                         url=receiver.url)))
            for half in (range(count // 2), range(count // 2, count)):
                self.call("submit", self.write("w.yaml", "".join(workflow(f"w{i}") for i in half)), "-o", "name")
                for _ in range(4):
                    seen = len(receiver.requests)
                    engine = self.start("server")
                    self.assertTrue(receiver.wait_for(seen + chance.randint(1, 8)), "an engine that delivers")
                    self.kill(engine)
            self.start_server()
            wait_until(lambda: len(self.listed("--state", "delivered")) == 2 * count, 90, "all to be delivered")
        created = {d["id"]: d["createdAt"] for d in self.listed()}
        arrived = list(dict.fromkeys(r["headers"]["webhook-id"] for r in receiver.requests if r.get("status") == 200))
        self.assertEqual(len(arrived), 2 * count)
        times = [created[i] for i in arrived]
        self.assertEqual(times, sorted(times))

    def test_a_word_that_is_no_order_is_told_at_its_place(self):
        path = self.write("c.yaml", CHANNEL.format(order="strict", retries="0s", url="http://127.0.0.1:1"))
        p = self.call("apply", "-f", path, ok=False)
        self.assertRegex(p.stderr, r"c\.yaml:5:\d+.*channel 'ops': order: want workflow, destination or none")
