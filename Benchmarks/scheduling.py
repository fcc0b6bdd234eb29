#!/usr/bin/env python3
"""Replays real traces through `onepoint simulate`: gates that show it tells the truth, then our own policy, forecasts, and
speed, beside the reference simulators under PyPy in the same run.

    swift build -c release --product onepoint && python3 Benchmarks/scheduling.py [--markdown] [--seeds N]
        [--only swf,openb,fed4,projects,forecasts,speed,million] [--traces FOLDER]

The traces are not part of the repository: they are looked for in ../shared/traces. `pypy3` is needed for one row of speed.
"""
import argparse, json, pathlib, random, resource, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ONEPOINT = ROOT / ".build/release/onepoint"
OPENB = ["default", "cpu050", "cpu100", "cpu200", "gpushare40", "gpushare60", "gpuspec10", "gpuspec20", "multigpu20",
         "multigpu30"]
# Published for FGD, which knows the mix beforehand (USENIX ATC 2023, artifact, 130 % arrived).
PUBLISHED = {"default": 95.39, "cpu050": 95.21, "cpu100": 95.35, "cpu200": 95.04, "gpushare40": 94.15, "gpushare60": 91.40,
             "gpuspec10": 94.95, "gpuspec20": 94.84, "multigpu20": 95.65, "multigpu30": 96.46}
rows = []


def row(what, figure, bar):
    rows.append((what, figure, bar))
    print(f"{what}: {figure}" + (f" ({bar})" if bar else ""), file=sys.stderr)


def simulate(*arguments):
    text = subprocess.run([str(ONEPOINT), "simulate", *map(str, arguments), "--json"], check=True, capture_output=True,
                          text=True).stdout
    return json.loads(text)


def policies(*arguments):
    return {p["policy"]: p for p in simulate(*arguments)["traces"][0]["policies"]}


class Traces:
    def __init__(self, folder, seeds):
        self.folder, self.seeds = folder, seeds
        self.kth = next((folder / "kth-sc15").glob("*.swf.gz"))
        self.blue = next((folder / "pwa-swf").glob("SDSC-BLUE*.swf.gz"))
        self.fed4 = [folder / "fed4/fed4_jobs.csv.gz", "--preset", "fed4", "--scale", 1.15]


def swf(traces):
    for name, path, easy, oracle in [("KTH", traces.kth, 92.577, 49.848), ("SDSC-BLUE", traces.blue, 36.527, 13.180)]:
        got = policies(path, "--event-order", "sequential", "--policy",
                       "easy,easy-sjbf+actual,conservative,onepoint")
        row(f"gate: EASY on {name}, mean bounded slowdown", got["easy"]["mean_bounded_slowdown"], f"published {easy}")
        row(f"gate: clairvoyant EASY-SJBF on {name}", got["easy-sjbf+actual"]["mean_bounded_slowdown"],
            f"published {oracle}")
        row(f"conservative backfill on {name}", got["conservative"]["mean_bounded_slowdown"], "")
        own, base = got["onepoint"], got["easy"]
        row(f"our policy on {name}, mean bounded slowdown", own["mean_bounded_slowdown"],
            {"KTH": "must 62.9, aim 49.8", "SDSC-BLUE": "must 16.8, aim 13.2"}[name])
        row("… longest wait beside EASY's", f"{own['max_wait_seconds'] / base['max_wait_seconds']:.2f} times", "≤ 2")
        row("… area-weighted wait beside EASY's",
            f"{own['area_weighted_wait_seconds']:,.0f} s, {base['area_weighted_wait_seconds']:,.0f} s", "")


def openb(traces):
    with tempfile.TemporaryDirectory() as folder:
        cluster = pathlib.Path(folder) / "openb.yaml"
        cluster.write_text("centres:\n  - name: openb\n    nodes:\n      - list: "
                           f"{traces.folder}/openb/openb_node_list_gpu_node.csv.gz\n")
        for variant in OPENB:
            path = traces.folder / f"openb/openb_pod_list_{variant}.csv.gz"
            if not path.exists():
                continue
            names = "fgd,greedy,onepoint" if variant == "default" else "onepoint"
            got = {f["policy"]: f for f in simulate(path, "--federation", cluster, "--fill", 1.3, "--seeds", traces.seeds,
                                                    "--policy", names)["fillings"]}
            if variant == "default":
                row("gate: openb at 130 %, FGD knowing the mix", f"{got['fgd']['allocated_percent']} %", "published 95.39")
                row("gate: openb at 130 %, best fit", f"{got['greedy']['allocated_percent']} %", "published 93.08")
                row("placement decisions a CPU-second, FGD on 1,213 nodes",
                    f"{got['fgd']['decisions_per_cpu_second']:,}", "must 20,000, aim 200,000")
                row("… our policy", f"{got['onepoint']['decisions_per_cpu_second']:,}", "")
            own = got["onepoint"]
            row(f"our policy on openb {variant}, learning the mix",
                f"{own['allocated_percent']} ± {own['deviation']} %", f"FGD's published {PUBLISHED[variant]}")


