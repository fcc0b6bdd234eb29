#!/usr/bin/env python3
"""Measures the point as its users meet it, over HTTP, with the release build.

    swift build -c release --product onepoint && python3 Benchmarks/service.py [--only NAME] [--markdown]

Needs wrk. Every figure comes with a peer or a limit that is measured in the same run: durable submissions with the
disk's own group commit, page and log latencies with the round trip of an empty request.
"""
import argparse, concurrent.futures, json, os, pathlib, shutil, socket, statistics, subprocess, sys, tempfile, time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("ONEPOINT_BINARY", str(ROOT / ".build/release/onepoint"))


class Point:
    """A server of its own on a fresh folder, with the centres that its configuration names."""

    LOCAL = "centres:\n  - {name: hub-1, tier: hub, cores: 4, memory: 4GiB}\n"

    def __init__(self, centres="centres: []\n"):
        self.folder = tempfile.mkdtemp(prefix="onepoint-bench-")
        self.config = os.path.join(self.folder, "config.yaml")
        with open(self.config, "w") as file:
            file.write("requests_per_second: 1000000\n" + centres)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        self.token = open(os.path.join(self.folder, "token")).read().strip()

    def start(self):
        began = time.perf_counter()
        self.log = open(os.path.join(self.folder, "serve.log"), "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", os.path.join(self.folder, "data"), "--config", self.config, "--listen",
             f"127.0.0.1:{self.port}", "--token-file", os.path.join(self.folder, "token")],
            stdout=self.log, stderr=self.log)
        while True:
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=5)
                return time.perf_counter() - began
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(open(os.path.join(self.folder, "serve.log")).read()[-2000:])
                time.sleep(0.005)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, headers={}, raw=False):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.token, **headers})
        with urllib.request.urlopen(request, timeout=120) as answer:
            data = answer.read()
        return data if raw else json.loads(data or b"null")

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mebibytes(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024


def wrk(point, script, seconds, **environment):
    """16 connections of wrk's for a while: requests a second, the 99th percentile in ms, server CPU in µs each."""
    before = point.cpu_seconds()
    out = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "-s", f"Benchmarks/{script}", point.url], cwd=ROOT,
        env={**os.environ, "ONEPOINT_TOKEN": point.token, **environment}, capture_output=True, text=True, check=True).stdout
    requests, microseconds, p99, errors = map(int, next(
        line for line in out.splitlines() if line.startswith("RESULT")).split()[1:])
    assert errors == 0 and requests > 0, out
    return requests, requests / (microseconds / 1e6), p99 / 1000, (point.cpu_seconds() - before) / requests * 1e6


def group_commit_limit(folder, seconds=3.0):
    """How often a second this disk makes an append of 64 KiB durable: the beat that batches of submissions go by."""
    path = os.path.join(folder, "fsync-probe")
    block = os.urandom(65536)
    with open(path, "wb", buffering=0) as file:
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
        rate = count / (time.perf_counter() - began)
    os.unlink(path)
    return rate


def submissions():
    point = Point()
    try:
        point.call("GET", "/v1/whoami")
        requests, rate, p99, cpu = wrk(point, "submit.lua", 15)
        counted = point.call("GET", "/v1/overview")["jobs"].get("queued", 0)
        assert counted >= requests, (counted, requests)
        limit = group_commit_limit(point.folder)
        return [
            ("durable submissions, 16 connections, ~650 bytes each", f"{rate:,.0f} a second", "≥ 3,000"),
            ("… 99th percentile", f"{p99:.1f} ms", "< 100 ms"),
            ("… server CPU", f"{cpu:.0f} µs each", ""),
            ("… beside the disk's own durable 64 KiB appends in the same run", f"{limit:,.0f} a second "
             f"({rate / limit:.1f} submissions for each)", ""),
        ]
    finally:
        point.close()


def finished_jobs(point, count):
    """Makes ended jobs quickly: arrays without a centre to run them, cancelled."""
    for _ in range(0, count, 10_000):
        array = point.call("POST", "/v1/jobs?project=demo", {
            "name": "ended", "command": ["/bin/true"], "array": min(10_000, count)})["array"]
        point.call("POST", f"/v1/arrays/{array}/cancel")


def memory():
    point = Point()
    try:
        finished_jobs(point, 10_000)
        point.stop()
        point.start()
        time.sleep(3)
        return [("idle with 10,000 ended jobs, resident", f"{point.resident_mebibytes():.0f} MiB", "< 120 MB")]
    finally:
        point.close()


def restart():
    point = Point()
    try:
        while point.call("GET", "/v1/events?after=0&limit=1") and last_event(point) < 1_000_000:
            finished_jobs(point, 10_000)
        events = last_event(point)
        point.stop()
        seconds = point.start()
        return [(f"restart with {events:,} events, until ready", f"{seconds:.2f} s", "< 3 s")]
    finally:
        point.close()


def last_event(point):
    text = point.call("GET", "/metrics", raw=True).decode()
    return int(float(next(
        line.split()[1] for line in text.splitlines() if line.startswith("onepoint_store_events "))))


def first_log_line():
    point = Point(Point.LOCAL)
    try:
        time.sleep(2)
        times, empty = [], []
        for _ in range(40):
            began = time.perf_counter()
            point.call("GET", "/healthz")
            empty.append(time.perf_counter() - began)
            began = time.perf_counter()
            job = point.call("POST", "/v1/jobs?project=demo", {
                "name": "hello", "command": ["/bin/sh", "-c", "echo hello"], "resources": {"memory": "64MiB"}})["job"]
            while not point.call("GET", f"/v1/jobs/{job}/logs", raw=True):
                time.sleep(0.002)
            times.append(time.perf_counter() - began)
            while point.call("GET", f"/v1/jobs/{job}")["summary"]["state"] not in ("succeeded", "failed"):
                time.sleep(0.01)
        return [("submit to first log line, local job in a sandbox, median of 40",
                 f"{statistics.median(times) * 1000:.0f} ms (an empty request: "
                 f"{statistics.median(empty) * 1000:.1f} ms)", "< 150 ms")]
    finally:
        point.close()


def overview():
    point = Point()
    try:
        finished_jobs(point, 90_000)
        point.call("POST", "/v1/jobs?project=demo", {"name": "waiting", "command": ["/bin/true"], "array": 10_000})
        time.sleep(3)
        cookie = {"Cookie": "onepoint_session=" + point.token}
        pages = []
        for path in ("/console", "/console/jobs"):
            times = []
            for _ in range(40):
                began = time.perf_counter()
                point.call("GET", path, headers=cookie, raw=True)
                times.append(time.perf_counter() - began)
            pages.append((f"page {path} with 100,000 jobs, median of 40",
                          f"{statistics.median(times) * 1000:.1f} ms (slowest {max(times) * 1000:.0f} ms)",
                          "< 50 ms" if path == "/console" else ""))
        return pages
    finally:
        point.close()


BENCHMARKS = {"submissions": submissions, "memory": memory, "restart": restart, "first-log-line": first_log_line,
              "overview": overview}


def run(benchmarks, description):
    """The command line that all of these programs share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=benchmarks, action="append")
    parser.add_argument("--markdown", action="store_true", help="rows of a table for docs/benchmarks.md")
    options = parser.parse_args()
    for name in options.only or benchmarks:
        for what, figure, bar in benchmarks[name]():
            print(f"| {what} | {figure} | {bar} |" if options.markdown else f"{what}: {figure}"
                  + (f"   (bar: {bar})" if bar else ""), flush=True)


if __name__ == "__main__":
    run(BENCHMARKS, __doc__)
