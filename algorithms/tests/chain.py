"""Runs the whole tour without the platform, one job after the other, and says what each cost.

    python3 algorithms/tests/chain.py [folder]

Takes the jobs' parameters from `workflows/tour.yaml` where it matters (the steps of training) by repeating them here: the
standard library reads no YAML. The outputs stay in the folder (a temporary one when none is given).
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import contract_fake

ROOT = contract_fake.ALGORITHMS.parent


def training_steps() -> int:
    """The one parameter that the workflow sets."""
    found = re.search(r"parameters: \{steps: (\d+)\}", (ROOT / "workflows" / "tour.yaml").read_text(encoding="utf-8"))
    return int(found[1])


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="tour-"))
    if folder.exists() and any(folder.iterdir()):
        print(f"{folder} is not empty", file=sys.stderr)
        raise SystemExit(2)
    costs = []

    def job(name, algorithm, elements=1, at_once=2, **arguments):
        wall, cpu = time.monotonic(), contract_fake.children_cpu_seconds()
        for first in range(0, elements, at_once):
            chosen = range(first, min(first + at_once, elements))
            started = [
                (index, contract_fake.start(algorithm, folder / name / str(index), element=(index, elements), **arguments))
                for index in chosen
            ]
            for index, processes in started:
                statuses = contract_fake.finish(processes)
                log = (folder / name / str(index) / "log.0").read_text(encoding="utf-8")
                print(f"--- {name} {index}: {statuses}\n{log}", end="", flush=True)
                if any(statuses):
                    raise SystemExit(1)
        costs.append((name, time.monotonic() - wall, contract_fake.children_cpu_seconds() - cpu))
        outputs = [folder / name / str(index) / "outputs" for index in range(elements)]
        return lambda output: [path / output for path in outputs] if elements > 1 else outputs[0] / output

    text = job("collect", "collect", elements=4)("text")
    simulated = job("simulate", "lennard-jones", tasks=2)("trajectory")
    trained = job("train", "byte-transformer", tasks=2, inputs={"text": text}, parameters={"steps": training_steps()})
    surrogate = job("surrogate", "surrogate", inputs={"trajectory": simulated})("surrogate")
    model = trained("model")
    job(
        "evaluate",
        "evaluate",
        inputs={"model": model, "text": text, "surrogate": surrogate, "trajectory": simulated},
    )
    job("sample", "sample", inputs={"model": model})
    print("--- cost in seconds")
    for name, wall, cpu in [*costs, ("all", sum(c[1] for c in costs), sum(c[2] for c in costs))]:
        print(f"{name:10} wall {wall:6.1f}  processor {cpu:6.1f}")
    print(json.dumps({"folder": str(folder)}))


if __name__ == "__main__":
    main()
