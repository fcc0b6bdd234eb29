"""The collected text as bytes: which documents are held out, and how the loss per byte is measured on them."""

import hashlib
import json
from pathlib import Path

import numpy as np
from contract import BadInput, files_under

SEPARATOR = b"\n\n"
# A held-out share of one in sixteen: about 300 kB of the tour's text, enough to tell perplexities apart.
HELD_OUT_OF = 16


def is_held_out(document: dict) -> bool:
    """By a hash of the document's name, so that a page and its translations are on one side and no side ever changes."""
    key = document.get("group") or document["id"]
    return hashlib.sha256(("split/" + key).encode()).digest()[0] % HELD_OUT_OF == 0


def read_documents(folder: Path) -> list[dict]:
    """All documents under `folder` (one element's output, or a folder of several), without repeats, in one order."""
    files = files_under(folder, ".jsonl")
    documents = {}
    for file in files:
        try:
            with file.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    document = json.loads(line)
                    if not isinstance(document["text"], str) or not isinstance(document["id"], str):
                        raise TypeError("id and text must be strings")
                    documents.setdefault(document["id"], document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{file.name} of the input 'text' is no list of documents: {error!r}") from None
    if not documents:
        raise BadInput("the input 'text' has no documents (files ending in .jsonl)")
    return [documents[key] for key in sorted(documents)]


def as_bytes(documents: list[dict]) -> np.ndarray:
    return np.frombuffer(SEPARATOR.join(d["text"].encode("utf-8") for d in documents) + SEPARATOR, np.uint8)


def split(documents: list[dict]) -> tuple[np.ndarray, list[dict]]:
    """The training text as one array of bytes, and the held-out documents."""
    training = [d for d in documents if not is_held_out(d)]
    held_out = [d for d in documents if is_held_out(d)]
    if not training or not held_out:
        raise BadInput(f"{len(documents)} document(s) are too few to hold some out; give more text")
    return as_bytes(training), held_out


def evaluation_windows(held_out: list[dict], context: int, limit_bytes: int):
    """Windows over the held-out text in which each byte but the first is predicted exactly once.

    Windows overlap by half: only the second half of each counts (all of the first one), so every byte has at least half
    a context before it. From each document an equal share is taken, from its beginning, until the limit is reached.

    - Returns: tokens and targets of shape `[windows, context]`, a mask of the same shape of the targets that count, and
      the bytes that the targets are, which is what the baselines must be measured on.
    """
    per_document = max(context, limit_bytes // len(held_out))
    text = b"".join(d["text"].encode("utf-8")[:per_document] + SEPARATOR for d in held_out)
    stream = np.frombuffer(text[: limit_bytes + 1], np.uint8)
    if len(stream) < context + 1:
        raise BadInput(f"only {len(stream)} bytes are held out, fewer than one context of {context}; give more text")
    half = context // 2
    starts = np.arange(0, len(stream) - context, half)
    places = starts[:, None] + np.arange(context)
    mask = np.zeros(places.shape, bool)
    mask[:, context - half :] = True
    mask[0] = True
    targets = stream[places + 1]
    return stream[places], targets, mask, targets[mask]


def unigram_loss(training: np.ndarray, targets: np.ndarray) -> float:
    """Nats per byte of the training text's byte frequencies (plus one), measured on `targets`."""
    counts = np.bincount(training, minlength=256) + 1.0
    return float(-np.log(counts / counts.sum())[targets].mean())


def bigram_loss(training: np.ndarray, targets: np.ndarray) -> float:
    """Nats per byte of predicting each byte from the one before it, from the training text's counts of pairs."""
    counts = np.bincount(training[:-1].astype(np.int64) * 256 + training[1:], minlength=65536).reshape(256, 256) + 0.1
    table = np.log(counts / counts.sum(1, keepdims=True))
    return float(-table[targets[:-1], targets[1:]].mean())
