"""What an algorithm sees of the platform: folders, parameters, its place in a gang, and the wish to stop.

Standard library only. The contract itself is written down in `algorithms/README.md`; this module is the one place in
Python that reads it, so that the programs beside it contain only their own subject.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

EXIT_BAD_INPUT = 2
EXIT_STOPPED = 143  # 128 + SIGTERM, what a shell reports for a process that the signal ended


class BadInput(Exception):
    """Something the person who submitted the job can mend; one line, without a traceback."""


class Stopped(Exception):
    """SIGTERM has arrived and the program is at a place where it can be left."""


class Contract:
    """The environment of one process, read once at its start."""

    def __init__(self, environ=os.environ):
        self.algorithm = Path(environ.get("ONEPOINT_ALGORITHM", Path(sys.argv[0]).resolve().parent))
        self.inputs = Path(environ.get("ONEPOINT_INPUTS", "inputs"))
        self.outputs = Path(environ.get("ONEPOINT_OUTPUTS", "outputs"))
        self.array_index = _integer(environ, "ONEPOINT_ARRAY_INDEX", 0)
        self.array_count = _integer(environ, "ONEPOINT_ARRAY_COUNT", 1)
        self.rank = _integer(environ, "RANK", 0)
        self.world_size = _integer(environ, "WORLD_SIZE", 1)
        if not 0 <= self.array_index < self.array_count:
            raise BadInput(f"element {self.array_index} is not one of an array of {self.array_count}")
        if not 0 <= self.rank < self.world_size:
            raise BadInput(f"rank {self.rank} is not one of a gang of {self.world_size}")
        self.parameters = _parameters(environ.get("ONEPOINT_PARAMETERS"))
        self.stopping = False

    def input(self, name: str) -> Path:
        """The file or folder given as `name`; raises `BadInput` when it is absent."""
        path = self.inputs / name
        if not path.exists():
            raise BadInput(f"the input '{name}' is missing")
        return path

    def optional_input(self, name: str) -> Path | None:
        path = self.inputs / name
        return path if path.exists() else None

    def output(self, name: str) -> Path:
        """The folder of the output `name`, created when it is not there yet."""
        path = self.outputs / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def parameter(self, name: str, kind: type, default):
        """The parameter `name`. The platform has validated it; the check here serves runs without the platform."""
        value = self.parameters.get(name, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise BadInput(f"the parameter '{name}' must be of type {kind.__name__}, not {value!r}")
        return value

    def heed_sigterm(self, at_once: bool = False):
        """Makes SIGTERM set `stopping`, or, with `at_once`, end a program that has nothing worth saving."""

        def heed(_signal, _frame):
            if at_once:
                raise SystemExit(EXIT_STOPPED)
            self.stopping = True

        signal.signal(signal.SIGTERM, heed)


def _integer(environ, name: str, default: int) -> int:
    text = environ.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{name} is not an integer: {text!r}") from None


def _parameters(path) -> dict:
    if not path:
        return {}
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"the parameters cannot be read: {error}") from None
    if not isinstance(values, dict):
        raise BadInput("the parameters are not a JSON object")
    return values


def keep_freed_memory():
    """Asks glibc to keep freed blocks for the next array instead of giving their pages back.

    Arrays of a few megabytes are otherwise mapped, zeroed and unmapped by the kernel at every step, which took a third of
    the time of training. Elsewhere than on glibc this does nothing.
    """
    trim_threshold, map_threshold, limit_bytes = -1, -3, 1 << 30
    try:
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, limit_bytes)
        library.mallopt(map_threshold, limit_bytes)
    except (OSError, AttributeError):
        pass


def say(line: str):
    """One line of the job's log, at once: a pipe would otherwise hold it back until the end."""
    print(line, flush=True)


def files_under(path: Path, ending: str) -> list[Path]:
    """The file itself, or the files below a folder whose names end so, sorted; links to folders are followed.

    Inputs may be links into a store, which `Path.rglob` would pass by.
    """
    if path.is_file():
        return [path]
    found = []
    for folder, _, names in os.walk(path, followlinks=True):
        found += [Path(folder) / name for name in names if name.endswith(ending)]
    return sorted(found)


def write_json(path: Path, value):
    """Writes `value` under a temporary name first, so that nobody ever reads half a file."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, indent=2, allow_nan=False)
        file.write("\n")
    os.replace(temporary, path)


def read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name} cannot be read: {error}") from None


def main(program):
    """Runs `program(contract)` and turns its outcome into an exit status and, on a fault, one plain line."""
    try:
        program(Contract())
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        raise SystemExit(EXIT_BAD_INPUT) from None
    except Stopped as reason:
        say(f"stopped on request: {reason}")
        raise SystemExit(EXIT_STOPPED) from None
