"""The transformer: its gradient, its causality, its training, and that an interruption changes nothing."""

import json
import shutil
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "common"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import contract_fake
import corpus
from transformer import Shape, Transformer, initial_parameters

SMALL = {"width": 16, "heads": 2, "layers": 1, "context": 32, "buckets": 64, "batch": 6, "held_out_bytes": 2048, "warmup": 4}


def write_documents(folder: Path, count=40):
    """Sentences of a little grammar; enough structure to be learnt in a few steps."""
    generator = np.random.default_rng(5)
    words = ["file", "kernel", "signal", "文件", "内核", "reads", "writes", "the", "一个", "process"]
    folder.mkdir(parents=True)
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as lines:
        for i in range(count):
            text = " ".join(generator.choice(words, 60)) + "."
            language = "zh" if i % 2 else "en"
            lines.write(json.dumps({"id": f"{i:04d}", "group": f"g{i}", "language": language, "text": text}) + "\n")
    return folder


class Gradient(unittest.TestCase):
    def test_agrees_with_finite_differences_in_every_tensor(self):
        shape = Shape(width=8, heads=2, layers=2, context=7, buckets=32)
        generator = np.random.default_rng(3)
        flat = initial_parameters(shape, 1, np.float64)
        flat += generator.normal(0.0, 0.1, flat.size)
        model = Transformer(shape, np.float64)
        tokens = generator.integers(0, 256, (3, 7)).astype(np.uint8)
        targets = generator.integers(0, 256, (3, 7)).astype(np.uint8)
        gradient = np.empty_like(flat)
        loss = model.loss_and_gradient(flat, tokens, targets, gradient)
        self.assertAlmostEqual(loss, float(model.log_loss(flat, tokens, targets).sum()), places=9)
        epsilon = 1e-5
        for name, view in shape.views(gradient).items():
            direction = np.zeros_like(flat)
            shape.views(direction)[name][:] = generator.normal(size=view.shape)
            above = model.log_loss(flat + epsilon * direction, tokens, targets).sum()
            below = model.log_loss(flat - epsilon * direction, tokens, targets).sum()
            expected = (above - below) / (2 * epsilon)
            self.assertAlmostEqual(float(gradient @ direction), expected, delta=1e-6 * max(1.0, abs(expected)), msg=name)

    def test_no_place_sees_what_comes_after_it(self):
        shape = Shape(width=16, heads=4, layers=2, context=12, buckets=32)
        model, flat = Transformer(shape), initial_parameters(shape, 1)
        tokens = np.arange(12, dtype=np.uint8)[None, :].copy()
        before = model.logits(flat, tokens)
        tokens[0, 8:] = 200
        np.testing.assert_array_equal(model.logits(flat, tokens)[:8], before[:8])


class HeldOut(unittest.TestCase):
    def test_every_byte_is_predicted_once(self):
        documents = [{"id": str(i), "text": "0123456789" * 9 + str(i)} for i in range(7)]
        stream = b"".join(d["text"].encode() + corpus.SEPARATOR for d in documents)
        tokens, targets, mask, counted = corpus.evaluation_windows(documents, 16, 10**6)
        self.assertEqual(counted.tobytes(), stream[1 : 1 + counted.size])
        self.assertLess(len(stream) - 1 - counted.size, 16)
        np.testing.assert_array_equal(tokens[:, 1:], targets[:, :-1])

    def test_translations_of_a_page_stay_on_one_side(self):
        for i in range(50):
            pair = [{"id": f"{i}{language}", "group": f"man/{i}.1"} for language in ("en", "zh")]
            self.assertEqual(corpus.is_held_out(pair[0]), corpus.is_held_out(pair[1]))


