"""Trains a small byte-level transformer on collected text; data-parallel over the ranks of a gang."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # one thread per rank; to be said before numpy is imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import math
import time
from pathlib import Path

import corpus
import numpy as np
from contract import BadInput, Contract, Stopped, files_under, keep_freed_memory, main, say, write_json
from gang import Gang, GangError
from transformer import Adam, Shape, Transformer, initial_parameters

CHECKPOINT = "checkpoint.npz"
GRADIENT_NORM_LIMIT = 1.0
MICRO_BATCH = 8  # sequences per pass: larger ones fall out of the cache, smaller ones waste calls


class Training:
    """What a step changes, and where it stands. The same on every rank."""

    def __init__(self, shape: Shape, seed: int):
        self.shape = shape
        self.model = Transformer(shape)
        self.flat = initial_parameters(shape, seed)
        self.optimiser = Adam.fresh(self.flat, shape.tables)
        self.step = 0
        self.curve = []
        # The gradient travels with two more numbers: the loss, and how many ranks have been asked to stop.
        self._sums = np.zeros(self.flat.size + 2, np.float32)
        self._gradient = np.empty_like(self.flat)

    def advance(self, gang, tokens, targets, bytes_in_step: int, rate: float, stopping: bool) -> bool:
        """One step on this rank's share of the batch; tells whether some rank wants to stop."""
        loss = self.model.loss_and_gradient(self.flat, tokens[:MICRO_BATCH], targets[:MICRO_BATCH], self._sums[:-2])
        for start in range(MICRO_BATCH, len(tokens), MICRO_BATCH):
            part = slice(start, start + MICRO_BATCH)
            loss += self.model.loss_and_gradient(self.flat, tokens[part], targets[part], self._gradient)
            self._sums[:-2] += self._gradient
        self._sums[-2] = loss
        self._sums[-1] = stopping
        gang.all_reduce(self._sums)
        gradient = self._sums[:-2]
        gradient /= bytes_in_step
        norm = math.sqrt(float(np.dot(gradient, gradient)))
        if not math.isfinite(norm):
            raise RuntimeError(f"the gradient is not finite at step {self.step + 1}; use a smaller 'rate'")
        if norm > GRADIENT_NORM_LIMIT:
            gradient *= GRADIENT_NORM_LIMIT / norm
        self.step += 1
        self.optimiser.update(self.flat, gradient, self.step, rate)
        self.curve.append(float(self._sums[-2]) / bytes_in_step)
        return bool(self._sums[-1] > 0)

    def save(self, path: Path, schedule: dict):
        temporary = path.with_name("part-" + path.name)
        np.savez(
            temporary,
            parameters=self.flat,
            mean=self.optimiser.mean,
            square=self.optimiser.square,
            step=self.step,
            curve=np.array(self.curve),
            **{f"shape_{name}": value for name, value in self.shape.as_dict().items()},
            **{f"schedule_{name}": value for name, value in schedule.items()},
        )
        os.replace(temporary, path)

    def restore(self, path: Path, schedule: dict):
        try:
            with np.load(path) as kept:
                shape = Shape(**{name: int(kept[f"shape_{name}"]) for name in self.shape.as_dict()})
                if shape != self.shape:
                    raise BadInput(f"the checkpoint is of a model of other sizes: {shape}, not {self.shape}")
                self.flat[:] = kept["parameters"]
                self.optimiser.mean[:] = kept["mean"]
                self.optimiser.square[:] = kept["square"]
                self.step = int(kept["step"])
                self.curve = [float(x) for x in kept["curve"]]
                changed = [name for name, value in schedule.items() if kept[f"schedule_{name}"] != value]
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"the checkpoint {path.name} cannot be read: {error}") from None
        if changed:
            say(f"going on with other {', '.join(changed)} than the checkpoint had; the curve will not be that of one run")


