"""Takes the measurements of `bench/server.sh` and prints them as a Markdown table."""

import http.client
import itertools
import json
import os
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PORT, APPS = int(sys.argv[1]), int(sys.argv[2])
IN_NAMESPACE = 10  # applications of a namespace
OBJECTS = 20  # of an application
RECORDS = 1000
SECONDS = 10  # of load
SYSTEM, AUDIENCE = "outhaul-system", "outhaul.dev"
INSECURE = ssl._create_unverified_context()
connections = threading.local()


def main():
    wait(lambda: api("GET", "/readyz") is not None, "the API")
    prepare()
    rows = []
    with Server() as server:
        server.settle()
        rows.append(("idle server, resident", f"{server.memory('VmRSS'):.0f} MiB", "40 MiB"))
    populate()
    with Server() as server:
        ready = server.settle()
        lists(server, rows)
        objects = APPS * OBJECTS
        resident, peak = server.memory("VmRSS"), server.memory("VmHWM")
        rows.append((f"resident with {objects} objects", f"{resident:.0f} MiB (peak {peak:.0f})", "200 MiB"))
        rows.append((f"ready with {objects} objects", f"{ready:.1f} s", ""))
    records()
    with Server(core=0) as server:
        server.settle()
        rate, slowest = server.load("/v1/exports", token("all"))
        answer = f"{rate:.0f} a second (99 % within {slowest:.0f} ms)"
        rows.append((f"`GET /v1/exports` of {RECORDS} records, server on one core", answer, "200 a second at least"))
        rows.append(("first event of an export, of 20", spread(server.events()), "50 ms"))
        rows.append((f"resident with {RECORDS} records", f"{server.memory('VmRSS'):.0f} MiB", "200 MiB"))
    print(f"Server, {os.cpu_count()} CPUs shared with kube-apiserver and etcd\n")
    print("| what | measured | at most |\n|---|---:|---:|")
    for row in rows:
        print("| {} | {} | {} |".format(*row))


# --- what is measured -------------------------------------------------------------------------------------------------


def lists(server, rows):
    """Pages of 100 of all applications, for who may read all namespaces and for who may read some; the first time the
    rights are asked for, then they are known."""
    for who, what in (("all", "of all namespaces"), ("some", "of half of them, each by a right of its own")):
        bearer = token(who)
        for state in ("cold", "warm"):
            times, query = [], "?limit=100"
            while query:
                started = time.perf_counter()
                page = server.get(f"/v1/apps{query}", bearer)
                times.append(time.perf_counter() - started)
                query = f"?limit=100&cursor={page['next']}" if "next" in page else None
            limit = "300 ms" if state == "warm" else ""
            rows.append((f"a page of 100 {what}, {state}, {len(times)} pages", spread(times), limit))


