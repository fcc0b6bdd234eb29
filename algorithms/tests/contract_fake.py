"""Runs an algorithm as the platform would: its own processes, a fresh work directory, the variables of the contract.

For tests and for `chain.py`. It copies the algorithm's folder with links followed, as packaging does, so that a file missing
from the folder shows here first.
"""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ALGORITHMS = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(name, folder: Path, inputs=None, parameters=None, tasks=1, element=(0, 1), work=None):
    """Starts the tasks of one element; returns the processes. Their logs are `folder/log.<rank>`."""
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / "algorithm"
    if package.exists():
        shutil.rmtree(package)
    shutil.copytree(ALGORITHMS / name, package, symlinks=False, ignore=shutil.ignore_patterns("__pycache__"))
    work = work or folder / "work"
    given = folder / "inputs"
    for path in (work, given, folder / "outputs"):
        path.mkdir(parents=True, exist_ok=True)
    for input_name, source in (inputs or {}).items():
        target = given / input_name
        if isinstance(source, list):  # an array's outputs: one entry per element
            target.mkdir(exist_ok=True)
            for index, one in enumerate(source):
                (target / str(index)).symlink_to(Path(one).resolve())
        else:
            target.symlink_to(Path(source).resolve())
    (folder / "parameters.json").write_text(json.dumps(parameters or {}), encoding="utf-8")
    port = free_port()
    processes = []
    for rank in range(tasks):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "ONEPOINT_ALGORITHM": str(package),
            "ONEPOINT_INPUTS": str(given),
            "ONEPOINT_OUTPUTS": str(folder / "outputs"),
            "ONEPOINT_PARAMETERS": str(folder / "parameters.json"),
            "ONEPOINT_ARRAY_INDEX": str(element[0]),
            "ONEPOINT_ARRAY_COUNT": str(element[1]),
            "ONEPOINT_JOB": name,
            "ONEPOINT_RUN": f"{name}-{port}",
            "ONEPOINT_CORES": "1",
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(tasks),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
        }
        with (folder / f"log.{rank}").open("w") as log:
            command = [sys.executable, str(package / "main.py")]
            processes.append(subprocess.Popen(command, cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT))
    return processes


def finish(processes, limit_seconds=120.0) -> list[int]:
    """The exit statuses; processes that outlast the limit are ended and reported by a TimeoutExpired."""
    try:
        deadline = time.monotonic() + limit_seconds
        return [process.wait(max(0.1, deadline - time.monotonic())) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def run(name, folder: Path, **arguments):
    """Starts and finishes; returns exit statuses and the log of rank 0."""
    statuses = finish(start(name, folder, **arguments))
    return statuses, (folder / "log.0").read_text(encoding="utf-8")


def children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