def fed4(traces):
    home = policies(*traces.fed4, "--policy", "greedy", "--stay-home")["greedy"]
    got = policies(*traces.fed4, "--policy", "greedy,onepoint,sjf-greedy+predicted,sjf-greedy+actual")
    away = policies(*traces.fed4, "--policy", "onepoint", "--outage", "0:240:12")["onepoint"]

    def fed(p):
        return (f"{p['mean_bounded_slowdown']} / {p['large_mean_wait_seconds']:,.0f} s, longest wait "
                f"{p['max_wait_seconds'] / 86400:.1f} days, area-weighted {p['area_weighted_wait_seconds']:,.0f} s")

    row("fed4 at load 0.913, each job at home, greedy: slowdown / wait above 8 cards", fed(home), "")
    row("… one point, greedy", fed(got["greedy"]), "")
    row("… one point, our policy", fed(got["onepoint"]), "must 12.9 / 7,494 s, aim 2.5 / 3,400 s")
    row("… shortest first by our estimates, nobody kept from starving", fed(got["sjf-greedy+predicted"]), "")
    row("… shortest first, knowing the truth", fed(got["sjf-greedy+actual"]), "")
    row("… our policy, the largest centre away for 12 hours",
        f"{away['started']:,} of 276,210 ran, {away['mean_bounded_slowdown'] / got['onepoint']['mean_bounded_slowdown']:.2f}"
        " times the slowdown", "nothing lost, ≤ 2")
    row("fed4, CPU-seconds for 276,210 jobs, our policy", got["onepoint"]["cpu_seconds"], "must 2, aim 0.3")


def projects(_):
    with tempfile.TemporaryDirectory() as folder:
        machine, path = pathlib.Path(folder) / "machine.yaml", pathlib.Path(folder) / "fair.csv"
        machine.write_text("centres:\n  - name: machine\n    nodes:\n      - {count: 8, cores: 64, memory: 512GiB, "
                           "cards: 8, model: h20}\n")
        for what, sizes in [("jobs of one card", [[1]] * 4), ("jobs of unequal size", [[1, 2], [1, 2, 4], [1, 4, 8], [1]])]:
            fair(path, sizes)
            got = policies(path, "--federation", machine, "--projects", "project", "--policy", "onepoint,patience")
            for name, p in got.items():
                row(f"four equal projects of unequal appetite, {what}, {name}: held of what was due; mean wait",
                    "; ".join(f"{x['of_due']:.2f}, {x['mean_wait_seconds']:,.0f} s" for x in p["projects"]),
                    "≥ 0.95" if name == "onepoint" else "")


def fair(path, sizes):
    """Four projects for thirty days on 64 cards, of which they ask for a tenth, a fifth, three fifths and one and a half;
    run times are log-normal with a mean of an hour, at most a day, and limits twice that."""
    chance, lines = random.Random(1), []
    for name, appetite, cards in zip("abcd", [0.1, 0.2, 0.6, 1.5], sizes):
        at = 0.0
        while at < 30 * 86400:
            seconds = min(86400, max(30, int(chance.lognormvariate(7.5, 1.2))))
            size = chance.choice(cards)
            lines.append((int(at), seconds, size, name, 2 * seconds))
            at += chance.expovariate(1) * seconds * size / (appetite * 64)
    lines.sort()
    path.write_text("submit,duration,gpus,project,requested_s\n"
                    + "".join(",".join(map(str, line)) + "\n" for line in lines))


