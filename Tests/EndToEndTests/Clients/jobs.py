"""What people do with `hf jobs`, done against one point: python3 jobs.py PROJECT

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME, and `hf` stands beside this Python. The point has a centre `hub-1`
of the tier hub and a centre `region-1` with emulated cards. Each step is printed as it passes; the first that does not
ends the program.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import huggingface_hub as hub
from huggingface_hub import HfApi, Volume, fetch_job_logs, inspect_job, list_jobs, list_jobs_hardware, run_job

project = sys.argv[1]
api = HfApi()
version = tuple(int(part) for part in hub.__version__.split(".")[:2])
program = str(Path(sys.executable).parent / "hf")
mark = hub.__version__.replace(".", "-")


def step(what):
    print("ok", what, flush=True)


def hf(*words, status=0):
    done = subprocess.run([program, "jobs", *words], capture_output=True, text=True, timeout=240)
    assert (done.returncode == 0) == (status == 0), (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def wait(job):
    """Until the job is over, which its log tells."""
    for _ in fetch_job_logs(job_id=job, namespace=project, follow=True):
        pass
    found = inspect_job(job_id=job, namespace=project)
    assert found.status.stage in ("COMPLETED", "CANCELED", "ERROR"), found
    return found


def refused(words, call):
    try:
        call()
    # 1.19 lets the HTTP library's own error through in places.
    except Exception as caught:
        assert words in str(caught), caught
        return
    raise AssertionError(f"'{words}' expected")


names = [hardware.name for hardware in list_jobs_hardware()]
assert "cpu-basic" in names and "t4-emulated" in names and "cpu-basic-region" in names, names
assert next(h for h in list_jobs_hardware() if h.name == "t4-emulated").accelerator.vram == "16 GiB"
assert "t4-" in hf("hardware") and "CPU Basic" in hf("hardware")
step("hardware")

model = f"{project}/net-{mark}"
work = Path(tempfile.mkdtemp())
(work / "deep").mkdir()
(work / "config.json").write_text('{"hidden": 7}\n')
(work / "deep" / "run.py").write_text("import json, os, sys\nprint('from', sys.argv[1], json.load(open(sys.argv[1])))\n")
api.create_repo(model, private=True)
commit = api.upload_folder(repo_id=model, folder_path=work).oid
step("push")

out = hf(
    "run", "--namespace", project, "--flavor", "cpu-basic-hub", "-v", f"hf://models/{model}:/model", "--timeout", "10m",
    "python:3", "python", "/model/deep/run.py", "/model/config.json",
)
assert "/config.json {'hidden': 7}" in out and "runs at centre 'hub-1'" in out, out
step("run with a volume, followed to its end")

# Without a namespace: the project that is the user's only one.
job = run_job(
    image="ubuntu",
    command=["bash", "-c", "cat /data/x/config.json; echo $WORD; python3 -c 'import os; print(os.getcwd())' >&2; exit 3"],
    env={"WORD": "spoken"},
    flavor="t4-emulated",
    labels={"team": mark},
    volumes=[Volume(type="model", source=model, mount_path="/data/x", revision="main")],
    timeout="5m",
)
assert job.owner.name == project and job.status.stage in ("SCHEDULING", "RUNNING"), job
found = wait(job.id)
assert found.status.stage == "ERROR" and "exit status 3" in found.status.message, found
assert found.volumes[0].revision == commit and found.labels["team"] == mark and found.flavor == "t4-emulated", found
lines = list(fetch_job_logs(job_id=job.id, namespace=project))
assert "region-1" in lines[0] and lines[1:3] == ['{"hidden": 7}', "spoken"], lines
if version >= (1, 19):
    assert lines[-1] in list(fetch_job_logs(job_id=job.id, namespace=project, tail=1)), lines
step("a job that fails, with its reason and its log")

listed = [item for item in list_jobs(namespace=project) if (item.labels or {}).get("team") == mark]
assert [item.id for item in listed] == [job.id], listed
if version >= (2, 0):
    assert [item.id for item in list_jobs(namespace=project, labels={"team": mark}, status="error")] == [job.id]
    assert [item.id for item in list_jobs(namespace=project, labels={"team": mark}, status="running")] == []
assert job.id[:6] in hf("ps", "-a", "--namespace", project)
step("ps")

slow = run_job(image="python:3.11", command=["python", "-uc", "import time; print('up'); time.sleep(600)"], namespace=project)
lines = []
for line in fetch_job_logs(job_id=slow.id, namespace=project, follow=True):
    lines.append(line)
    if line == "up":
        break
assert inspect_job(job_id=slow.id, namespace=project).status.stage == "RUNNING"
assert slow.id[:6] in hf("ps", "--namespace", project)
assert "up" in hf("logs", slow.id, "--namespace", project)
hf("cancel", slow.id, "--namespace", project)
assert wait(slow.id).status.stage == "CANCELED"
assert slow.id in hf("inspect", slow.id, "--namespace", project, *(["--format", "json"] if version >= (1, 19) else []))
step("logs of a running job, cancel, inspect")

if version >= (2, 0):
    again = api.rerun_job(job_id=job.id, namespace=project)
    assert wait(again.id).status.stage == "ERROR" and again.labels == job.labels, again
    assert hf("wait", again.id, "--namespace", project, status=1)
    step("rerun, wait")

refused("There is no flavor", lambda: run_job(image="ubuntu", command=["true"], flavor="h200x8", namespace=project))
refused("no store of secrets", lambda: run_job(image="ubuntu", command=["true"], secrets={"A": "b"}, namespace=project))
refused("pull no images", lambda: run_job(image="pytorch/pytorch:2.6", command=["true"], namespace=project))
refused("404", lambda: inspect_job(job_id="job-none", namespace=project))
refused("404", lambda: run_job(image="ubuntu", command=["true"], namespace="somebody"))
assert "no schedules" in hf("scheduled", "ps", "--namespace", project, status=1)
(work / "s.py").write_text("print(1)\n")
assert "no buckets" in hf("uv", "run", "--namespace", project, str(work / "s.py"), status=1)
step("what is refused says why")
