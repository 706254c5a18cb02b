"""Takes the measurements of `bench/run.sh` and prints them as Markdown tables."""

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

MIB = 1024 * 1024
LAYERS, LAYER_BYTES = 12, 31_250_000  # 375 MB in all
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SIZES = 60, 100, 200, 400, 1000  # parts of an application, five objects each
SCANNED_KIB = 250, 500, 1000  # the last is about as much as a ConfigMap takes
SOURCE, DESTINATION = os.environ["BENCH_SOURCE"], os.environ["BENCH_DESTINATION"]


def main():
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    print(f"{os.cpu_count()} CPUs, {rounds} rounds\n")
    push_image()
    copying(rounds)
    planning(folder, rounds)
    scanning(folder, rounds)
    starting()


# --- what is measured -------------------------------------------------------------------------------------------------


def copying(rounds):
    """Every tool in turn, and each round begun by another: what else the machine does falls on all of them alike."""
    source = f"{SOURCE}/bench/app:1"
    tools = {tool: command for tool, command in copiers().items() if command}
    taken = {tool: [] for tool in tools}
    for number in range(rounds + 1):  # the first, of cold caches, does not count
        for turn in range(len(tools)):
            tool, command = list(tools.items())[(turn + number) % len(tools)]
            target = f"{DESTINATION}/bench/{tool}-{number}:1"
            run = measured(command(source, target))
            check_copy(target)
            if number:
                taken[tool].append(run)
    fastest = statistics.median(run.wall for run in taken["outhaul"])
    print(f"Copy of {LAYERS * LAYER_BYTES / 1e6:.0f} MB in {LAYERS} layers between two registries\n")
    print("| tool | median s | least s | most s | to outhaul | CPU s | peak MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for tool, runs in sorted(taken.items(), key=lambda item: statistics.median(run.wall for run in item[1])):
        walls = [run.wall for run in runs]
        median, cpu = statistics.median(walls), statistics.median(run.cpu for run in runs)
        peak = max(run.peak for run in runs) / MIB
        print(
            f"| {tool} | {median:.2f} | {min(walls):.2f} | {max(walls):.2f} | {median / fastest:.2f} "
            f"| {cpu:.2f} | {peak:.1f} |"
        )
    print()


def planning(folder, rounds):
    """Applications of several sizes, of which only the smallest fits into a release of helm's."""
    print("Plan, chart and the check that it renders back\n")
    print("| objects | median CPU s | CPU ms/object | median wall s | peak MiB |\n|---:|---:|---:|---:|---:|")
    for parts in SIZES:
        manifests = folder / f"big-{parts}"
        count = write_application(manifests, parts)
        command = [os.environ["OUTHAUL"], "app", "export", "big", "--from", manifests]
        command += ["--to", folder / "layout", "--dry-run", "--quiet", "--allow-oversize"]
        runs = [measured(command) for _ in range(rounds)]
        cpu, wall = (statistics.median(getattr(run, time) for run in runs) for time in ("cpu", "wall"))
        peak = max(run.peak for run in runs) / MIB
        print(f"| {count} | {cpu:.3f} | {cpu * 1000 / count:.2f} | {wall:.3f} | {peak:.1f} |")
    print()


def scanning(folder, rounds):
    """What looks for credentials must not take longer for each byte of a long text than of a short one."""
    shapes = {  # text that begins like something, again and again, and never ends it
        "one word": "a1B2",
        "addresses": "http://u:",
        "keys": "-----BEGIN PRIVATE KEY-----",
        "assignments": "password=",
        "lines": "log.level = debug\n",
    }
    print("Search of one ConfigMap for credentials (`outhaul app show`)\n")
    print(f"| text | {' | '.join(f'{kib} KiB, CPU s' for kib in SCANNED_KIB)} |")
    print("|---|" + "---:|" * len(SCANNED_KIB))
    for name, piece in shapes.items():
        taken = []
        for kib in SCANNED_KIB:
            manifest = folder / f"scan-{name.replace(' ', '-')}-{kib}.json"
            metadata = {"name": "text", "namespace": "scan", "labels": {"app.kubernetes.io/instance": "scan"}}
            data = {"text": (piece * (kib * 1024 // len(piece)))}
            manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}))
            command = [os.environ["OUTHAUL"], "app", "show", "scan", "--from", manifest, "--quiet"]
            taken.append(statistics.median(measured(command).cpu for _ in range(rounds)))
        print(f"| {name} | {' | '.join(f'{cpu:.3f}' for cpu in taken)} |")
    print()


def starting():
    walls = [measured([os.environ["OUTHAUL"], "--help"]).wall * 1000 for _ in range(20)]
    print("Start of `outhaul --help`, 20 times\n")
    print("| median ms | most ms |\n|---:|---:|")
    print(f"| {statistics.median(walls):.1f} | {max(walls):.1f} |")


def copiers():
    """How each tool is told to copy an image over plain HTTP; nothing for one that is not there."""
    program = {name: os.environ.get(name) for name in ("OUTHAUL", "CRANE", "REGCTL", "ORAS", "SKOPEO")}
    plain = [part for host in (SOURCE, DESTINATION) for part in ("--host", f"reg={host},tls=disabled")]
    unverified = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    commands = {
        "outhaul": lambda a, b: [program["OUTHAUL"], "copy", "--quiet", a, b],
        "crane": lambda a, b: [program["CRANE"], "copy", "--insecure", a, b],
        "regctl": lambda a, b: [program["REGCTL"], *plain, "image", "copy", a, b],
        "oras": lambda a, b: [program["ORAS"], "cp", "--from-plain-http", "--to-plain-http", a, b],
        "skopeo": lambda a, b: [
            *[program["SKOPEO"], "--insecure-policy", "copy", "--all", "--quiet", *unverified],
            *[f"docker://{a}", f"docker://{b}"],
        ],
    }
    return {tool: command if program[tool.upper()] else None for tool, command in commands.items()}


# --- how --------------------------------------------------------------------------------------------------------------


class Run:
    """One finished program: seconds, and the most memory that it had in bytes."""

    def __init__(self, wall, usage, peak):
        self.wall, self.cpu, self.peak = wall, usage.ru_utime + usage.ru_stime, peak


def measured(command):
    """Runs a command in a home of its own: what a tool remembers of one copy must not help it with the next."""
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "XDG_DATA_HOME": home, "XDG_RUNTIME_DIR": home}
        env["_CONTAINERS_ROOTLESS_UID"] = "1000"  # else skopeo, run by root, remembers below /var/lib
        peak = Path(home, "peak")
        # Between us and the command stands a small process: Linux counts into a program's peak what its parent
        # had when it forked, and an interpreter has more than some of these tools ever need.
        launcher = [os.environ["GNU_TIME"], "--quiet", "--format=%M", f"--output={peak}"]
        started = time.perf_counter()
        child = subprocess.Popen([*launcher, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
        said = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            shown = " ".join(str(part) for part in command)
            sys.exit(f"bench: `{shown}` ended with {child.returncode}:\n{said.decode(errors='replace')}")
        return Run(wall, usage, int(peak.read_text()) * 1024)


def push_image():
    """Makes the image from random bytes and puts it into the source registry."""
    noise = random.Random(1)
    layers = [push_blob(noise.randbytes(LAYER_BYTES), "layer.v1.tar+gzip") for _ in range(LAYERS)]
    config = {"architecture": "amd64", "os": "linux", "config": {}}
    config["rootfs"] = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
    config = push_blob(json.dumps(config).encode(), "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    url = f"http://{SOURCE}/v2/bench/app/manifests/1"
    request("PUT", url, json.dumps(manifest).encode(), {"Content-Type": MANIFEST})


def push_blob(content, kind):
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    answer = request("POST", f"http://{SOURCE}/v2/bench/app/blobs/uploads/", b"", {})
    request("PUT", f"{answer.headers['Location']}&digest={digest}", content, {"Content-Type": "application/octet-stream"})
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(content)}


def check_copy(target):
    """A copy that is not whole is no copy: the manifest and every blob have to be there."""
    host, _, rest = target.partition("/")
    repository, _, tag = rest.rpartition(":")
    manifest = request("GET", f"http://{host}/v2/{repository}/manifests/{tag}", None, {"Accept": MANIFEST})
    manifest = json.load(manifest)
    for blob in [manifest["config"], *manifest["layers"]]:
        answer = request("HEAD", f"http://{host}/v2/{repository}/blobs/{blob['digest']}", None, {})
        assert int(answer.headers["Content-Length"]) == blob["size"], f"{target}: {blob['digest']} is not whole"


def request(method, url, body, headers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(urllib.request.Request(url, body, headers, method=method))


def write_application(folder, parts):
    """So many workloads, each with what usually goes with one, all of one image; gives the number of objects."""
    folder.mkdir()
    count = 0
    for number in range(parts):
        name = f"part-{number:04}"
        objects = application_part(name)
        count += len(objects)
        (folder / f"{name}.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return count


def application_part(name):
    labels = {"app.kubernetes.io/instance": "big", "app.kubernetes.io/name": name}

    def thing(api_version, kind, **fields):
        metadata = {"name": name, "namespace": "big", "labels": labels}
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}

    container = {
        "name": "main",
        "image": f"{SOURCE}/bench/app:1",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": f"SETTING_{number}", "value": f"value {number}"} for number in range(20)],
        "envFrom": [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    }
    pods = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    files = {f"file-{number}.conf": "key = value # {{ no template }}\n" * 50 for number in range(5)}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    selector = {"matchLabels": labels}
    return [
        thing("apps/v1", "Deployment", spec={"replicas": 2, "selector": selector, "template": pods}),
        thing("v1", "Service", spec={"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}),
        thing("v1", "ConfigMap", data=files),
        thing("v1", "Secret", stringData={"password": "not exported"}),
        thing("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 5, "scaleTargetRef": target}),
    ]


if __name__ == "__main__":
    main()
