"""The fluid: forces, shares, energy; and what is learnt from it."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ALGORITHMS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ALGORITHMS / "common"))
sys.path.insert(0, str(ALGORITHMS / "lennard-jones"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import contract_fake
import descriptors
import fluid

SMALL = {"cells": 4, "cutoff": 2.2, "skin": 0.3, "temperatures": "1.2 0.9", "equilibration": 60, "production": 200, "every": 5}


def shaken(cells=4, density=0.8, size=0.08, seed=2):
    positions, length = fluid.lattice(cells, density)
    return positions + np.random.default_rng(seed).normal(0.0, size, positions.shape), length


class Forces(unittest.TestCase):
    def test_agree_with_a_plain_sum_over_all_pairs(self):
        positions, length = shaken()
        cutoff = 2.2
        separation = positions[:, None] - positions[None]
        separation -= length * np.rint(separation / length)
        distance = np.sqrt((separation**2).sum(-1))
        np.fill_diagonal(distance, np.inf)
        near = distance < cutoff
        inverse6 = np.where(near, distance, np.inf) ** -6
        size = 24.0 * (2.0 * inverse6**2 - inverse6) / distance**2
        forces, potential, virial, pairs = fluid.PairForces(len(positions), length, cutoff, 0.3)(positions)
        np.testing.assert_allclose(forces, (size[..., None] * separation).sum(1), atol=1e-9)
        shift = 4.0 * (cutoff**-12 - cutoff**-6)
        self.assertAlmostEqual(potential, 0.5 * (4.0 * (inverse6**2 - inverse6)[near] - shift).sum(), places=8)
        self.assertAlmostEqual(virial, 0.5 * (24.0 * (2.0 * inverse6**2 - inverse6)).sum(), places=8)
        self.assertEqual(pairs, near.sum() // 2)

    def test_shares_of_several_ranks_add_up_and_are_even(self):
        positions, length = shaken()
        whole = fluid.PairForces(len(positions), length, 2.2, 0.3)(positions)
        for size in (2, 3, 5):
            parts = [fluid.PairForces(len(positions), length, 2.2, 0.3, rank, size)(positions) for rank in range(size)]
            np.testing.assert_allclose(sum(p[0] for p in parts), whole[0], atol=1e-10)
            self.assertEqual(sum(p[3] for p in parts), whole[3])
            self.assertLess(max(p[3] for p in parts), 1.15 * whole[3] / size)

    def test_forces_are_the_slope_of_the_energy(self):
        positions, length = shaken()
        share = fluid.PairForces(len(positions), length, 2.2, 0.3)
        forces = share(positions)[0]
        direction = np.random.default_rng(1).normal(size=positions.shape)
        step = 1e-6
        slope = (share(positions + step * direction)[1] - share(positions - step * direction)[1]) / (2 * step)
        self.assertAlmostEqual(-slope, float((forces * direction).sum()), delta=1e-4 * abs(slope))

    def test_the_lattice_has_the_density_and_g_of_an_ideal_gas_is_one(self):
        positions, length = fluid.lattice(5, 0.7)
        self.assertAlmostEqual(len(positions) / length**3, 0.7)
        random = np.random.default_rng(0).uniform(0, length, (800, 3))
        edges = np.arange(1.0, length / 2, 0.2)
        counts = fluid.pair_histogram(random, length, edges)
        g = fluid.radial_distribution(counts, edges, 800, length, 1)
        self.assertAlmostEqual(float(g.mean()), 1.0, delta=0.02)


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def simulate(self, name, tasks, **parameters):
        return contract_fake.run("lennard-jones", self.folder / name, tasks=tasks, parameters={**SMALL, **parameters})

    def observables(self, name):
        return json.loads((self.folder / name / "outputs/observables/observables.json").read_text())

    def test_conserves_energy_and_one_two_or_three_ranks_agree(self):
        means = []
        for tasks in (1, 2, 3):
            statuses, log = self.simulate(f"ranks{tasks}", tasks, production=100)
            self.assertEqual(statuses, [0] * tasks, log)
            observed = self.observables(f"ranks{tasks}")
            self.assertLess(observed["worst_relative_drift"], 1e-3)
            means.append(observed["states"][0]["mean"]["potential"])
        # The motion is chaotic: rounding alone parts the runs, but not in so few steps.
        np.testing.assert_allclose(means, means[0], rtol=1e-6)

    def test_an_absurd_time_step_fails(self):
        statuses, log = self.simulate("absurd", 1, timestep=0.05)
        self.assertEqual(statuses, [1], log)
        self.assertIn("energy is not conserved", log)

    def test_bad_input_is_one_line_and_status_2(self):
        for name, parameters in (
            ("words", {"temperatures": "warm"}),
            ("box", {"cutoff": 5.0}),
            ("few", {"production": 5}),
        ):
            statuses, log = self.simulate(name, 1, **parameters)
            self.assertEqual(statuses, [2], log)
            self.assertEqual(len(log.strip().splitlines()), 1, log)

    def test_the_surrogate_beats_the_mean(self):
        statuses, log = self.simulate("fluid", 2, production=400)
        self.assertEqual(statuses, [0, 0], log)
        trajectory = self.folder / "fluid/outputs/trajectory"
        statuses, log = contract_fake.run("surrogate", self.folder / "surrogate", inputs={"trajectory": trajectory})
        self.assertEqual(statuses, [0], log)
        report = json.loads((self.folder / "surrogate/outputs/report/report.json").read_text())
        for entry in report["held_out"].values():
            self.assertLess(entry["ratio"], 0.5)
            self.assertLess(entry["rmse"], entry["predict_the_mean_of_the_state_rmse"])
        statuses, log = contract_fake.run("surrogate", self.folder / "nothing")
        self.assertEqual(statuses, [2], log)

    def test_descriptors_are_the_radial_distribution_function(self):
        positions, length = shaken()
        trajectory = {"length": length, "positions": np.mod(positions, length)[None].astype(np.float32)}
        edges = np.linspace(0.8, 2.8, 11)
        counts = fluid.pair_histogram(positions, length, edges)
        expected = fluid.radial_distribution(counts, edges, len(positions), length, 1)
        np.testing.assert_allclose(descriptors.descriptors(trajectory, 10, 0.8, 2.8)[0], expected, rtol=1e-2, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
