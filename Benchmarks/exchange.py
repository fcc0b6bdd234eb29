#!/usr/bin/env python3
"""Measures how many exchanges with agents one point carries on, each of 100 run states.

    swift build -c release --product onepoint && python3 Benchmarks/exchange.py [--markdown]

Needs wrk. Two kinds: what an agent says when nothing has changed (it names its 100 runs), and what it says after an answer
was lost (it reports the state of all 100 once more). The limit beside them is an empty request to the same point.
"""
import datetime, json, os, subprocess
from service import ROOT, Point, run

RUNS = 100


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Agent:
    """A centre of one large node, spoken for by this program."""

    def __init__(self, point):
        self.point = point
        token = point.call("POST", "/v1/centres", {"name": "hub-1", "tier": "hub"})["token"]
        joined = point.call("POST", "/v1/agent/join", {"token": token})
        self.agent, self.key = joined["agent"], joined["key"]
        self.runs = []

    def request(self, **more):
        return {"agent": self.agent, "seat": "bench", "at": now(), "reports": [], "holds": self.runs, "strays": [],
                "wait_milliseconds": 0, **more}

    def exchange(self, **more):
        return self.point.call("POST", "/v1/agent/exchange", self.request(**more),
                               headers={"Authorization": "Bearer " + self.key})

    def reports(self):
        return [{"run": run, "version": 1, "observation": {
            "phase": "running", "engine_job": str(number), "started_at": self.began, "artifacts": []}}
            for number, run in enumerate(self.runs)]

    def hold(self):
        node = {"name": "n1", "schedulable": True, "cores": 1000 * RUNS, "memory": 1 << 40, "cards": []}
        self.exchange(capacity={"engine": "slurm", "engine_version": "1", "isolates": True, "nodes": [node]})
        self.point.call("POST", "/v1/jobs?project=demo", {
            "name": "bench", "command": ["/bin/true"], "array": RUNS, "resources": {"cores": 1, "memory": "64MiB"}})
        while len(self.runs) < RUNS:
            known = set(self.runs)
            self.runs += [lease["run"] for lease in self.exchange(wait_milliseconds=1000)["leases"]
                          if lease["run"] not in known]
        self.began = now()
        answer = self.exchange(reports=self.reports())
        assert len(answer["acknowledged"]) == RUNS, answer


def load(point, name, token, body=None):
    environment = {**os.environ, "ONEPOINT_TOKEN": token}
    script = []
    if body is not None:
        environment["EXCHANGE"] = os.path.join(point.folder, name)
        with open(environment["EXCHANGE"], "w") as file:
            json.dump(body, file)
        script = ["-s", str(ROOT / "Benchmarks/exchange.lua")]
    before = point.cpu_seconds()
    out = subprocess.run(["wrk", "-t1", "-c16", "-d10s", "--latency", *script,
                          point.url + ("" if script else "/healthz")],
                         env=environment, capture_output=True, text=True, check=True).stdout
    cpu = point.cpu_seconds() - before
    if not script:
        return float(next(line for line in out.splitlines() if line.startswith("Requests/sec")).split()[1]), 0, 0
    requests, microseconds, p99, errors = map(int, next(
        line for line in out.splitlines() if line.startswith("RESULT")).split()[1:])
    assert errors == 0, out
    return requests / (microseconds / 1e6), p99 / 1000, cpu / requests * 1e6


def exchanges():
    point = Point()
    try:
        agent = Agent(point)
        agent.hold()
        limit, _, _ = load(point, "empty", point.token)
        rows = []
        for what, body in (
            (f"exchanges that name {RUNS} runs, 16 connections", agent.request()),
            (f"exchanges that report {RUNS} runs once more", agent.request(reports=agent.reports())),
        ):
            rate, p99, cpu = load(point, "body", agent.key, body=body)
            rows.append((what, f"{rate:,.0f} a second, 99th percentile {p99:.1f} ms, {cpu:.0f} µs of server CPU each",
                         "≥ 2,000"))
        return rows + [("… beside empty requests in the same run", f"{limit:,.0f} a second", "")]
    finally:
        point.close()


if __name__ == "__main__":
    run({"exchanges": exchanges}, __doc__)