def rate_at(step: int, steps: int, peak: float, warmup: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth of the peak."""
    if step <= warmup:
        return peak * step / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return peak * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress))))


def batch_of(step: int, seed: int, training: np.ndarray, batch: int, context: int, gang) -> tuple:
    """This rank's part of the batch of a step.

    The whole batch depends on seed and step alone, so neither an interruption nor another number of ranks changes what is
    learnt from when; only the order of additions, hence the last bits, differs.
    """
    starts = np.random.default_rng([seed, step]).integers(0, len(training) - context, batch)[gang.rank :: gang.size]
    places = starts[:, None] + np.arange(context)
    return training[places], training[places + 1]


def held_out_loss(training: Training, windows, gang) -> float:
    """Nats per held-out byte, the windows being dealt to the ranks."""
    tokens, targets, mask, _ = windows
    sums = np.zeros(2)
    for start in range(gang.rank * MICRO_BATCH, len(tokens), gang.size * MICRO_BATCH):
        part = slice(start, start + MICRO_BATCH)
        losses = training.model.log_loss(training.flat, tokens[part], targets[part])[mask[part]]
        sums += losses.sum(dtype=np.float64), losses.size
    gang.all_reduce(sums)
    return float(sums[0] / sums[1])


def find_checkpoint(contract: Contract) -> Path | None:
    """The one in the work directory is younger than the one given as input."""
    if Path(CHECKPOINT).exists():
        return Path(CHECKPOINT)
    given = contract.optional_input("checkpoint")
    if given is None:
        return None
    files = files_under(given, CHECKPOINT)
    if not files:
        raise BadInput(f"the input 'checkpoint' has no {CHECKPOINT}")
    return files[0]


def agree_on_step(training: Training, gang):
    """Ranks on different machines see different work directories: all must start from the same step."""
    steps = np.array([training.step, float(training.step) ** 2])
    gang.all_reduce(steps)
    if not np.array_equal(steps, gang.size * np.array([training.step, float(training.step) ** 2])):
        raise GangError("the ranks found different checkpoints; give one as the input 'checkpoint', or none")


def program(contract: Contract):
    started, cpu = time.monotonic(), time.process_time()
    contract.heed_sigterm()
    keep_freed_memory()
    parameter = contract.parameter
    try:
        shape = Shape(
            width=parameter("width", int, 128),
            heads=parameter("heads", int, 4),
            layers=parameter("layers", int, 2),
            context=parameter("context", int, 128),
            buckets=parameter("buckets", int, 4096),
        )
    except ValueError as error:
        raise BadInput(str(error)) from None
    steps, batch, seed = parameter("steps", int, 500), parameter("batch", int, 16), parameter("seed", int, 1)
    peak, warmup = parameter("rate", float, 6e-3), parameter("warmup", int, 40)
    report_every, save_every = parameter("report_every", int, 20), parameter("save_every", int, 100)
    schedule = {"steps": steps, "batch": batch, "seed": seed, "rate": peak, "warmup": warmup}
    if batch < contract.world_size:
        raise BadInput(f"a batch of {batch} sequence(s) cannot be dealt to {contract.world_size} ranks")

    documents = corpus.read_documents(contract.input("text"))
    text, held_out = corpus.split(documents)
    if len(text) < 4 * shape.context:
        raise BadInput(f"{len(text)} bytes of training text are too few for a context of {shape.context}")
    windows = corpus.evaluation_windows(held_out, shape.context, parameter("held_out_bytes", int, 65536))
    training = Training(shape, seed)
    checkpoint = find_checkpoint(contract)
    if checkpoint is not None:
        training.restore(checkpoint, schedule)

    with Gang.from_environment() as gang:
        first = gang.rank == 0
        agree_on_step(training, gang)
        if first:
            say(
                f"{len(documents)} documents: {len(text)} bytes to train on, {len(held_out)} documents held out; "
                f"{shape.parameter_count} parameters, {gang.size} rank(s)"
            )
            if checkpoint is not None:
                say(f"going on from step {training.step} of a checkpoint")
        points = []

        def measure():
            points.append({"step": training.step, "nats_per_byte": held_out_loss(training, windows, gang)})
            if first:
                say(f"step {training.step}/{steps}: held-out perplexity per byte {math.exp(points[-1]['nats_per_byte']):.3f}")

        begun, begun_at = time.monotonic(), training.step
        while training.step < steps:
            step = training.step + 1
            tokens, targets = batch_of(step, seed, text, batch, shape.context, gang)
            rate = rate_at(step, steps, peak, warmup)
            stop = training.advance(gang, tokens, targets, batch * shape.context, rate, contract.stopping)
            if first and step % report_every == 0:
                speed = (step - begun_at) * batch * shape.context / (time.monotonic() - begun)
                recent = float(np.mean(training.curve[-report_every:]))
                say(f"step {step}/{steps}: loss {recent:.4f} nats per byte, {speed:.0f} bytes/s")
            if stop:
                if first:
                    training.save(Path(CHECKPOINT), schedule)
                    training.save(contract.output("checkpoint") / CHECKPOINT, schedule)
                raise Stopped(f"checkpoint of step {step} written")
            if first and step % save_every == 0 and step < steps:
                training.save(Path(CHECKPOINT), schedule)
            if step % max(1, steps // 4) == 0 and steps - step >= steps // 4:
                measure()
        measure()
        if not first:
            return
        sent = gang.bytes_sent

    loss = points[-1]["nats_per_byte"]
    unigram, bigram = corpus.unigram_loss(text, windows[3]), corpus.bigram_loss(text, windows[3])
    report = {
        "steps": training.step,
        "parameters": shape.parameter_count,
        "shape": shape.as_dict(),
        "ranks": gang.size,
        "transport": gang.transport,
        "training_bytes": len(text),
        "bytes_learnt_from": training.step * batch * shape.context,
        "held_out": {
            "documents": len(held_out),
            "bytes": int(windows[3].size),
            "nats_per_byte": loss,
            "bits_per_byte": loss / math.log(2),
            "perplexity_per_byte": math.exp(loss),
            "unigram_perplexity_per_byte": math.exp(unigram),
            "bigram_perplexity_per_byte": math.exp(bigram),
        },
        "seconds": round(time.monotonic() - started, 3),
        "cpu_seconds_of_rank_0": round(time.process_time() - cpu, 3),
        "bytes_sent_by_rank_0": sent,
    }
    model = contract.output("model")
    np.savez(model / "model.npz", parameters=training.flat)
    write_json(model / "model.json", {"format": "onepoint-byte-transformer/1", "shape": shape.as_dict(), "held_out": report["held_out"]})
    folder = contract.output("report")
    write_json(folder / "report.json", report)
    write_json(folder / "loss.json", {"unit": "nats per byte", "training": [round(x, 5) for x in training.curve], "held_out": points})
    training.save(contract.output("checkpoint") / CHECKPOINT, schedule)
    say(
        f"held-out perplexity per byte {math.exp(loss):.3f}; byte frequencies alone give {math.exp(unigram):.2f}, "
        f"pairs of bytes {math.exp(bigram):.2f}; {report['seconds']:.1f} s"
    )


def guarded(contract: Contract):
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            program(contract)
    except (GangError, RuntimeError) as error:
        say(f"error: {error}")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main(guarded)
