#!/usr/bin/env python3
"""Measures placing and `why` on a point with a large federation in mind: live runs on all nodes, and a long queue.

    swift build -c release --product onepoint && python3 Benchmarks/live.py [--centres 100] [--nodes 1000] [--queued 1000000]

The centres are spoken for by this program; nobody takes the leases. Needs about 3 GB of disk and some minutes.
"""
import argparse, json, random, statistics, time, urllib.error
from exchange import now
from service import Point

PROJECTS, REQUESTS, ARRAY = 10, 100, 10_000


def metric(point, name):
    text = point.call("GET", "/metrics", raw=True).decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def join(point, name, tier, nodes):
    token = point.call("POST", "/v1/centres", {"name": name, "tier": tier})["token"]
    while True:
        try:
            joined = point.call("POST", "/v1/agent/join", {"token": token})
            break
        except urllib.error.HTTPError as error:  # So many may join from one address in a minute, and no more.
            if error.code != 429:
                raise
            time.sleep(float(error.headers.get("Retry-After", 2)))
    capacity = {"engine": "slurm", "engine_version": "1", "isolates": True, "nodes": [
        {"name": f"n{number}", "schedulable": True, "cores": 96_000, "memory": 768 << 30,
         "cards": [{"model": "h100", "count": 8, "emulated": False}] if number % 2 else []} for number in range(nodes)]}
    point.call("POST", "/v1/agent/exchange", {
        "agent": joined["agent"], "seat": "bench", "at": now(), "reports": [], "holds": [], "strays": [],
        "wait_milliseconds": 0, "capacity": capacity}, headers={"Authorization": "Bearer " + joined["key"]})


def submit(point, count, cores, memory, project, limit=3600):
    return point.call("POST", f"/v1/jobs?project=p{project}", {
        "name": "bench", "command": ["/bin/true"], "array": count,
        "resources": {"cores": cores, "memory": f"{memory}GiB", "time_limit": limit}})["array"]


def wait_for(what, reached):
    began = time.perf_counter()
    while not reached():
        time.sleep(0.5)
    seconds = time.perf_counter() - began
    print(f"{what}: {seconds:.1f} s", flush=True)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--centres", type=int, default=100)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--queued", type=int, default=1_000_000)
    options = parser.parse_args()
    random.seed(1)
    point = Point("silence_after_seconds: 86400\ncentres: []\n")
    try:
        for number in range(options.centres):
            join(point, f"c{number}", ["hub", "region", "edge", "device"][number % 4], options.nodes)
        for project in range(PROJECTS):
            point.call("POST", "/v1/projects", {"name": f"p{project}"})
        # Two on each node, which leave two cores.
        runs = 2 * options.centres * options.nodes
        for start in range(0, runs, ARRAY):
            submit(point, min(ARRAY, runs - start), 47, 300, start // ARRAY % PROJECTS)
        wait_for(f"{runs:,} placed", lambda: metric(point, 'onepoint_jobs{state="active"}') >= runs)
        arrays = [submit(point, min(ARRAY, options.queued - start), 4 + start // ARRAY % REQUESTS % 92, 8, start // ARRAY
                         % PROJECTS, limit=3600 + start // ARRAY) for start in range(0, options.queued, ARRAY)]
        queued = metric(point, 'onepoint_jobs{state="queued"}')
        print(f"queued: {queued:,.0f}", flush=True)
        cycles = []
        for _ in range(20):
            # 500 jobs go and 500 come.
            array = submit(point, 500, 3, 4, random.randrange(PROJECTS))
            before = metric(point, "onepoint_placement_cycles_total")
            point.call("POST", f"/v1/arrays/{array}/cancel")
            submit(point, 500, 3, 4, random.randrange(PROJECTS))
            wait_for("next cycle", lambda: metric(point, "onepoint_placement_cycles_total") > before + 1)
            cycles.append(metric(point, "onepoint_placement_cycle_seconds"))
        print(f"cycle of 1,000 changes: median {statistics.median(cycles) * 1000:.0f} ms, most {max(cycles) * 1000:.0f} ms")
        jobs = [job["job"] for array in random.sample(arrays, min(10, len(arrays)))
                for job in point.call("GET", f"/v1/jobs?array={array}&limit=500")["items"]]
        times, empty, codes = [], [], {}
        for job in random.sample(jobs, min(500, len(jobs))):
            began = time.perf_counter()
            why = point.call("GET", f"/v1/jobs/{job}/why")
            times.append(time.perf_counter() - began)
            codes[why["code"]] = codes.get(why["code"], 0) + 1
            began = time.perf_counter()
            point.call("GET", "/healthz", raw=True)
            empty.append(time.perf_counter() - began)
        times.sort()
        print(f"why: median {times[len(times) // 2] * 1000:.1f} ms, 99th percentile "
              f"{times[len(times) * 99 // 100] * 1000:.1f} ms; an empty request {statistics.median(empty) * 1000:.1f} ms; "
              f"{codes}")
        print(f"resident: {point.resident_mebibytes():,.0f} MiB; kept in mind: "
              f"{metric(point, 'onepoint_placement_kept'):,.0f} rows")
    finally:
        point.close()


if __name__ == "__main__":
    main()
