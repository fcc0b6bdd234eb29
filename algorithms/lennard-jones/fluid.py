"""The physics of a Lennard-Jones fluid in reduced units: lattice, neighbour list, forces, observables.

Units: length sigma, energy epsilon, mass of one particle; so time is sigma * sqrt(mass / epsilon) and temperature
epsilon / k. Formulas after Allen and Tildesley, *Computer Simulation of Liquids* (2nd edition, 2017), and Frenkel and Smit,
*Understanding Molecular Simulation* (2nd edition, 2002).
"""

import numpy as np


def lattice(cells: int, density: float):
    """Positions of `4 * cells**3` particles on a face-centred cubic lattice, and the length of the box."""
    length = (4 * cells**3 / density) ** (1.0 / 3.0)
    basis = np.array([[0.25, 0.25, 0.25], [0.25, 0.75, 0.75], [0.75, 0.25, 0.75], [0.75, 0.75, 0.25]])
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    return (corners + basis).reshape(-1, 3) * (length / cells), length


def thermal_velocities(count: int, temperature: float, seed: int):
    """Maxwell-Boltzmann velocities without total momentum, scaled to the temperature exactly."""
    velocities = np.random.default_rng(seed).normal(0.0, 1.0, (count, 3))
    velocities -= velocities.mean(0)
    return rescaled(velocities, temperature)


def kinetic_energy(velocities) -> float:
    return 0.5 * float(np.einsum("ij,ij->", velocities, velocities))


def temperature_of(velocities) -> float:
    """From the kinetic energy of `3 N - 3` degrees of freedom: the total momentum is conserved and zero."""
    return 2.0 * kinetic_energy(velocities) / (3 * len(velocities) - 3)


def rescaled(velocities, temperature: float):
    return velocities * np.sqrt(temperature / temperature_of(velocities))


class PairForces:
    """Forces of the truncated and shifted Lennard-Jones potential, for one share of all pairs.

    The share: of the pairs `i < j`, those whose row `i` is dealt to this rank. Rows are dealt in turn from both ends, since
    low rows have many partners and high ones few. Pairs within `cutoff + skin` are listed (Verlet, 1967), and the list is
    built again when some particle may have moved by half the skin.
    """

    def __init__(self, count: int, length: float, cutoff: float, skin: float, rank: int = 0, size: int = 1):
        if cutoff + skin > length / 2:
            raise ValueError(f"the box of length {length:.3g} is too small for a cutoff of {cutoff:g} and a skin of {skin:g}")
        self.count, self.length, self.cutoff, self.skin = count, length, cutoff, skin
        turn = np.arange(count) % (2 * size)
        self._rows = np.flatnonzero(np.minimum(turn, 2 * size - 1 - turn) == rank)
        self._listed_at = None
        self.lists_built = 0
        inverse6 = cutoff**-6
        self.shift = 4.0 * (inverse6 * inverse6 - inverse6)

    def _list(self, positions):
        first, second = [], []
        reach = (self.cutoff + self.skin) ** 2
        for start in range(0, len(self._rows), 64):  # in blocks, so that the distances stay in the cache
            rows = self._rows[start : start + 64]
            lowest = rows[0] + 1
            separation = positions[rows, None, :] - positions[None, lowest:, :]
            separation -= self.length * np.rint(separation / self.length)
            near = np.einsum("ijk,ijk->ij", separation, separation) < reach
            near &= np.arange(lowest, self.count) > rows[:, None]
            i, j = np.nonzero(near)
            first.append(rows[i])
            second.append(j + lowest)
        self._first, self._second = np.concatenate(first), np.concatenate(second)
        self._listed_at = positions.copy()
        self.lists_built += 1

    def __call__(self, positions):
        """This share's forces (shape of `positions`), potential energy, virial sum, and number of pairs in reach.

        Positions must not be folded back into the box between calls: the list follows displacements.
        """
        if self._listed_at is None or self._moved_too_far(positions):
            self._list(positions)
        # One axis at a time: gathers from a contiguous axis are several times faster than from rows of three.
        axes = [np.ascontiguousarray(positions[:, axis]) for axis in range(3)]
        separation = []
        squared = None
        for axis in axes:
            difference = axis[self._first] - axis[self._second]
            difference -= self.length * np.rint(difference * (1.0 / self.length))
            separation.append(difference)
            squared = difference * difference if squared is None else squared + difference * difference
        inside = np.flatnonzero(squared < self.cutoff * self.cutoff)
        first, second = self._first[inside], self._second[inside]
        inverse2 = 1.0 / squared[inside]
        inverse6 = inverse2 * inverse2 * inverse2
        potential = float((4.0 * inverse6 * (inverse6 - 1.0)).sum()) - self.shift * len(inside)
        pull = 24.0 * inverse6 * (2.0 * inverse6 - 1.0)  # -r dphi/dr
        virial = float(pull.sum())
        pull *= inverse2
        forces = np.empty((3, self.count))
        for axis in range(3):
            along = pull * separation[axis][inside]
            forces[axis] = np.bincount(first, along, self.count) - np.bincount(second, along, self.count)
        return forces.T, potential, virial, len(inside)

    def _moved_too_far(self, positions) -> bool:
        moved = positions - self._listed_at
        return float(np.einsum("ij,ij->i", moved, moved).max()) > (0.5 * self.skin) ** 2


def pressure(density: float, temperature: float, virial: float, volume: float) -> float:
    """`rho T + W / (3 V)`, W the sum of `r . f` over pairs (Allen and Tildesley, section 2.4)."""
    return density * temperature + virial / (3.0 * volume)


def tail_energy(density: float, cutoff: float) -> float:
    """What pairs beyond the cutoff would add to the energy per particle if `g(r) = 1` there (Frenkel and Smit, 3.2.5)."""
    return 8.0 / 3.0 * np.pi * density * (cutoff**-9 / 3.0 - cutoff**-3)


def tail_pressure(density: float, cutoff: float) -> float:
    """The same for the pressure (Frenkel and Smit, 3.2.8)."""
    return 16.0 / 3.0 * np.pi * density**2 * (2.0 / 3.0 * cutoff**-9 - cutoff**-3)


def pair_histogram(positions, length: float, edges, block: int = 128):
    """Numbers of pairs by distance in the bins that `edges` (evenly spaced from zero or above) bound."""
    counts = np.zeros(len(edges) - 1, np.int64)
    low, width = edges[0], edges[1] - edges[0]
    for start in range(0, len(positions), block):
        rows = np.arange(start, min(start + block, len(positions)))
        separation = positions[rows, None, :] - positions[None, start:, :]
        separation -= length * np.rint(separation / length)
        distance = np.sqrt(np.einsum("ijk,ijk->ij", separation, separation))
        upper = np.arange(start, len(positions)) > rows[:, None]
        bins = ((distance[upper] - low) / width).astype(np.int64)
        inside = (bins >= 0) & (bins < len(counts)) & (distance[upper] >= low)
        counts += np.bincount(bins[inside], minlength=len(counts))
    return counts


def radial_distribution(counts, edges, particles: int, length: float, snapshots: int):
    """g(r): pairs found over pairs expected in an ideal gas of the same density (Allen and Tildesley, section 8.2)."""
    shells = 4.0 / 3.0 * np.pi * (edges[1:] ** 3 - edges[:-1] ** 3)
    expected = 0.5 * particles * (particles - 1) / length**3 * shells * snapshots
    return counts / expected
