"""Learns to tell a fluid's potential energy and pressure from a coarse picture of its structure."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # to be said before numpy is imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import descriptors
import numpy as np
from contract import BadInput, Contract, keep_freed_memory, main, say, write_json

SCALES = (0.5, 1.0, 2.0, 4.0, 8.0)
RIDGES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


def choose(features, targets, validation):
    """The kernel's scale and the ridge with the least error on snapshots that training, not the held-out part, gives up."""
    best = None
    for scale in SCALES:
        for ridge in RIDGES:
            fitted = descriptors.Surrogate.fit(features[~validation], targets[~validation], scale, ridge)
            residual = (fitted.predict(features[validation]) - targets[validation]) / fitted.target_spread
            error = float(np.sqrt(np.mean(residual**2)))
            if best is None or error < best[0]:
                best = (error, scale, ridge)
    return best


def program(contract: Contract):
    started = time.monotonic()
    contract.heed_sigterm(at_once=True)
    keep_freed_memory()
    bins = contract.parameter("bins", int, 66)
    share = contract.parameter("held_out_share", float, 0.25)
    trajectory = descriptors.load_trajectory(contract.input("trajectory"))
    low, high = 0.8, min(3.0, trajectory["length"] / 2)
    if high <= low:
        raise BadInput(f"a box of length {trajectory['length']:.3g} is too small for descriptors from {low} on")
    held_out = descriptors.held_out_by_time(trajectory, share)
    if (~held_out).sum() < 16 or held_out.sum() < 4:
        raise BadInput(f"{len(held_out)} snapshots are too few; simulate longer or lower 'every'")
    features = descriptors.descriptors(trajectory, bins, low, high)
    targets = descriptors.targets_of(trajectory)
    say(f"{len(features)} snapshots, {bins} descriptors each, {int(held_out.sum())} held out in time")

    # The same cut once more inside the training part, so that nothing is chosen by looking at the held-out snapshots.
    inner = {"table": {"state": trajectory["table"]["state"][~held_out]}}
    validation = descriptors.held_out_by_time(inner, share)
    error, scale, ridge = choose(features[~held_out], targets[~held_out], validation)
    say(f"kernel scale {scale:g} and ridge {ridge:g}: {error:.4f} standard deviations of error in validation")
    surrogate = descriptors.Surrogate.fit(
        features[~held_out], targets[~held_out], scale, ridge, bins=bins, low=low, high=high, held_out_share=share
    )
    means = descriptors.state_means(trajectory, targets, held_out)
    report = {
        "method": "kernel ridge regression, Gaussian plus linear kernel, on coarse g(r)",
        "targets": {"potential": "energy per particle", "pressure": "excess pressure, p - rho T"},
        "bins": bins,
        "range": [low, high],
        "kernel_scale": scale,
        "ridge": ridge,
        "training_snapshots": int((~held_out).sum()),
        "held_out_snapshots": int(held_out.sum()),
        "held_out": descriptors.errors(
            surrogate.predict(features[held_out]), targets[held_out], surrogate.target_mean, means[held_out]
        ),
        "training": descriptors.errors(surrogate.predict(features[~held_out]), targets[~held_out], surrogate.target_mean),
    }
    report["seconds"] = round(time.monotonic() - started, 3)
    surrogate.save(contract.output("surrogate") / "surrogate.npz")
    write_json(contract.output("report") / "report.json", report)
    for name, entry in report["held_out"].items():
        say(
            f"{name}: held-out error {entry['rmse']:.4f}; predicting the mean {entry['predict_the_mean_rmse']:.4f}, "
            f"the mean of the same temperature {entry['predict_the_mean_of_the_state_rmse']:.4f}"
        )


if __name__ == "__main__":
    main(program)
