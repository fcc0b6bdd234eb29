"""What the surrogate sees of a configuration, and how it predicts; shared by its training and its evaluation.

A snapshot becomes the coarse radial distribution function of its particles: `g` in bins much wider than the potential's own
structure. The potential energy and the virial are sums over pairs, so a fine histogram would determine them exactly; the
bins are wider (a thirtieth of sigma) on purpose, so that something remains to be learnt.
"""

import numpy as np
from contract import BadInput, files_under

TARGETS = ("potential", "pressure")


def load_trajectory(path) -> dict:
    """The arrays of a trajectory file, or of the folder it is in."""
    files = files_under(path, "trajectory.npz")
    if not files:
        raise BadInput("the input 'trajectory' has no trajectory.npz")
    try:
        with np.load(files[0]) as kept:
            trajectory = {name: kept[name] for name in kept.files}
        columns = [str(name) for name in trajectory["columns"]]
        rows = trajectory["observables"]
        trajectory["table"] = {name: rows[:, i] for i, name in enumerate(columns)}
        if len(trajectory["positions"]) != len(rows) or trajectory["positions"].shape[2:] != (3,):
            raise ValueError("positions and observables do not belong together")
        for name in ("length", "density"):
            trajectory[name] = float(trajectory[name])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise BadInput(f"{files[0].name} of the input 'trajectory' cannot be used: {error}") from None
    return trajectory


def targets_of(trajectory) -> np.ndarray:
    """Potential energy per particle and the excess pressure `p - rho T`, the part that the configuration determines."""
    table = trajectory["table"]
    excess = table["pressure"] - trajectory["density"] * table["temperature"]
    return np.stack([table["potential"], excess], 1)


def held_out_by_time(trajectory, share: float) -> np.ndarray:
    """True for the last `share` of the snapshots of every state.

    Neighbouring snapshots resemble each other; snapshots chosen at random would be tested against their own neighbours.
    """
    states = trajectory["table"]["state"]
    held_out = np.zeros(len(states), bool)
    for state in np.unique(states):
        mine = np.flatnonzero(states == state)
        held_out[mine[len(mine) - max(1, round(share * len(mine))) :]] = True
    return held_out


def descriptors(trajectory, bins: int, low: float, high: float) -> np.ndarray:
    """Coarse g(r) of every snapshot, shape `[snapshots, bins]`, between distances `low` and `high`."""
    length = trajectory["length"]
    positions = trajectory["positions"]
    particles = positions.shape[1]
    edges = np.linspace(low, high, bins + 1)
    shells = 4.0 / 3.0 * np.pi * (edges[1:] ** 3 - edges[:-1] ** 3)
    expected = 0.5 * particles * (particles - 1) / length**3 * shells
    result = np.empty((len(positions), bins))
    upper = np.arange(particles)
    for number, snapshot in enumerate(positions):
        axes = (snapshot / np.float32(length)).T.astype(np.float32)
        counts = np.zeros(bins)
        for start in range(0, particles, 216):
            squared = None
            for axis in axes:
                difference = axis[start : start + 216, None] - axis[None, start:]
                difference -= np.rint(difference)
                squared = difference * difference if squared is None else squared + difference * difference
            squared *= np.float32(length * length)
            squared[upper[start:] <= upper[start : start + 216, None]] = np.inf
            near = np.sqrt(squared[squared < high * high])
            places = ((near[near >= low] - low) * (bins / (high - low))).astype(np.int64)
            counts += np.bincount(np.minimum(places, bins - 1), minlength=bins)
        result[number] = counts / expected
    return result


def kernel(left, right, scale: float) -> np.ndarray:
    """The Gaussian kernel plus a linear one: the targets are nearly linear in g(r), the rest bends (sums of kernels are kernels)."""
    squared = (left * left).sum(1)[:, None] + (right * right).sum(1)[None, :] - 2.0 * left @ right.T
    return np.exp(-np.maximum(squared, 0.0) / (2.0 * scale * scale * left.shape[1])) + left @ right.T / left.shape[1]


class Surrogate:
    """Kernel ridge regression (Saunders, Gammerman and Vovk, 1998) from descriptors to standardised targets."""

    FIELDS = ("support", "weights", "scale", "centre", "spread", "target_mean", "target_spread", "bins", "low", "high", "held_out_share")

    def __init__(self, **fields):
        self.__dict__.update(fields)

    @classmethod
    def fit(cls, features, targets, scale, ridge, **layout):
        centre, spread = features.mean(0), features.std(0) + 1e-9
        target_mean, target_spread = targets.mean(0), targets.std(0) + 1e-12
        support = (features - centre) / spread
        matrix = kernel(support, support, scale) + ridge * np.eye(len(support))
        weights = np.linalg.solve(matrix, (targets - target_mean) / target_spread)
        return cls(
            support=support, weights=weights, scale=scale, centre=centre, spread=spread,
            target_mean=target_mean, target_spread=target_spread, **layout,
        )

    def predict(self, features):
        standardised = (features - self.centre) / self.spread
        return kernel(standardised, self.support, float(self.scale)) @ self.weights * self.target_spread + self.target_mean

    def save(self, path):
        np.savez(path, **{name: getattr(self, name) for name in self.FIELDS})

    @classmethod
    def load(cls, path):
        files = files_under(path, "surrogate.npz")
        if not files:
            raise BadInput("the input 'surrogate' has no surrogate.npz")
        try:
            with np.load(files[0]) as kept:
                return cls(**{name: kept[name][()] for name in cls.FIELDS})
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"the surrogate {files[0].name} cannot be read: {error}") from None


def errors(predicted, true, training_mean, state=None) -> dict:
    """Root mean square errors per target, beside those of always saying the mean of the training targets.

    With `state`, a second and harder baseline: the training mean of the same temperature, shape of `true`.
    """
    result = {}
    for i, name in enumerate(TARGETS):
        rmse = float(np.sqrt(np.mean((predicted[:, i] - true[:, i]) ** 2)))
        baseline = float(np.sqrt(np.mean((training_mean[i] - true[:, i]) ** 2)))
        entry = {"rmse": rmse, "predict_the_mean_rmse": baseline, "ratio": rmse / baseline if baseline else None}
        if state is not None:
            entry["predict_the_mean_of_the_state_rmse"] = float(np.sqrt(np.mean((state[:, i] - true[:, i]) ** 2)))
        result[name] = entry
    return result


def state_means(trajectory, targets, held_out) -> np.ndarray:
    """For every snapshot the mean training target of its state, shape of `targets`."""
    states = trajectory["table"]["state"]
    means = np.empty_like(targets)
    for state in np.unique(states):
        means[states == state] = targets[(states == state) & ~held_out].mean(0)
    return means
