"""deploy/kubernetes.yaml: the API server takes it, and it gives no more rights than it says."""
import re

from cluster import DEPLOYMENT, ClusterTest


class Deployment(ClusterTest):
    def text(self):
        return DEPLOYMENT.read_text().replace("namespace: tiphys", f"namespace: {self.namespace}")

    def dry_run(self, text):
        told = self.kubectl("apply", "--dry-run=server", "--validate=strict", "-n", self.namespace, "-f", "-", stdin=text)
        return re.findall(r"^(\S+) (?:created|unchanged|configured) \(server dry run\)$", told, re.M)

    def test_it_is_taken(self):
        self.assertEqual(self.dry_run(self.text()), [
            "serviceaccount/tiphys", "role.rbac.authorization.k8s.io/tiphys",
            "rolebinding.rbac.authorization.k8s.io/tiphys", "persistentvolumeclaim/tiphys-home",
            "deployment.apps/tiphys"])

    def test_it_is_taken_with_a_secret(self):
        text, count = re.subn(r"#\| ", "", self.text())
        self.assertGreater(count, 5)
        self.assertIn("deployment.apps/tiphys", self.dry_run(text))

    def test_its_rights(self):
        self.kubectl("apply", "-n", self.namespace, "-f", "-", stdin=self.text())  # no node has its image
        who = f"system:serviceaccount:{self.namespace}:tiphys"

        def can(verb, what, namespace=None):
            resource, _, part = what.partition("/")
            return self.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
                "user": who, "resourceAttributes": {"namespace": namespace or self.namespace, "verb": verb,
                                                    "resource": resource, "subresource": part}}})["status"]["allowed"]
        for verb in ("create", "get", "list", "watch", "patch", "delete"):
            self.assertTrue(can(verb, "pods"), verb)
            self.assertFalse(can(verb, "pods", "default"), verb)
            self.assertFalse(can(verb, "secrets"), verb)
        self.assertTrue(can("get", "pods/log"))
        self.assertFalse(can("create", "pods/exec"))
