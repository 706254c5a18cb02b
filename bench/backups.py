"""Takes the measurements of single backups and of long histories, and prints them as Markdown tables."""

import hashlib
import json
import os
import re
import socket
import socketserver
import statistics
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

from measure import DESTINATION, MANIFEST, SOURCE, measured, request

OUTHAUL = os.environ["OUTHAUL"]
IMAGES = 3
VERSIONS = 1000
INDEX = "application/vnd.oci.image.index.v1+json"
CHART = "history/history-app-chart"
REQUEST = re.compile(rb"^(?:GET|HEAD|PUT|POST|PATCH|DELETE) \S+ HTTP/1\.1\r$", re.MULTILINE)


def main():
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    for number in range(IMAGES):
        push_image(f"backups/image{number}")
    unchanged(folder, rounds)
    history(folder, rounds)
    retention()


# --- what is measured -------------------------------------------------------------------------------------------------


def unchanged(folder, rounds):
    """An export that finds nothing changed: what it asks of the images' registry and of the destination."""
    with Counted(SOURCE) as source, Counted(DESTINATION) as destination:
        manifests = write_application(folder / "unchanged.json", source.address, "unchanged")
        export = [OUTHAUL, "app", "export", "app", "-n", "unchanged", "--from", manifests, "--quiet"]
        export += ["-r", f"http://{destination.address}/unchanged"]
        measured(export)
        runs = []
        for _ in range(rounds):
            before = source.counted(), destination.counted()
            run = measured(export)
            after = source.counted(), destination.counted()
            runs.append((run.wall, *(b - a for was, now in zip(before, after) for a, b in zip(was, now))))
    wall, *counts = (statistics.median(column) for column in zip(*runs))
    from_source, source_bytes, at_destination, destination_bytes = counts
    print(f"Unchanged export of an application of {IMAGES} images\n")
    print("| requests to the images' registry | bytes | requests to the destination | bytes | median wall s |")
    print("|---:|---:|---:|---:|---:|")
    print(f"| {from_source} | {source_bytes} | {at_destination} | {destination_bytes} | {wall:.3f} |\n")


def history(folder, rounds):
    """One version by us, and the same at other times as a daily schedule would have made it."""
    manifests = write_application(folder / "history.json", SOURCE, "history")
    export = [OUTHAUL, "app", "export", "app", "-n", "history", "--from", manifests, "--quiet"]
    measured([*export, "-r", f"http://{DESTINATION}/history"])
    multiply()
    commands = {
        f"`app history --limit {VERSIONS}`": ["app", "history", "{}", "--limit", str(VERSIONS)],
        "`app history`, the newest 20": ["app", "history", "{}"],
        "`prune --dry-run --keep-daily 14 --keep-monthly 12`": [
            *["prune", "{}", "--dry-run", "--keep-daily", "14", "--keep-monthly", "12"],
        ],
        "`app diff REF@before=2025-01-01 @latest`": ["app", "diff", "{}@before=2025-01-01", "@latest"],
    }
    print(f"History of {VERSIONS} versions, each with its report\n")
    print("| command | median wall s | most s | requests | peak MiB |\n|---|---:|---:|---:|---:|")
    with Counted(DESTINATION) as way:
        for what, command in commands.items():
            at = lambda address: [OUTHAUL, *(part.format(f"{address}/{CHART}") for part in command), "--quiet"]
            before = way.counted()[0]
            measured(at(way.address))
            requests = way.counted()[0] - before
            runs = [measured(at(DESTINATION)) for _ in range(rounds)]  # without what counts in between
            walls, peak = [run.wall for run in runs], max(run.peak for run in runs) / 2**20
            print(f"| {what} | {statistics.median(walls):.2f} | {max(walls):.2f} | {requests} | {peak:.1f} |")
    print()