class Server:
    """`outhaul serve` on a port of its own."""

    def __init__(self, core=None, further=()):
        self.log = tempfile.TemporaryFile("w+")
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        arguments = ["serve", "--listen", "127.0.0.1:0", "--system-namespace", SYSTEM, "--rate", "100000"]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [*pinned, os.environ["OUTHAUL"], *arguments, *further], stdout=subprocess.DEVNULL, stderr=self.log
        )
        wait(self.listening, "the server")
        self.connection = self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def listening(self):
        self.log.seek(0)
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", self.log.read())
        self.port = int(found[1]) if found else None
        return found

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path, bearer=None):
        return json.loads(fetch(self.connection, path, bearer))

    def settle(self):
        """Waits until it is ready and what that took is over, and gives the time until it was ready in seconds."""
        ready = lambda: status(self.connection, "/readyz") == 200
        wait(ready, "the server to be ready")
        took = time.perf_counter() - self.started
        time.sleep(5)
        return took

    def memory(self, which):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+) kB", text)[1]) / 1024

    def cpu(self):
        """Seconds of CPU so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def load(self, path, bearer):
        """Requests a second of four that ask without a pause, and within how many ms nearly all were answered."""
        times, end = [], time.perf_counter() + SECONDS

        def ask(_):
            connection = self.connect()
            while time.perf_counter() < end:
                started = time.perf_counter()
                fetch(connection, path, bearer)
                times.append(time.perf_counter() - started)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(4)))
        return len(times) / SECONDS, 1000 * sorted(times)[len(times) * 99 // 100]

    def events(self):
        bearer, times = token("all"), []
        for number in range(20):
            connection = self.connect()
            started = time.perf_counter()
            path = f"/v1/namespaces/n0/exports/e{number * 10}/events"
            connection.request("GET", path, headers={"Authorization": f"Bearer {bearer}"})
            response = connection.getresponse()
            assert response.status == 200, response.read()
            while not response.readline().startswith(b"data:"):
                pass
            times.append(time.perf_counter() - started)
            connection.close()
        return times


# --- what it is measured with -----------------------------------------------------------------------------------------


def prepare():
    """The resource, the accounts `all` and `some`, and what they may."""
    crd = Path("deploy/crds/exports.outhaul.dev.yaml").read_bytes()
    api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd, "application/yaml")
    wait(lambda: api("GET", "/apis/outhaul.dev/v1alpha1/exports") is not None, "the resource Export")
    create("/api/v1/namespaces", meta(SYSTEM))
    for account in ("all", "some"):
        create(f"/api/v1/namespaces/{SYSTEM}/serviceaccounts", meta(account))
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    create("/apis/rbac.authorization.k8s.io/v1/clusterroles", meta("reads") | {"rules": rules})
    create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding("all"))


def populate():
    """Applications of twenty objects: what one that runs on a real cluster has, pods and old ReplicaSets above all."""
    namespaces = [f"n{number}" for number in range(APPS // IN_NAMESPACE)]
    each(lambda name: create("/api/v1/namespaces", meta(name)), namespaces)
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings"
    each(lambda name: create(rbac.format(name), binding("some")), namespaces[::2])
    each(lambda app: application(*app), itertools.product(namespaces, (f"app{n}" for n in range(IN_NAMESPACE))))


def application(namespace, name):
    labels = {"app.kubernetes.io/instance": name, "app.kubernetes.io/managed-by": "Helm", "tier": "web"}
    annotations = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
    installed = lambda name: {"metadata": {"name": name, "labels": labels, "annotations": annotations}}
    env = [{"name": f"VARIABLE_{number}", "value": "some value " * 3} for number in range(20)]
    pod = {"containers": [{"name": "main", "image": "registry.example.com/app:1", "env": env}]}
    template = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    apps, core = f"/apis/apps/v1/namespaces/{namespace}", f"/api/v1/namespaces/{namespace}"
    deployment = create(f"{apps}/deployments", installed(name) | {"spec": template | {"replicas": 10}})
    for number in range(3):
        made = owned(f"{name}-{number}", labels, "apps/v1", "Deployment", deployment)
        replicas = create(f"{apps}/replicasets", made | {"spec": template | {"replicas": 0}})
    for number in range(10):
        made = owned(f"{name}-2-{number}", labels, "apps/v1", "ReplicaSet", replicas)
        create(f"{core}/pods", made | {"spec": pod})
    for number in range(2):
        create(f"{core}/configmaps", installed(f"{name}-{number}") | {"data": {"settings": "key = value\n" * 50}})
    create(f"{core}/secrets", installed(name) | {"stringData": {"password": "of no importance"}})
    create(f"{core}/services", installed(name) | {"spec": {"selector": labels, "ports": [{"port": 80}]}})
    create(f"{core}/serviceaccounts", installed(name))
    backend = {"service": {"name": name, "port": {"number": 80}}}
    ingress = {"spec": {"defaultBackend": backend}}
    create(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", installed(name) | ingress)


def records():
    """Records of exports that are finished, as most are."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    status = {
        "phase": "Succeeded", "reason": "Done", "exitCode": 0, "attempts": 1,
        "queuedAt": now, "startedAt": now, "finishedAt": now,
    }

    def record(number):
        path = f"/apis/outhaul.dev/v1alpha1/namespaces/n{number % 10}/exports"
        spec = {"app": f"app{number}", "destination": "team"}  # of one application ten stay
        made = create(path, meta(f"e{number}") | {"apiVersion": "outhaul.dev/v1alpha1", "kind": "Export", "spec": spec})
        body = json.dumps(made | {"status": status}).encode()
        assert api("PUT", f"{path}/e{number}/status", body) is not None

    each(record, range(RECORDS))


def owned(name, labels, version, kind, owner):
    reference = {"apiVersion": version, "kind": kind, "name": owner["metadata"]["name"]}
    reference |= {"uid": owner["metadata"]["uid"], "controller": True}
    return {"metadata": {"name": name, "labels": labels, "ownerReferences": [reference]}}


def binding(account):
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reads"}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}
    return meta(account) | {"roleRef": role, "subjects": [subject]}


def meta(name):
    return {"metadata": {"name": name}}


def token(account):
    path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{account}/token"
    request = {"spec": {"audiences": [AUDIENCE], "expirationSeconds": 3600}}
    return create(path, request)["status"]["token"]


def each(act, items):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, items))


def create(path, body):
    made = api("POST", path, json.dumps(body).encode())
    assert made is not None, f"{path} is not made: {connections.refused}"
    return made


def api(method, path, body=None, kind="application/json"):
    """What the API server answers, or None if it refuses or is not there yet."""
    if not hasattr(connections, "api"):
        connections.api = http.client.HTTPSConnection("127.0.0.1", PORT, context=INSECURE, timeout=60)
    try:
        headers = {"Authorization": "Bearer admin-token", "Content-Type": kind}
        connections.api.request(method, path, body, headers)
        response = connections.api.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        connections.refused = error
        del connections.api
        return None
    if response.status >= 300:
        connections.refused = answer[:500]
        return None
    return json.loads(answer) if answer.startswith(b"{") else {}


def fetch(connection, path, bearer):
    connection.request("GET", path, headers={"Authorization": f"Bearer {bearer}"} if bearer else {})
    response = connection.getresponse()
    answer = response.read()
    assert response.status == 200, f"{path}: {response.status} {answer[:300]}"
    return answer


def status(connection, path):
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status


def spread(times):
    return f"median {1000 * statistics.median(times):.1f} ms, most {1000 * max(times):.1f} ms"


def wait(is_so, what):
    end = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < end, f"no sign of {what} within two minutes"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
