"""Molecular dynamics of a Lennard-Jones fluid by a gang: several state points, each equilibrated, then left alone (NVE).

Replicated data (Allen and Tildesley, section 7.2.2): every rank holds all particles and computes the forces of its share of
the pairs; one all-reduce per step adds them up. The sums are the same bits everywhere, so the replicas stay equal.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread per rank; to be said before numpy is imported
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from pathlib import Path

import fluid
import numpy as np
from contract import BadInput, Contract, Stopped, keep_freed_memory, main, say, write_json
from gang import Gang, GangError

CHECKPOINT = Path("checkpoint.npz")
RDF_WIDTH = 0.02
# An integration that gains or loses more than this of its energy per particle is wrong, not merely imprecise: the tour's
# runs stay below 1e-4 (measured, see README.md).
DRIFT_LIMIT = 5e-3
COLUMNS = ("state", "step", "temperature", "potential", "kinetic", "total", "pressure", "virial", "pairs")


class Simulation:
    """The state of the particles and how it moves; the same on every rank."""

    def __init__(self, settings, gang):
        self.settings, self.gang = settings, gang
        self.positions, self.length = fluid.lattice(settings["cells"], settings["density"])
        self.count = len(self.positions)
        try:
            self.share = fluid.PairForces(
                self.count, self.length, settings["cutoff"], settings["skin"], gang.rank, gang.size
            )
        except ValueError as error:
            raise BadInput(str(error)) from None
        self.velocities = fluid.thermal_velocities(self.count, settings["temperatures"][0], settings["seed"])
        self._sums = np.empty(3 * self.count + 4)
        self.forces = None

    def compute_forces(self, stopping: bool = False) -> bool:
        """Forces of all pairs; also tells whether any rank has been asked to stop, for the price of one number."""
        forces, potential, virial, pairs = self.share(self.positions)
        self._sums[:-4].reshape(-1, 3)[:] = forces
        self._sums[-4:] = potential, virial, pairs, float(stopping)
        self.gang.all_reduce(self._sums)
        self.forces = self._sums[:-4].reshape(-1, 3)
        self.potential, self.virial, self.pairs = (float(x) for x in self._sums[-4:-1])
        return self._sums[-1] > 0

    def step(self, stopping: bool) -> bool:
        """One step of velocity Verlet (Swope et al., 1982)."""
        dt = self.settings["timestep"]
        self.velocities += 0.5 * dt * self.forces
        self.positions += dt * self.velocities
        stop = self.compute_forces(stopping)
        self.velocities += 0.5 * dt * self.forces
        return stop

    def observe(self, state: int, step: int) -> list[float]:
        """One row of observables, energies per particle."""
        kinetic = fluid.kinetic_energy(self.velocities) / self.count
        temperature = fluid.temperature_of(self.velocities)
        potential = self.potential / self.count
        pressure = fluid.pressure(self.settings["density"], temperature, self.virial, self.length**3)
        return [state, step, temperature, potential, kinetic, kinetic + potential, pressure, self.virial / self.count, self.pairs]


def settings_of(contract: Contract) -> dict:
    try:
        temperatures = [float(word) for word in contract.parameter("temperatures", str, "1.4 1.1 0.85").replace(",", " ").split()]
    except ValueError:
        raise BadInput("the parameter 'temperatures' must be numbers separated by spaces") from None
    if not temperatures or not all(0.0 < t < 100.0 for t in temperatures):
        raise BadInput("the parameter 'temperatures' must be numbers above 0 and below 100")
    settings = {
        "temperatures": temperatures,
        "cells": contract.parameter("cells", int, 6),
        "density": contract.parameter("density", float, 0.82),
        "cutoff": contract.parameter("cutoff", float, 2.5),
        "skin": contract.parameter("skin", float, 0.35),
        "timestep": contract.parameter("timestep", float, 0.004),
        "equilibration": contract.parameter("equilibration", int, 600),
        "production": contract.parameter("production", int, 1500),
        "every": contract.parameter("every", int, 10),
        "seed": contract.parameter("seed", int, 1),
    }
    for name in ("density", "cutoff", "timestep", "cells", "production", "every"):
        if settings[name] <= 0:
            raise BadInput(f"the parameter '{name}' must be above zero, not {settings[name]}")
    if settings["production"] < 2 * settings["every"]:
        raise BadInput("'production' must be at least twice 'every', or there is nothing to average")
    return settings


def save(simulation, at, rows, frames):
    """The state between two steps; a file of the same settings continues where it says."""
    temporary = CHECKPOINT.with_name("checkpoint.part.npz")
    np.savez(
        temporary,
        positions=simulation.positions,
        velocities=simulation.velocities,
        at=np.array(at),
        rows=np.array(rows).reshape(-1, len(COLUMNS)),
        frames=np.array(frames, np.float32).reshape(-1, simulation.count, 3),
        settings=np.array(repr(simulation.settings)),
    )
    os.replace(temporary, CHECKPOINT)


def restore(simulation):
    """The place to go on from, or the beginning."""
    if not CHECKPOINT.exists():
        return (0, 0), [], []
    with np.load(CHECKPOINT) as kept:
        if str(kept["settings"]) != repr(simulation.settings):
            say("the checkpoint in the work directory has other settings; starting from the beginning")
            return (0, 0), [], []
        simulation.positions[:] = kept["positions"]
        simulation.velocities[:] = kept["velocities"]
        at = tuple(int(x) for x in kept["at"])
        say(f"going on from the checkpoint at state {at[0] + 1}, step {at[1]}")
        return at, [list(row) for row in kept["rows"]], list(kept["frames"])


def simulate(simulation, contract):
    """Runs all state points; returns the rows of observables and the snapshots of positions."""
    s, first = simulation.settings, simulation.gang.rank == 0
    (state, step), rows, frames = restore(simulation)
    # Ranks may find different checkpoints when they do not share a folder; going on from both would be nonsense.
    agreed = np.array([state, step, state**2, step**2], np.float64)
    simulation.gang.all_reduce(agreed)
    if not np.array_equal(agreed, simulation.gang.size * np.array([state, step, state**2, step**2])):
        raise GangError("the ranks found different checkpoints; remove them to start again")
    per_state = s["equilibration"] + s["production"]
    stop = simulation.compute_forces()
    for state in range(state, len(s["temperatures"])):
        wanted = s["temperatures"][state]
        while step < per_state:
            stop = simulation.step(contract.stopping)
            step += 1
            if step <= s["equilibration"]:
                # Velocities are rescaled while equilibrating only; during production nothing touches the energy.
                if step % 10 == 0:
                    simulation.velocities = fluid.rescaled(simulation.velocities, wanted)
            elif (step - s["equilibration"]) % s["every"] == 0:
                rows.append(simulation.observe(state, step - s["equilibration"]))
                if not np.isfinite(rows[-1]).all():
                    raise RuntimeError(f"energy is not conserved: it is not a number at step {step}; use a shorter 'timestep'")
                frames.append(np.mod(simulation.positions, simulation.length).astype(np.float32))
            if stop:
                if first:
                    save(simulation, (state, step), rows, frames)
                raise Stopped(f"a checkpoint of state {state + 1}, step {step} is in the work directory")
            if first and step % 500 == 0:
                row = simulation.observe(state, step)
                say(
                    f"state {state + 1}/{len(s['temperatures'])} step {step}/{per_state}: temperature {row[2]:.3f}, "
                    f"potential {row[3]:.4f}, total {row[5]:.5f}, pressure {row[6]:.3f}"
                )
        step = 0
    return np.array(rows), np.array(frames)


def energy_drift(steps, totals, timestep: float) -> dict:
    """How far the total energy per particle wandered while it should have stood still.

    `relative_drift` is the slope of a straight line through it times its duration, over its mean; `relative_deviation` the
    root mean square about the mean, over the mean. The slope is what accumulates in a longer run.
    """
    slope = float(np.polyfit(steps, totals, 1)[0])
    mean = float(totals.mean())
    return {
        "relative_drift": slope * float(steps[-1] - steps[0]) / abs(mean),
        "relative_deviation": float(totals.std()) / abs(mean),
        "drift_per_unit_time": slope / timestep,
    }


def summarise(simulation, rows, frames) -> list[dict]:
    s, n = simulation.settings, simulation.count
    edges = np.arange(0.0, simulation.length / 2, RDF_WIDTH)
    states = []
    for state, wanted in enumerate(s["temperatures"]):
        mine = rows[rows[:, 0] == state]
        chosen = frames[rows[:, 0] == state][:: max(1, len(mine) // 25)]
        counts = sum(fluid.pair_histogram(frame.astype(float), simulation.length, edges) for frame in chosen)
        g = fluid.radial_distribution(counts, edges, n, simulation.length, len(chosen))
        column = {name: mine[:, i] for i, name in enumerate(COLUMNS)}
        unshifted = column["potential"] + simulation.share.shift * column["pairs"] / n
        states.append(
            {
                "requested_temperature": wanted,
                "mean": {name: float(column[name].mean()) for name in COLUMNS[2:7]},
                "standard_deviation": {name: float(column[name].std()) for name in COLUMNS[2:7]},
                # What the untruncated fluid would have, to be compared with published values.
                "with_tail_corrections": {
                    "potential": float(unshifted.mean()) + fluid.tail_energy(s["density"], s["cutoff"]),
                    "pressure": float(column["pressure"].mean()) + fluid.tail_pressure(s["density"], s["cutoff"]),
                },
                "energy": energy_drift(column["step"], column["total"], s["timestep"]),
                "samples": len(mine),
                "rdf": {
                    "r": [round(float(r), 4) for r in 0.5 * (edges[1:] + edges[:-1])],
                    "g": [round(float(x), 5) for x in g],
                    "first_peak": {"r": round(float(edges[np.argmax(g)] + RDF_WIDTH / 2), 4), "g": round(float(g.max()), 4)},
                    "snapshots": len(chosen),
                },
            }
        )
    return states


def program(contract: Contract):
    started, cpu = time.monotonic(), time.process_time()
    contract.heed_sigterm()
    keep_freed_memory()
    settings = settings_of(contract)
    with Gang.from_environment() as gang:
        simulation = Simulation(settings, gang)
        if gang.rank == 0:
            say(
                f"{simulation.count} particles at density {settings['density']:g} in a box of {simulation.length:.3f}, "
                f"temperatures {', '.join(f'{t:g}' for t in settings['temperatures'])}, {gang.size} rank(s) over {gang.transport}"
            )
        rows, frames = simulate(simulation, contract)
        if gang.rank != 0:
            return
    states = summarise(simulation, rows, frames)
    worst = max(abs(state["energy"]["relative_drift"]) for state in states)
    np.savez_compressed(
        contract.output("trajectory") / "trajectory.npz",
        positions=frames,
        observables=rows,
        columns=np.array(COLUMNS),
        length=simulation.length,
        density=settings["density"],
        cutoff=settings["cutoff"],
        timestep=settings["timestep"],
        temperatures=np.array(settings["temperatures"]),
    )
    write_json(
        contract.output("observables") / "observables.json",
        {
            "settings": settings,
            "particles": simulation.count,
            "length": simulation.length,
            "units": "reduced: sigma, epsilon, particle mass; energies per particle",
            "states": states,
            "worst_relative_drift": worst,
            "drift_limit": DRIFT_LIMIT,
            "ranks": gang.size,
            "transport": gang.transport,
            "neighbour_lists_built": simulation.share.lists_built,
            "seconds": round(time.monotonic() - started, 3),
            "cpu_seconds_of_rank_0": round(time.process_time() - cpu, 3),
        },
    )
    for state in states:
        tail = state["with_tail_corrections"]
        say(
            f"temperature {state['mean']['temperature']:.3f}: potential {tail['potential']:.4f} and pressure "
            f"{tail['pressure']:.3f} with tail corrections; relative energy drift {state['energy']['relative_drift']:+.1e}; "
            f"g(r) peaks at {state['rdf']['first_peak']['r']:.2f} with {state['rdf']['first_peak']['g']:.2f}"
        )
    say(f"{len(rows)} snapshots in {time.monotonic() - started:.1f} s")
    if not worst < DRIFT_LIMIT:
        raise RuntimeError(
            f"energy is not conserved: relative drift {worst:.2e}, limit {DRIFT_LIMIT:g}; use a shorter 'timestep'"
        )


def guarded(contract: Contract):
    """Faults of the physics or of the gang are one plain line and status 1."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            program(contract)
    except (GangError, RuntimeError) as error:
        say(f"error: {error}")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main(guarded)
