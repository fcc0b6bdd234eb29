"""Lets a trained model continue some prompts, byte by byte."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # to be said before numpy is imported
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import time

import numpy as np
import stored_model
from contract import BadInput, Contract, keep_freed_memory, main, say, write_json


PROMPTS = "The kernel |If the file |This option |这个命令|如果文件|选项"


class UTF8:
    """Which bytes may come next so that the text stays UTF-8 (RFC 3629, section 4).

    Only sequences that can be completed are allowed; what a sequence decodes to is left to the model.
    """

    # lead bytes ▸ the allowed range of the second byte, and how many continuation bytes there are
    LEADS = (
        (range(0xC2, 0xE0), (0x80, 0xBF), 1),
        (range(0xE0, 0xE1), (0xA0, 0xBF), 2),
        (range(0xE1, 0xED), (0x80, 0xBF), 2),
        (range(0xED, 0xEE), (0x80, 0x9F), 2),
        (range(0xEE, 0xF0), (0x80, 0xBF), 2),
        (range(0xF0, 0xF1), (0x90, 0xBF), 3),
        (range(0xF1, 0xF4), (0x80, 0xBF), 3),
        (range(0xF4, 0xF5), (0x80, 0x8F), 3),
    )

    def __init__(self):
        self.start = np.zeros(256, bool)
        self.start[0x20:0x7F] = True
        self.start[[0x09, 0x0A]] = True
        self.start[0xC2:0xF5] = True
        self.left, self.second = 0, None

    def allowed(self):
        if self.left == 0:
            return self.start
        low, high = self.second or (0x80, 0xBF)
        mask = np.zeros(256, bool)
        mask[low : high + 1] = True
        return mask

    def take(self, byte: int):
        if self.left:
            self.left, self.second = self.left - 1, None
            return
        for leads, second, count in self.LEADS:
            if byte in leads:
                self.left, self.second = count, second


def continue_prompt(model, flat, prompt: bytes, length: int, temperature: float, nucleus: float, utf8: bool, generator) -> bytes:
    """`length` bytes after the prompt, each drawn from the likeliest that together have the probability `nucleus`.

    With `utf8`, up to three bytes more finish a character that the length would cut. (Nucleus: Holtzman et al., 2020.)
    """
    text, state = bytearray(prompt), UTF8()
    made = 0
    while made < length or (utf8 and state.left):
        tokens = np.frombuffer(bytes(text[-model.shape.context :]), np.uint8)[None, :]
        scores = model.logits(flat, tokens)[-1].astype(np.float64)
        if utf8:
            scores[~state.allowed()] = -np.inf
        byte = choose(scores, temperature, nucleus, generator)
        text.append(byte)
        state.take(byte)
        made += 1
    return bytes(text[len(prompt) :])


def choose(scores, temperature: float, nucleus: float, generator) -> int:
    """One byte; at temperature 0 the likeliest one."""
    if temperature == 0.0:
        return int(scores.argmax())
    scaled = scores / temperature
    odds = np.exp(scaled - scaled.max())
    odds /= odds.sum()
    order = np.argsort(-odds, kind="stable")
    enough = int(np.searchsorted(np.cumsum(odds[order]), nucleus)) + 1
    order = order[:enough]
    return int(generator.choice(order, p=odds[order] / odds[order].sum()))


def program(contract: Contract):
    started = time.monotonic()
    contract.heed_sigterm(at_once=True)
    keep_freed_memory()
    model, flat = stored_model.load(contract.input("model"))
    prompts = [p for p in contract.parameter("prompts", str, PROMPTS).split("|") if p]
    if not prompts:
        raise BadInput("the parameter 'prompts' must have at least one prompt; several are separated by |")
    length = contract.parameter("length", int, 240)
    temperature = contract.parameter("temperature", float, 0.6)
    nucleus = contract.parameter("nucleus", float, 0.9)
    utf8 = contract.parameter("utf8", bool, True)
    seed = contract.parameter("seed", int, 1)
    results = []
    for number, prompt in enumerate(prompts):
        generator = np.random.default_rng([seed, number])
        made = continue_prompt(model, flat, prompt.encode("utf-8"), length, temperature, nucleus, utf8, generator)
        text = made.decode("utf-8", errors="replace")
        results.append({"prompt": prompt, "text": text, "bytes": len(made)})
        say(f"[{prompt}]{text}".replace("\n", " / "))
    folder = contract.output("samples")
    settings = {"length": length, "temperature": temperature, "nucleus": nucleus, "utf8": utf8, "seed": seed}
    write_json(folder / "samples.json", {"settings": settings, "samples": results, "seconds": round(time.monotonic() - started, 3)})
    (folder / "samples.txt").write_text("".join(f"{r['prompt']}{r['text']}\n\n" for r in results), encoding="utf-8")


if __name__ == "__main__":
    main(program)
