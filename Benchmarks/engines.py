#!/usr/bin/env python3
"""Measures Onepoint over real engines: how much of Slurm's own rate of submissions comes through it, how long an idle
centre's engine waits for a run, and what ten thousand waiting jobs cost a cluster.

    swift build -c release --product onepoint && python3 Benchmarks/engines.py [--only NAME] [--markdown]

Needs root and the engines that `scripts/setup-engines` prepares; what is not there is left out and named.
"""
import concurrent.futures, glob, http.client, json, os, pathlib, re, shutil, statistics, subprocess, sys
import tempfile, time, urllib.error, urllib.request
from service import ROOT, Point, run

SCRIPTS = ROOT / "scripts/engines"
CACHE = pathlib.Path(os.environ.get("ONEPOINT_ENGINES", pathlib.Path.home() / ".cache/onepoint-engines"))


class Cluster:
    """An engine of its own below a folder, started and ended by the tests' own scripts."""

    def __init__(self, engine, port, nodes, **variables):
        self.engine = engine
        self.folder = tempfile.mkdtemp(prefix=f"onepoint-{engine}-", dir="/tmp")
        self.port = port
        order = [str(nodes), str(port)] if engine == "slurm" else [str(port), str(nodes)]
        self.run(f"{engine}-up", self.folder, *order, **variables)

    def run(self, script, *arguments, **variables):
        subprocess.run([str(SCRIPTS / script), *arguments], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, **variables})

    def slurm(self, *words):
        return subprocess.run(words, check=True, capture_output=True, text=True,
                              env={**os.environ, "SLURM_CONF": f"{self.folder}/slurm.conf"}).stdout

    def token(self):
        path = f"{self.folder}/token"
        with open(path, "w") as file:
            os.chmod(path, 0o600)
            file.write(self.slurm("scontrol", "token", "lifespan=86400").strip().split("=", 1)[1])
        return path

    def close(self):
        subprocess.run([str(SCRIPTS / f"{self.engine}-down"), self.folder], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def point_over(section):
    """A point whose one centre schedules with that."""
    return Point(centres=f"centres:\n  - name: hub-1\n    tier: hub\n{section}")


def rest(cluster, token, calls):
    return (f"    slurm:\n      calls_per_minute: {calls}\n      rest:\n        address: http://127.0.0.1:{cluster.port + 1}\n"
            f"        user: root\n        token_file: {token}\n")


def connected(point):
    while not point.call("GET", "/v1/centres/hub-1").get("connected"):
        time.sleep(0.1)


def accepted(point):
    """Runs that the engine has given a number, by themselves or in an array."""
    folders = glob.glob(f"{point.folder}/data/centres/hub-1/engine/batches/*/number")
    return sum(len(json.load(open(os.path.join(os.path.dirname(path), "record")))["runs"]) for path in folders)


def overhead(count=400, connections=8):
    cluster = Cluster("slurm", 27000, 4, CPUS="256")
    try:
        token = cluster.token()
        headers = {"X-SLURM-USER-NAME": "root", "X-SLURM-USER-TOKEN": open(token).read(),
                   "Content-Type": "application/json"}
        body = json.dumps({"script": "#!/bin/sh\nexit 0\n", "job": {
            "name": "direct", "tasks": 1, "nodes": [1, 1], "hold": True, "environment": {"PATH": "/bin"}, "time_limit": 10,
            "standard_output": "/dev/null", "current_working_directory": "/tmp"}})

        def several(number):
            line = http.client.HTTPConnection("127.0.0.1", cluster.port + 1)
            for _ in range(number):
                line.request("POST", "/slurm/v0.0.38/job/submit", body, headers)
                answer = json.loads(line.getresponse().read())
                assert answer.get("job_id"), answer

        def direct():
            began = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(connections) as pool:
                list(pool.map(several, [count // connections] * connections))
            return count / (time.perf_counter() - began)

        def empty():
            # What is held would stay for ever.
            cluster.slurm("scancel", "--user=root")
            while cluster.slurm("squeue", "-h", "-o", "%i").strip():
                time.sleep(0.5)

        before = direct()
        print(f"slurmrestd: {before:.0f} a second", file=sys.stderr)
        empty()
        point = point_over(rest(cluster, token, 60_000))
        try:
            connected(point)
            time.sleep(2)
            began = time.perf_counter()
            point.call("POST", "/v1/jobs?project=demo", {
                "name": "through", "command": ["/bin/true"], "array": count,
                "resources": {"cores": 1, "memory": "64MiB", "time_limit": "10m"}})
            while accepted(point) < count:
                time.sleep(0.02)
                if time.perf_counter() - began > 120:
                    raise SystemExit(f"only {accepted(point)} of {count} came through in two minutes")
            through = count / (time.perf_counter() - began)
        finally:
            point.close()
        empty()
        after = direct()
        peer = (before + after) / 2
        return [
            (f"jobs that a real Slurm accepts through Onepoint, {count} at once", f"{through:,.0f} a second", ""),
            (f"… beside slurmrestd itself in the same run, {connections} connections",
             f"{peer:,.0f} a second: {100 * through / peer:.0f} %", "≥ 80 %"),
        ]
    finally:
        cluster.close()


def latency(engine, section, known, count=20):
    """From the submission to an idle centre until its engine has the run."""
    point = point_over(section)
    try:
        connected(point)
        time.sleep(3)
        times = []
        for _ in range(count):
            began = time.perf_counter()
            job = point.call("POST", "/v1/jobs?project=demo", {
                "name": "one", "command": ["/bin/true"], "resources": {"cores": 1, "memory": "64MiB"}})["job"]
            while not known(point, job):
                time.sleep(0.005)
            times.append(time.perf_counter() - began)
            while point.call("GET", f"/v1/jobs/{job}")["summary"]["state"] not in ("succeeded", "failed"):
                time.sleep(0.05)
        return (f"dispatch to an idle centre over {engine}, median of {count}",
                f"{statistics.median(times) * 1000:.0f} ms (slowest {max(times) * 1000:.0f} ms)", "< 300 ms")
    finally:
        point.close()


def has_number(point, job):
    """The agent has reported what the engine calls it."""
    return any(run.get("engine_job") and run["state"] != "leased"
               for run in point.call("GET", f"/v1/jobs/{job}")["runs"])


def dispatch():
    rows = []
    cluster = Cluster("slurm", 27100, 2)
    try:
        rows.append(latency("Slurm, by its commands", f"    slurm: {{config_file: {cluster.folder}/slurm.conf}}\n",
                            has_number))
        rows.append(latency("Slurm, by its REST service", rest(cluster, cluster.token(), 120), has_number))
    finally:
        cluster.close()
    if (CACHE / "kubernetes/kube-scheduler").exists():
        cluster = Cluster("kubernetes", 27200, 2)
        try:
            rows.append(latency(
                "Kubernetes", f"    kubernetes: {{kubeconfig: {cluster.folder}/agent.kubeconfig, image: here}}\n",
                has_number))
        finally:
            cluster.close()
    else:
        print("no Kubernetes here: scripts/setup-engines kubernetes", file=sys.stderr)
    if (CACHE / "ray/bin/ray").exists():
        cluster = Cluster("ray", 27300, 1)
        try:
            key = {"Authorization": "Bearer " + open(f"{cluster.folder}/token").read()}

            def is_posted(point, job):
                # Ray knows no hold: it has a run from its release on.
                for run in point.call("GET", f"/v1/jobs/{job}")["runs"]:
                    try:
                        urllib.request.urlopen(urllib.request.Request(
                            f"http://127.0.0.1:27301/api/jobs/{run['run']}", headers=key)).read()
                        return True
                    except urllib.error.HTTPError:
                        pass

            rows.append(latency(
                "Ray", f"    ray: {{address: 'http://127.0.0.1:27301', token_file: {cluster.folder}/token}}\n",
                is_posted, count=10))
        finally:
            cluster.close()
    else:
        print("no Ray here: scripts/setup-engines ray", file=sys.stderr)
    return rows


def remote_calls(cluster):
    """Calls of clients so far, by kind; those of Slurm's own daemons are left out."""
    own = re.compile("^(MESSAGE|REQUEST_(COMPLETE|STEP_COMPLETE|STATS|PING))")
    text = cluster.slurm("sdiag").split("by message type", 1)[1].split("by user", 1)[0]
    return {kind: int(count) for kind, count in re.findall(r"(\w+)\s*\(\s*\d+\) count:(\d+)", text)
            if not own.match(kind)}


def waiting(count=10_000, seconds=60):
    """A cluster that is full of somebody else's work, where everything of ours waits."""
    cluster = Cluster("slurm", 27400, 2, CPUS=str(count // 2))
    script = f"{cluster.folder}/other.sh"
    with open(script, "w") as file:
        file.write("#!/bin/sh\nsleep 100000\n")
    section = f"    slurm: {{config_file: {cluster.folder}/slurm.conf, calls_per_minute: %d}}\n"
    try:
        cluster.slurm("sbatch", "--exclusive", "--nodes=2", "--time=2-00:00:00", "--output=/dev/null", script)
        point = point_over(section % 60_000)
        try:
            connected(point)
            point.call("POST", "/v1/jobs?project=demo", {
                "name": "waits", "command": ["/bin/true"], "array": count,
                "resources": {"cores": 1, "memory": "16MiB", "time_limit": "1h"}})
            began = time.perf_counter()
            while len(cluster.slurm("squeue", "-h", "-r", "--states=PENDING", "-o", "%i").split()) < count:
                if time.perf_counter() - began > 900:
                    break
                time.sleep(2)
            point.stop()
            with open(point.config) as file:
                text = file.read()
            with open(point.config, "w") as file:
                file.write(text.replace("calls_per_minute: 60000", "calls_per_minute: 120"))
            point.start()
            time.sleep(30)
            held = len(cluster.slurm("squeue", "-h", "-r", "--states=PENDING", "-o", "%i").split())
            before = remote_calls(cluster)
            time.sleep(seconds)
            after = remote_calls(cluster)
            made = {kind: after[kind] - before.get(kind, 0) for kind in after if after[kind] > before.get(kind, 0)}
            kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(made.items(), key=lambda item: -item[1]))
            return [(f"calls to a Slurm where {held:,} runs wait, with `calls_per_minute: 120`",
                     f"{sum(made.values()) * 60 / seconds:.0f} a minute ({kinds})", "≤ 120")]
        finally:
            point.close()
    finally:
        cluster.slurm("scancel", "--user=root")
        cluster.close()


BENCHMARKS = {"overhead": overhead, "dispatch": dispatch, "waiting": waiting}

if __name__ == "__main__":
    run(BENCHMARKS, __doc__)
