#!/usr/bin/env python3
"""Measures how many exchanges with agents one point carries on, each of 100 run states.

    swift build -c release --product onepoint && python3 Benchmarks/exchange.py [--markdown]

Needs wrk. Two kinds: what an agent says when nothing has changed (it names its 100 runs), and what it says after an answer
was lost (it reports the state of all 100 once more). The limit beside them is an empty request to the same point.
"""
import datetime, json
from service import Point, run, wrk

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


def exchanges():
    point = Point()
    try:
        agent = Agent(point)
        agent.hold()
        _, limit, _, _ = wrk(point, "empty.lua", 10)
        rows = []
        for what, body in (
            (f"exchanges that name {RUNS} runs, 16 connections", agent.request()),
            (f"exchanges that report {RUNS} runs once more", agent.request(reports=agent.reports())),
        ):
            with open(f"{point.folder}/exchange", "w") as file:
                json.dump(body, file)
            _, rate, p99, cpu = wrk(point, "exchange.lua", 10, ONEPOINT_TOKEN=agent.key, EXCHANGE=file.name)
            rows.append((what, f"{rate:,.0f} a second, 99th percentile {p99:.1f} ms, {cpu:.0f} µs of server CPU each",
                         "≥ 2,000"))
        return rows + [("… beside empty requests in the same run", f"{limit:,.0f} a second", "")]
    finally:
        point.close()


if __name__ == "__main__":
    run({"exchanges": exchanges}, __doc__)
