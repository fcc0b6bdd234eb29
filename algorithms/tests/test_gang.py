"""The collective: sums are right, equal in their bits, and a gang that loses a member says so."""

import sys
import threading
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from contract_fake import free_port
from gang import Gang, GangError


def in_gang(size, body, **limits):
    """Runs `body(gang)` on `size` threads, each a member; returns what they return, or raises what they raise."""
    port, results = free_port(), [None] * size

    def member(rank):
        try:
            with Gang(rank, size, "127.0.0.1", port, "test", **limits) as gang:
                results[rank] = body(gang)
        except Exception as error:
            results[rank] = error

    threads = [threading.Thread(target=member, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


class AllReduce(unittest.TestCase):
    def test_sums_arrays_of_any_length_over_one_to_four_members(self):
        for size in (1, 2, 3, 4):
            for length in (0, 1, 2, 5, 1000, 300_001):
                shares = [np.random.default_rng([size, length, rank]).normal(size=length) for rank in range(size)]
                results = in_gang(size, lambda gang: gang.all_reduce(shares[gang.rank].copy()))
                for result in results:
                    self.assertNotIsInstance(result, Exception)
                    np.testing.assert_allclose(result, sum(shares), atol=1e-12)
                    self.assertEqual(result.tobytes(), results[0].tobytes())

    def test_keeps_shape_and_type(self):
        results = in_gang(3, lambda gang: gang.all_reduce(np.full((4, 5), gang.rank, np.float32)))
        for result in results:
            self.assertEqual(result.dtype, np.float32)
            np.testing.assert_array_equal(result, np.full((4, 5), 3.0))

    def test_sends_no_more_than_the_ring_needs(self):
        sent = in_gang(4, lambda gang: (gang.all_reduce(np.zeros(4000, np.float32)), gang.bytes_sent)[1])
        self.assertEqual(sent, [2 * 3 * 4000] * 4)  # 2 (n - 1) / n of 16,000 bytes

    def test_a_member_that_leaves_is_an_error_for_the_others(self):
        def body(gang):
            if gang.rank == 1:
                return "left"
            gang.all_reduce(np.zeros(10))

        results = in_gang(3, body, wait_limit_seconds=5.0)
        self.assertEqual(results[1], "left")
        self.assertIsInstance(results[0], GangError)
        self.assertIsInstance(results[2], GangError)

    def test_a_gang_that_never_fills_gives_up(self):
        with self.assertRaises(GangError):
            Gang(0, 2, "127.0.0.1", free_port(), "test", join_limit_seconds=0.3)


if __name__ == "__main__":
    unittest.main()