def forecasts(traces):
    for name, arguments, every in [("KTH", [traces.kth, "--event-order", "sequential"], 1),
                                   ("SDSC-BLUE", [traces.blue, "--event-order", "sequential"], 1),
                                   ("fed4 at 0.913", traces.fed4, 10)]:
        for policy, got in policies(*arguments, "--forecasts", every, "--policy",
                                    "onepoint" if name[0] == "f" else "onepoint,easy").items():
            starts, runs = got["forecasts"]["starts"], got["forecasts"]["runs"]
            row(f"{name}, {policy}: p50 and p90 of starts held, p90 over what came, p50 and p90 of run times held",
                f"{starts['count']:,} jobs: {starts['p50_held']:.1%}, {starts['p90_held']:.1%}, "
                f"{starts['p90_over_truth']:.1f} times; {runs['p50_held']:.1%}, {runs['p90_held']:.1%}",
                "p90 88 to 92 %")


def speed(traces):
    easy = policies(traces.blue, "--policy", "easy")["easy"]
    ours = easy["started"] / easy["cpu_seconds"]
    if shutil.which("pypy3"):
        text = subprocess.run(["pypy3", str(traces.folder / "baselines/swf_sched.py"), str(traces.blue), "easy"], check=True,
                              capture_output=True, text=True).stdout
        peer = json.loads(text)["jobs_per_cpu_s"]
        row("EASY on SDSC-BLUE, jobs a CPU-second", f"{ours:,.0f}, {ours / peer:.1f} times the {peer:,} of PyPy",
            "must 10 times, aim 1,000,000")
    else:
        row("EASY on SDSC-BLUE, jobs a CPU-second", f"{ours:,.0f}", "pypy3 is not there to compare with")


def million(_):
    """A million jobs that wait for 100,000 nodes in 100 centres; then about a thousand that come or end each second."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        trace, place = pathlib.Path(folder) / "jobs.csv", pathlib.Path(folder) / "place.yaml"
        place.write_text("centres:\n" + "".join(
            f"  - name: centre-{number:03}\n    tier: region\n    nodes:\n"
            "      - {count: 1000, cores: 128, memory: 1024GiB, cards: 8, model: a800}\n" for number in range(100)))
        later = 600
        with trace.open("w") as out:
            out.write("submit,duration,gpus,cpu_milli,memory_mib,requested_s\n")
            for number in range(1_000_000 + later * 500):
                cards = chance.choice([0, 0, 1, 1, 1, 2, 4, 8, 8, 16])
                size = max(1, cards)
                out.write(f"{max(0, (number - 1_000_000) // 500)},{chance.randint(60, 1200)},{cards},"
                          f"{size * chance.choice([4000, 8000])},{size << 15},{chance.choice([3600, 14400, 86400])}\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        got = policies(trace, "--federation", place, "--policy", "onepoint")["onepoint"]
        memory = max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        row("1,000,000 queued jobs, 100,000 nodes, 100 centres: placements a CPU-second",
            f"{got['started'] / got['cpu_seconds']:,.0f}", "must 50,000, aim 500,000")
        # As many end as start, and as many come again for a time.
        changes = 2 * got["started"] / got["makespan_seconds"]
        cycle = got["cpu_seconds"] / got["makespan_seconds"] * 1000
        row("… a cycle of 1,000 changes", f"{cycle / changes * 1000:.1f} ms ({changes:,.0f} changes in {cycle:.1f} ms)",
            "must 100 ms")
        row("… memory of the process, the trace itself included", f"{memory / 1e6:.2f} GB", "must 1 GB")


PARTS = [swf, openb, fed4, projects, forecasts, speed, million]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--markdown", action="store_true")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--only", default=",".join(part.__name__ for part in PARTS))
    options.add_argument("--traces", type=pathlib.Path, default=ROOT.parent / "shared/traces")
    options = options.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - {part.__name__ for part in PARTS}:
        sys.exit(f"no such part: {', '.join(sorted(unknown))}")
    if set(chosen) - {"million", "projects"} and not options.traces.is_dir():
        sys.exit(f"{options.traces} is not there: the traces are not part of the repository")
    traces = Traces(options.traces, options.seeds) if options.traces.is_dir() else None
    for part in PARTS:
        if part.__name__ in chosen:
            part(traces)
    if options.markdown:
        print("| what | figure | bar |\n| --- | --- | --- |")
        for what, figure, bar in rows:
            print(f"| {what} | {figure} | {bar} |")


main()
