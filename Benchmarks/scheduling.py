#!/usr/bin/env python3
"""Replays real traces through `onepoint simulate`: first the gates that show it tells the truth, then our own policy, then
speed beside the reference simulators under PyPy in the same run.

    swift build -c release --product onepoint && python3 Benchmarks/scheduling.py [--markdown] [--seeds N] [--traces FOLDER]

The traces are not part of the repository: they are looked for in ../shared/traces. `pypy3` is needed for the last part.
"""
import argparse, json, pathlib, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ONEPOINT = ROOT / ".build/release/onepoint"
OPENB = ["default", "cpu050", "cpu100", "cpu200", "gpushare40", "gpushare60", "gpuspec10", "gpuspec20", "multigpu20",
         "multigpu30"]
# Published for FGD, which knows the mix beforehand (USENIX ATC 2023, artifact, 130 % arrived).
PUBLISHED = {"default": 95.39, "cpu050": 95.21, "cpu100": 95.35, "cpu200": 95.04, "gpushare40": 94.15, "gpushare60": 91.40,
             "gpuspec10": 94.95, "gpuspec20": 94.84, "multigpu20": 95.65, "multigpu30": 96.46}


def simulate(*arguments):
    text = subprocess.run([str(ONEPOINT), "simulate", *map(str, arguments), "--json"], check=True, capture_output=True,
                          text=True).stdout
    return json.loads(text)


def policies(*arguments):
    return {p["policy"]: p for p in simulate(*arguments)["traces"][0]["policies"]}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--markdown", action="store_true")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--traces", type=pathlib.Path, default=ROOT.parent / "shared/traces")
    options = options.parse_args()
    traces = options.traces
    if not traces.is_dir():
        sys.exit(f"{traces} is not there: the traces are not part of the repository")
    rows = []

    def row(what, figure, bar):
        rows.append((what, figure, bar))
        print(f"{what}: {figure}" + (f" ({bar})" if bar else ""), file=sys.stderr)

    kth = next((traces / "kth-sc15").glob("*.swf.gz"))
    blue = next((traces / "pwa-swf").glob("SDSC-BLUE*.swf.gz"))
    for name, path, easy, oracle in [("KTH", kth, 92.577, 49.848), ("SDSC-BLUE", blue, 36.527, 13.180)]:
        got = policies(path, "--event-order", "sequential", "--policy", "easy,easy-sjbf+actual,onepoint")
        row(f"gate: EASY on {name}, mean bounded slowdown", got["easy"]["mean_bounded_slowdown"], f"published {easy}")
        row(f"gate: clairvoyant EASY-SJBF on {name}", got["easy-sjbf+actual"]["mean_bounded_slowdown"],
            f"published {oracle}")
        own, base = got["onepoint"], got["easy"]
        row(f"our policy on {name}, mean bounded slowdown", own["mean_bounded_slowdown"],
            {"KTH": "must 62.9, aim 49.8", "SDSC-BLUE": "must 16.8, aim 13.2"}[name])
        row("… longest wait beside EASY's", f"{own['max_wait_seconds'] / base['max_wait_seconds']:.2f} times", "≤ 2")
        row("… area-weighted wait beside EASY's",
            f"{own['area_weighted_wait_seconds']:,.0f} s, {base['area_weighted_wait_seconds']:,.0f} s", "")

    with tempfile.TemporaryDirectory() as folder:
        cluster = pathlib.Path(folder) / "openb.yaml"
        cluster.write_text("centres:\n  - name: openb\n    nodes:\n      - list: "
                           f"{traces}/openb/openb_node_list_gpu_node.csv.gz\n")
        for variant in OPENB:
            path = traces / f"openb/openb_pod_list_{variant}.csv.gz"
            if not path.exists():
                continue
            names = "fgd,greedy,onepoint" if variant == "default" else "onepoint"
            got = {f["policy"]: f for f in simulate(path, "--federation", cluster, "--fill", 1.3, "--seeds", options.seeds,
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

    fed4 = [traces / "fed4/fed4_jobs.csv.gz", "--preset", "fed4", "--scale", 1.15]
    home = policies(*fed4, "--policy", "greedy", "--stay-home")["greedy"]
    got = policies(*fed4, "--policy", "greedy,onepoint,sjf-greedy+predicted,sjf-greedy+actual")
    away = policies(*fed4, "--policy", "onepoint", "--outage", "0:240:12")["onepoint"]

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

    easy = policies(blue, "--policy", "easy")["easy"]
    speed = easy["started"] / easy["cpu_seconds"]
    if shutil.which("pypy3"):
        text = subprocess.run(["pypy3", str(traces / "baselines/swf_sched.py"), str(blue), "easy"], check=True,
                              capture_output=True, text=True).stdout
        peer = json.loads(text)["jobs_per_cpu_s"]
        row("EASY on SDSC-BLUE, jobs a CPU-second", f"{speed:,.0f}, {speed / peer:.1f} times the {peer:,} of PyPy",
            "must 10 times, aim 1,000,000")
    else:
        row("EASY on SDSC-BLUE, jobs a CPU-second", f"{speed:,.0f}", "pypy3 is not there to compare with")
    if options.markdown:
        print("| what | figure | bar |\n| --- | --- | --- |")
        for what, figure, bar in rows:
            print(f"| {what} | {figure} | {bar} |")


main()