def retention():
    example = Path(OUTHAUL).parent / "examples/retention"
    said = subprocess.run([example], check=True, capture_output=True, text=True).stdout.split()
    times = [float(time) for time in said]
    print("Retention plan of 10 000 versions, all rules\n")
    print("| median ms | most ms |\n|---:|---:|")
    print(f"| {statistics.median(times):.1f} | {max(times):.1f} |\n")


# --- what it is measured with -----------------------------------------------------------------------------------------


def write_application(path, registry, namespace):
    labels = {"app.kubernetes.io/name": "app"}
    containers = [{"name": f"c{n}", "image": f"{registry}/backups/image{n}:1"} for n in range(IMAGES)]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    metadata = {"name": "app", "namespace": namespace, "labels": labels}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}
    path.write_text(json.dumps(deployment))
    return path


def push_image(repository):
    """A small image, at the source."""
    url, descriptors = f"http://{SOURCE}/v2/{repository}", []
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}}).encode()
    for blob, kind in ((config, "config.v1+json"), (os.urandom(100_000), "layer.v1.tar+gzip")):
        digest, kind = push_blob(url, blob), f"application/vnd.oci.image.{kind}"
        descriptors.append({"mediaType": kind, "digest": digest, "size": len(blob)})
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptors[0], "layers": descriptors[1:]}
    request("PUT", f"{url}/manifests/1", json.dumps(manifest).encode(), {"Content-Type": MANIFEST})


def push_blob(url, blob):
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    location = request("POST", f"{url}/blobs/uploads/", b"", {}).headers["Location"]
    request("PUT", f"{location}&digest={digest}", blob, {"Content-Type": "application/octet-stream"})
    return digest


def multiply():
    """The version that is there once more for each day before it, under its calendar version."""
    url = f"http://{DESTINATION}/v2/{CHART}"
    tags = json.load(request("GET", f"{url}/tags/list", None, {}))["tags"]
    newest = next(tag for tag in tags if re.fullmatch(r"\d+\.\d+\.\d+", tag))
    body = request("GET", f"{url}/manifests/{newest}", None, {"Accept": MANIFEST}).read()
    manifest, attached = json.loads(body), f"sha256-{hashlib.sha256(body).hexdigest()}"
    reports = request("GET", f"{url}/manifests/{attached}", None, {"Accept": INDEX}).read()
    manifest["annotations"]["dev.outhaul.schedule"] = "manifests/history/daily"
    at = datetime.now(timezone.utc).replace(hour=2, minute=30, second=0, microsecond=0)
    for number in range(1, VERSIONS):
        day = at - timedelta(days=number)
        manifest["annotations"]["dev.outhaul.taken-at"] = day.strftime("%Y-%m-%dT%H:%M:%SZ")
        version = f"{day.year}.{day.month * 100 + day.day}.{day.hour * 10000 + day.minute * 100}"
        body = json.dumps(manifest).encode()
        request("PUT", f"{url}/manifests/{version}", body, {"Content-Type": MANIFEST})
        attached = f"sha256-{hashlib.sha256(body).hexdigest()}"
        request("PUT", f"{url}/manifests/{attached}", reports, {"Content-Type": INDEX})


class Counted:
    """Another address of a registry, which counts what passes there."""

    def __init__(self, address):
        host, port = address.split(":")
        counted = self

        class Pass(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection((host, int(port))) as there:
                    back = threading.Thread(target=counted.pump, args=(there, self.request, None))
                    back.start()
                    sent = bytearray()
                    counted.sent.append(sent)
                    counted.pump(self.request, there, sent)
                    back.join()

        self.sent, self.bytes, self.lock = [], 0, threading.Lock()
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Pass)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def pump(self, here, there, sent):
        try:
            while chunk := here.recv(65536):
                with self.lock:
                    self.bytes += len(chunk)
                    if sent is not None:
                        sent += chunk
                there.sendall(chunk)
            there.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # whoever hangs up first has what it wants

    def counted(self):
        """Requests and bytes both ways so far."""
        with self.lock:
            return sum(len(REQUEST.findall(bytes(sent))) for sent in self.sent), self.bytes


if __name__ == "__main__":
    main()
