"""Measures a trained model on held-out text and a surrogate on held-out snapshots, and says both in one report."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # to be said before numpy is imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import math
import time

import corpus
import descriptors
import numpy as np
import stored_model
from contract import Contract, keep_freed_memory, main, say, write_json

BATCH = 8


def evaluate_text(model, flat, documents, limit_bytes: int) -> dict:
    training, held_out = corpus.split(documents)
    by_language = {}
    for language in ("all", "en", "zh"):
        chosen = [d for d in held_out if language in ("all", d.get("language"))]
        size = sum(len(d["text"].encode("utf-8")) + len(corpus.SEPARATOR) for d in chosen)
        if size <= 2 * model.shape.context:
            continue
        tokens, targets, mask, counted = corpus.evaluation_windows(chosen, model.shape.context, limit_bytes)
        total = 0.0
        for start in range(0, len(tokens), BATCH):
            part = slice(start, start + BATCH)
            total += float(model.log_loss(flat, tokens[part], targets[part])[mask[part]].sum(dtype=np.float64))
        loss = total / counted.size
        by_language[language] = {
            "documents": len(chosen),
            "bytes": int(counted.size),
            "perplexity_per_byte": math.exp(loss),
            "bits_per_byte": loss / math.log(2),
            "unigram_perplexity_per_byte": math.exp(corpus.unigram_loss(training, counted)),
            "bigram_perplexity_per_byte": math.exp(corpus.bigram_loss(training, counted)),
        }
    return by_language


def evaluate_surrogate(surrogate, trajectory) -> dict:
    held_out = descriptors.held_out_by_time(trajectory, float(surrogate.held_out_share))
    features = descriptors.descriptors(trajectory, int(surrogate.bins), float(surrogate.low), float(surrogate.high))
    targets = descriptors.targets_of(trajectory)
    means = descriptors.state_means(trajectory, targets, held_out)
    predicted = surrogate.predict(features[held_out])
    return {
        "held_out_snapshots": int(held_out.sum()),
        "errors": descriptors.errors(predicted, targets[held_out], surrogate.target_mean, means[held_out]),
        "correlation": {
            name: float(np.corrcoef(predicted[:, i], targets[held_out][:, i])[0, 1])
            for i, name in enumerate(descriptors.TARGETS)
        },
    }


NAMES = {"all": "English and Chinese", "en": "English", "zh": "Chinese"}


def page(report: dict) -> str:
    lines = [
        "# Evaluation",
        "",
        "## Text",
        "",
        "Perplexity per byte on documents that training never saw (lower is better; 256 is guessing).",
        "",
        "| held-out text | documents | bytes | model | pairs of bytes | byte frequencies |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for language, entry in report["text"].items():
        lines.append(
            f"| {NAMES[language]} | {entry['documents']} | {entry['bytes']} | **{entry['perplexity_per_byte']:.2f}** | "
            f"{entry['bigram_perplexity_per_byte']:.2f} | {entry['unigram_perplexity_per_byte']:.2f} |"
        )
    lines += [
        "",
        "## Surrogate",
        "",
        f"Root mean square error on {report['surrogate']['held_out_snapshots']} snapshots later than those it was fitted to, "
        "in reduced units.",
        "",
        "| quantity | surrogate | mean of the same temperature | mean of all | correlation |",
        "|---|--:|--:|--:|--:|",
    ]
    quantities = {"potential": "potential energy per particle", "pressure": "excess pressure"}
    for name, entry in report["surrogate"]["errors"].items():
        lines.append(
            f"| {quantities[name]} | **{entry['rmse']:.4f}** | {entry['predict_the_mean_of_the_state_rmse']:.4f} | "
            f"{entry['predict_the_mean_rmse']:.4f} | {report['surrogate']['correlation'][name]:.3f} |"
        )
    return "\n".join(lines) + "\n"


def program(contract: Contract):
    started = time.monotonic()
    contract.heed_sigterm(at_once=True)
    keep_freed_memory()
    model, flat = stored_model.load(contract.input("model"))
    documents = corpus.read_documents(contract.input("text"))
    surrogate = descriptors.Surrogate.load(contract.input("surrogate"))
    trajectory = descriptors.load_trajectory(contract.input("trajectory"))
    report = {
        "text": evaluate_text(model, flat, documents, contract.parameter("held_out_bytes", int, 65536)),
        "surrogate": evaluate_surrogate(surrogate, trajectory),
    }
    report["seconds"] = round(time.monotonic() - started, 3)
    folder = contract.output("report")
    write_json(folder / "report.json", report)
    (folder / "report.md").write_text(page(report), encoding="utf-8")
    for line in page(report).splitlines():
        if line:
            say(line)


if __name__ == "__main__":
    main(program)
