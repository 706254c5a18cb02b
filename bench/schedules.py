"""Takes the measurement of a thousand schedules that are due in one minute, and prints it as a Markdown table."""

import hashlib
import json
import os
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from server import APPS, IN_NAMESPACE, SYSTEM, Server, api, create, each, meta, prepare, wait

REGISTRY = os.environ["BENCH_DESTINATION"]
JITTER = 60  # seconds
LEAD = 30  # seconds between the last change of a schedule and its due time, at least
LONGEST = 1800  # seconds for all first exports
GROUP = "/apis/outhaul.dev/v1alpha1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main():
    wait(lambda: api("GET", "/readyz") is not None, "the API")
    prepare()
    crd = Path("deploy/crds/exportschedules.outhaul.dev.yaml").read_bytes()
    api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd, "application/yaml")
    wait(lambda: api("GET", f"{GROUP}/exportschedules") is not None, "the resource ExportSchedule")
    push_image()
    populate()
    with Server(further=["--local-source", "127.0.0.1"]) as server:
        server.settle()
        each(lambda app: schedule(*app, None), applications())
        until("the first exports", lambda: count("succeeded") == APPS, LONGEST)
        time.sleep(5)
        rows = fire(server)
    print(f"\n{APPS} schedules due in one minute, {os.cpu_count()} CPUs shared with kube-apiserver, etcd and registry\n")
    print("| what | measured | at most |\n|---|---:|---:|")
    for row in rows:
        print("| {} | {} | {} |".format(*row))


def fire(server):
    """All schedules get the same minute, their applications being as they were."""
    start = datetime.now(timezone.utc) + timedelta(seconds=LEAD + APPS / 20)
    due = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    each(lambda app: schedule(*app, due), applications())
    assert (due - datetime.now(timezone.utc)).total_seconds() > LEAD / 2, "the schedules were changed too late"
    time.sleep(max(0, due.timestamp() - time.time()))
    text, began = due.strftime("%Y-%m-%dT%H:%M:%SZ"), server.cpu()
    decided = until("all runs are decided", lambda: due_times().count(text) == APPS, LONGEST)
    at_decided, wall = server.cpu() - began, decided - due.timestamp()
    done = until("all runs are done", lambda: count("unchanged") == APPS, LONGEST)
    at_end, in_all = server.cpu() - began, done - due.timestamp()
    peak = server.memory("VmHWM")
    return [
        ("all decided, after the due time", f"{wall:.0f} s", f"{JITTER} s of jitter"),
        ("CPU of the server until then, of one core", f"{100 * at_decided / wall:.0f} %", "50 %"),
        ("all found unchanged, after the due time", f"{in_all:.0f} s", ""),
        ("CPU of the server for each run, the export included", f"{1000 * at_end / APPS:.0f} ms", ""),
        ("resident memory", f"{server.memory('VmRSS'):.0f} MiB (peak {peak:.0f})", "150 MiB"),
    ]


# --- what it is measured with -----------------------------------------------------------------------------------------


def applications():
    return [(f"n{number // IN_NAMESPACE}", f"app{number % IN_NAMESPACE}") for number in range(APPS)]


def populate():
    """Applications of one workload and one ConfigMap, without pods; and who may export them."""
    auths = json.dumps({"auths": {REGISTRY: {}}})
    annotations = {"outhaul.dev/registry-namespace": "schedules", "outhaul.dev/plain-http": "true"}
    labels = {"outhaul.dev/destination": "true"}
    metadata = {"metadata": {"name": "team", "labels": labels, "annotations": annotations}}
    create(f"/api/v1/namespaces/{SYSTEM}/secrets", metadata | {"stringData": {".dockerconfigjson": auths}})
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "use"]}
    create("/apis/rbac.authorization.k8s.io/v1/clusterroles", meta("exports") | {"rules": [everything]})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "exports"}
    for number in range(APPS // IN_NAMESPACE):
        name = f"n{number}"
        create("/api/v1/namespaces", meta(name))
        create(f"/api/v1/namespaces/{name}/serviceaccounts", meta("exporter"))
        subject = {"kind": "ServiceAccount", "name": "exporter", "namespace": name}
        binding = meta("exports") | {"roleRef": role, "subjects": [subject]}
        create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings", binding)
    each(lambda app: application(*app), applications())


def application(namespace, name):
    labels = {"app.kubernetes.io/name": name}
    container = {"name": "main", "image": f"{REGISTRY}/source/app:1", "envFrom": [{"configMapRef": {"name": name}}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    labelled = {"metadata": {"name": name, "labels": labels}}
    create(f"/api/v1/namespaces/{namespace}/configmaps", labelled | {"data": {"NAME": name}})
    create(f"/apis/apps/v1/namespaces/{namespace}/deployments", labelled | {"spec": spec})


def schedule(namespace, name, due):
    """Makes the schedule of an application with a run at once, or gives it the minute of another run."""
    path = f"{GROUP}/namespaces/{namespace}/exportschedules"
    spec = {
        "schedule": f"{due.minute} {due.hour} * * *" if due else "0 0 1 1 *", "jitterSeconds": JITTER,
        "runOnCreate": True, "serviceAccountName": "exporter", "historyLimits": {"successful": 1, "failed": 1},
        "template": {"app": name, "destination": "team", "secrets": "reference"},
    }
    if due:
        patch = json.dumps({"spec": spec}).encode()
        assert api("PATCH", f"{path}/{name}", patch, "application/merge-patch+json") is not None
    else:
        create(path, meta(name) | {"apiVersion": "outhaul.dev/v1alpha1", "kind": "ExportSchedule", "spec": spec})


def push_image():
    url = f"http://{REGISTRY}/v2/source/app"
    blobs = [json.dumps({"architecture": "amd64", "os": "linux", "config": {}}).encode(), os.urandom(20_000)]
    kinds = "config.v1+json", "layer.v1.tar+gzip"
    descriptors = []
    for blob, kind in zip(blobs, kinds):
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        location = request("POST", f"{url}/blobs/uploads/", b"", {}).headers["Location"]
        request("PUT", f"{location}&digest={digest}", blob, {"Content-Type": "application/octet-stream"})
        kind = f"application/vnd.oci.image.{kind}"
        descriptors.append({"mediaType": kind, "digest": digest, "size": len(blob)})
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptors[0], "layers": descriptors[1:]}
    request("PUT", f"{url}/manifests/1", json.dumps(manifest).encode(), {"Content-Type": MANIFEST})


def request(method, url, body, headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, body, headers, method=method))


# --- what came of it --------------------------------------------------------------------------------------------------


def statuses():
    items = (api("GET", f"{GROUP}/exportschedules") or {}).get("items", [])
    return [item.get("status", {}) for item in items]


def count(result):
    """Schedules with a run of which this came, after failures are ruled out."""
    all_runs = [status.get("runs", {}) for status in statuses()]
    failed = sum(runs.get("failed", 0) for runs in all_runs)
    assert not failed, f"{failed} runs failed"
    return sum(runs.get(result, 0) > 0 for runs in all_runs)


def due_times():
    return [status.get("lastScheduleTime") for status in statuses()]


def until(what, is_so, longest):
    """Waits, and gives the time by the clock."""
    end = time.monotonic() + longest
    while not is_so():
        if time.monotonic() > end:
            sys.exit(f"bench: not within {longest} s: {what}")
        time.sleep(1)
    return time.time()


if __name__ == "__main__":
    main()