class Training(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.text = write_documents(self.folder / "text")

    def train(self, name, inputs=None, tasks=1, work=None, **parameters):
        statuses, log = contract_fake.run(
            "byte-transformer",
            self.folder / name,
            inputs={"text": self.text, **(inputs or {})},
            parameters={**SMALL, **parameters},
            tasks=tasks,
            work=work,
        )
        self.assertEqual(statuses, [0] * tasks, log)
        outputs = self.folder / name / "outputs"
        return json.loads((outputs / "report/report.json").read_text()), json.loads((outputs / "report/loss.json").read_text())

    def test_learns_more_than_byte_frequencies_and_the_same_with_one_or_two_ranks(self):
        report, alone = self.train("one", steps=60, rate=0.01)
        held_out = report["held_out"]
        self.assertLess(held_out["perplexity_per_byte"], 0.5 * held_out["unigram_perplexity_per_byte"])
        self.assertEqual(len(alone["training"]), 60)
        _, together = self.train("two", steps=60, rate=0.01, tasks=2)
        np.testing.assert_allclose(together["training"], alone["training"], rtol=2e-3)

    def test_stopping_and_going_on_gives_the_curve_of_one_run(self):
        _, whole = self.train("whole", steps=3000, report_every=1)
        work = self.folder / "work"
        processes = contract_fake.start(
            "byte-transformer",
            self.folder / "stopped",
            inputs={"text": self.text},
            parameters={**SMALL, "steps": 3000, "report_every": 1},
            tasks=2,
            work=work,
        )
        log = self.folder / "stopped" / "log.0"
        deadline = time.monotonic() + 20
        while "step 20/" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        processes[1].send_signal(signal.SIGTERM)  # one rank is told; the gang stops together
        self.assertEqual(contract_fake.finish(processes, 10.0), [143, 143], log.read_text())
        _, resumed = self.train("resumed", steps=3000, work=work, report_every=1)
        self.assertIn("going on from step", (self.folder / "resumed/log.0").read_text())
        self.assertEqual(len(resumed["training"]), 3000)
        # Two ranks before, one after: equal but for rounding, which training amplifies slowly.
        np.testing.assert_allclose(resumed["training"][:200], whole["training"][:200], rtol=1e-2)

    def test_a_checkpoint_as_input_continues_exactly(self):
        _, whole = self.train("whole", steps=40)
        self.train("first", steps=40, save_every=15)  # leaves its checkpoint of step 30 in its work directory
        checkpoint = self.folder / "first" / "work" / "checkpoint.npz"
        with np.load(checkpoint) as kept:
            self.assertEqual(int(kept["step"]), 30)
        _, rest = self.train("rest", steps=40, inputs={"checkpoint": checkpoint})
        self.assertEqual(rest["training"], whole["training"])

    def test_bad_input_is_one_line_and_status_2(self):
        empty = self.folder / "empty"
        empty.mkdir()
        (empty / "documents.jsonl").write_text('{"id": 3}\n')
        for name, inputs, parameters in (
            ("missing", {}, SMALL),
            ("broken", {"text": empty}, SMALL),
            ("width", {"text": self.text}, {**SMALL, "width": 15}),
            ("checkpoint", {"text": self.text, "checkpoint": self.text}, SMALL),
        ):
            statuses, log = contract_fake.run("byte-transformer", self.folder / name, inputs=inputs, parameters=parameters)
            self.assertEqual(statuses, [2], log)
            self.assertEqual(len(log.strip().splitlines()), 1, log)
            self.assertTrue(log.startswith("error: "), log)

    def test_sampling_is_repeatable_and_valid_text(self):
        self.train("model", steps=30, rate=0.01)
        made = []
        for name in ("first", "second"):
            statuses, log = contract_fake.run(
                "sample",
                self.folder / "samples" / name,
                inputs={"model": self.folder / "model/outputs/model"},
                parameters={"prompts": "the |文", "length": 50, "temperature": 1.5, "nucleus": 1.0},
            )
            self.assertEqual(statuses, [0], log)
            made.append(json.loads((self.folder / "samples" / name / "outputs/samples/samples.json").read_text())["samples"])
        self.assertEqual(made[0], made[1])
        for sample in made[0]:
            self.assertNotIn("\ufffd", sample["text"])
            self.assertGreaterEqual(sample["bytes"], 50)


if __name__ == "__main__":
    unittest.main()
