"""A small causal transformer over bytes in numpy, with its backward pass written out by hand.

The layout is the decoder of Vaswani et al., "Attention is all you need" (2017), with the normalisation before each block
(Xiong et al., "On layer normalization in the transformer architecture", 2020), the tanh form of GELU (Hendrycks and Gimpel,
2016), and distances told by linear biases instead of position vectors (ALiBi: Press, Smith and Lewis, 2022). Beside the
vector of each byte enters one of a hash of the last two and one of the last three bytes: a character of Chinese is three bytes
in UTF-8, and a model this small would spend its attention on spelling (hashed n-grams as in Joulin et al., "Bag of tricks
for efficient text classification", 2016).

All parameters are views into one flat vector, all gradients into another: the all-reduce and Adam then see one array each.
"""

from dataclasses import asdict, dataclass

import numpy as np

BYTES = 256
EPSILON = 1e-5
GELU_SLOPE = float(np.sqrt(2.0 / np.pi))  # a Python float, so that float32 arrays stay float32
GELU_CUBIC = 0.044715
# A row of the hash tables has a gradient only in the steps whose batch contains it, so it needs larger ones. Held-out
# perplexity after 400 steps of 16 x 128 bytes with 4096 buckets: factor 1 5.45, factor 3 5.15, factor 8 5.06.
TABLE_RATE = 8.0


@dataclass(frozen=True)
class Shape:
    """The sizes that a set of parameters fits; stored with it."""

    width: int = 128
    heads: int = 4
    layers: int = 2
    context: int = 128
    buckets: int = 4096

    def __post_init__(self):
        if self.width % self.heads:
            raise ValueError(f"the width {self.width} is not a multiple of the number of heads {self.heads}")

    def as_dict(self):
        return asdict(self)

    def tensors(self):
        """Name and shape of every tensor, in the order of the flat vector."""
        d = self.width
        yield "bytes", (BYTES, d)
        if self.buckets:
            yield "pairs", (self.buckets, d)
            yield "triples", (self.buckets, d)
        for i in range(self.layers):
            yield f"{i}.attention.gain", (d,)
            yield f"{i}.attention.bias", (d,)
            yield f"{i}.query_key_value.weight", (d, 3 * d)
            yield f"{i}.query_key_value.bias", (3 * d,)
            yield f"{i}.mix.weight", (d, d)
            yield f"{i}.mix.bias", (d,)
            yield f"{i}.feed.gain", (d,)
            yield f"{i}.feed.bias", (d,)
            yield f"{i}.up.weight", (d, 4 * d)
            yield f"{i}.up.bias", (4 * d,)
            yield f"{i}.down.weight", (4 * d, d)
            yield f"{i}.down.bias", (d,)
        yield "final.gain", (d,)
        yield "final.bias", (d,)
        yield "head.weight", (d, BYTES)
        yield "head.bias", (BYTES,)

    @property
    def parameter_count(self) -> int:
        return sum(int(np.prod(shape)) for _, shape in self.tensors())

    @property
    def tables(self) -> slice:
        """Where the two tables of hashed pairs and triples lie in the flat vector."""
        start = BYTES * self.width
        return slice(start, start + 2 * self.buckets * self.width)

    def views(self, flat):
        """The tensors as views into `flat`, by name."""
        views, start = {}, 0
        for name, shape in self.tensors():
            size = int(np.prod(shape))
            views[name] = flat[start : start + size].reshape(shape)
            start += size
        return views


def initial_parameters(shape: Shape, seed: int, dtype=np.float32):
    """A flat vector: gains one, biases zero, the rest normal; what adds to the residual stream is scaled by depth."""
    generator = np.random.default_rng(seed)
    flat = np.zeros(shape.parameter_count, dtype)
    for name, view in shape.views(flat).items():
        if name.endswith("gain"):
            view[:] = 1.0
        elif name.endswith("weight"):
            scale = 1.0 / np.sqrt(view.shape[0])
            if ".mix." in name or ".down." in name:
                scale /= np.sqrt(2.0 * shape.layers)
            if name == "head.weight":
                scale *= 0.1  # start near the uniform distribution
            view[:] = generator.normal(0.0, scale, view.shape)
        elif name in ("bytes", "pairs", "triples"):
            view[:] = generator.normal(0.0, 0.3 if name == "bytes" else 0.1, view.shape)
    return flat


def buckets_of(tokens, buckets: int):
    """The hash buckets of the last two and the last three bytes at each place; shape of `tokens`, bytes before it are 0."""
    last = tokens.astype(np.uint64)
    before = np.zeros_like(last)
    before[:, 1:] = last[:, :-1]
    earlier = np.zeros_like(last)
    earlier[:, 2:] = last[:, :-2]
    pair = last | before << np.uint64(8)
    triple = pair | earlier << np.uint64(16)
    # Multiplicative hashing: the upper bits of the product depend on all bits of the key (Knuth, vol. 3, section 6.4).
    spread = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        return tuple(
            ((key * spread) >> np.uint64(40)).astype(np.int64) % buckets for key in (pair, triple + np.uint64(1 << 24))
        )


class Transformer:
    """The computation for one shape. It owns no parameters: it is handed the flat vector."""

    def __init__(self, shape: Shape, dtype=np.float32):
        self.shape = shape
        # Slopes 2^(-8/H), 2^(-16/H), ...: one head looks far, one looks close (ALiBi, section 3).
        slopes = 2.0 ** (-8.0 * np.arange(1, shape.heads + 1) / shape.heads)
        place = np.arange(shape.context)
        distance = place[:, None] - place[None, :]
        bias = -slopes[:, None, None] * distance
        self._bias = np.where(distance >= 0, bias, -np.inf).astype(dtype)

    def logits(self, flat, tokens, keep=None):
        """Scores of the next byte at each place.

        - tokens: bytes, shape `[batch, places]`, at most `context` places.
        - keep: a list that receives what `backward` needs; without it memory is freed at once.
        - Returns: shape `[batch * places, 256]`.
        """
        p = self.shape.views(flat)
        batch, places = tokens.shape
        d, heads = self.shape.width, self.shape.heads
        per_head = d // heads
        x = p["bytes"][tokens.reshape(-1)]
        hashes = None
        if self.shape.buckets:
            hashes = tuple(h.reshape(-1) for h in buckets_of(tokens, self.shape.buckets))
            x = x + p["pairs"][hashes[0]] + p["triples"][hashes[1]]
        scale = 1.0 / float(np.sqrt(per_head))
        saved = []
        for i in range(self.shape.layers):
            normal, norm_cache = _normalise(x, p[f"{i}.attention.gain"], p[f"{i}.attention.bias"])
            qkv = normal @ p[f"{i}.query_key_value.weight"]
            qkv += p[f"{i}.query_key_value.bias"]
            q, k, v = np.ascontiguousarray(qkv.reshape(batch, places, 3, heads, per_head).transpose(2, 0, 3, 1, 4))
            weights = q @ k.swapaxes(-1, -2)
            weights *= scale
            weights += self._bias[:, :places, :places]
            weights -= weights.max(-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(-1, keepdims=True)
            mixed = np.ascontiguousarray((weights @ v).transpose(0, 2, 1, 3)).reshape(batch * places, d)
            x = x + mixed @ p[f"{i}.mix.weight"]
            x += p[f"{i}.mix.bias"]
            normal2, norm_cache2 = _normalise(x, p[f"{i}.feed.gain"], p[f"{i}.feed.bias"])
            up = normal2 @ p[f"{i}.up.weight"]
            up += p[f"{i}.up.bias"]
            active, tanh = _gelu(up)
            x = x + active @ p[f"{i}.down.weight"]
            x += p[f"{i}.down.bias"]
            if keep is not None:
                saved.append((normal, norm_cache, q, k, v, weights, mixed, normal2, norm_cache2, up, active, tanh))
        final, final_cache = _normalise(x, p["final.gain"], p["final.bias"])
        logits = final @ p["head.weight"]
        logits += p["head.bias"]
        if keep is not None:
            keep.append((tokens.reshape(-1), hashes, saved, final, final_cache))
        return logits

    def loss_and_gradient(self, flat, tokens, targets, gradient):
        """The summed cross-entropy in nats; its gradient is written into `gradient`, shape of `flat`."""
        keep = []
        logits = self.logits(flat, tokens, keep)
        target = targets.reshape(-1)
        rows = np.arange(target.size)
        logits -= logits.max(-1, keepdims=True)
        chosen = logits[rows, target].copy()
        np.exp(logits, out=logits)
        total = logits.sum(-1, keepdims=True)
        loss = float((np.log(total[:, 0]) - chosen).sum(dtype=np.float64))
        logits /= total
        logits[rows, target] -= 1.0
        self._backward(flat, keep[0], logits, tokens.shape, gradient)
        return loss

    def _backward(self, flat, kept, d_logits, batch_shape, gradient):
        p, g = self.shape.views(flat), self.shape.views(gradient)
        batch, places = batch_shape
        d, heads = self.shape.width, self.shape.heads
        per_head = d // heads
        scale = 1.0 / float(np.sqrt(per_head))
        tokens, hashes, saved, final, final_cache = kept
        np.matmul(final.T, d_logits, out=g["head.weight"])
        d_logits.sum(0, out=g["head.bias"])
        dx = _normalise_backward(d_logits @ p["head.weight"].T, final_cache, p["final.gain"], g["final.gain"], g["final.bias"])
        for i in reversed(range(self.shape.layers)):
            normal, norm_cache, q, k, v, weights, mixed, normal2, norm_cache2, up, active, tanh = saved[i]
            np.matmul(active.T, dx, out=g[f"{i}.down.weight"])
            dx.sum(0, out=g[f"{i}.down.bias"])
            d_up = dx @ p[f"{i}.down.weight"].T
            _gelu_backward(d_up, up, tanh)
            np.matmul(normal2.T, d_up, out=g[f"{i}.up.weight"])
            d_up.sum(0, out=g[f"{i}.up.bias"])
            dx = dx + _normalise_backward(
                d_up @ p[f"{i}.up.weight"].T, norm_cache2, p[f"{i}.feed.gain"], g[f"{i}.feed.gain"], g[f"{i}.feed.bias"]
            )
            np.matmul(mixed.T, dx, out=g[f"{i}.mix.weight"])
            dx.sum(0, out=g[f"{i}.mix.bias"])
            d_mixed = (dx @ p[f"{i}.mix.weight"].T).reshape(batch, places, heads, per_head).transpose(0, 2, 1, 3)
            d_mixed = np.ascontiguousarray(d_mixed)
            d_weights = d_mixed @ v.swapaxes(-1, -2)
            d_qkv = np.empty((batch, places, 3, heads, per_head), dx.dtype)
            d_qkv[:, :, 2] = (weights.swapaxes(-1, -2) @ d_mixed).transpose(0, 2, 1, 3)
            # Softmax: dS = P * (dP - sum(dP * P)); the sum equals the product of output and its gradient, per place.
            d_weights -= np.einsum("bhij,bhij->bhi", d_weights, weights)[..., None]
            d_weights *= weights
            d_weights *= scale
            d_qkv[:, :, 0] = (d_weights @ k).transpose(0, 2, 1, 3)
            d_qkv[:, :, 1] = (d_weights.swapaxes(-1, -2) @ q).transpose(0, 2, 1, 3)
            d_qkv = d_qkv.reshape(batch * places, 3 * d)
            np.matmul(normal.T, d_qkv, out=g[f"{i}.query_key_value.weight"])
            d_qkv.sum(0, out=g[f"{i}.query_key_value.bias"])
            dx = dx + _normalise_backward(
                d_qkv @ p[f"{i}.query_key_value.weight"].T,
                norm_cache,
                p[f"{i}.attention.gain"],
                g[f"{i}.attention.gain"],
                g[f"{i}.attention.bias"],
            )
        _scatter(tokens, dx, g["bytes"])
        if hashes is not None:
            _scatter(hashes[0], dx, g["pairs"])
            _scatter(hashes[1], dx, g["triples"])

    def log_loss(self, flat, tokens, targets):
        """The cross-entropy of each target in nats, shape of `targets`; forward only."""
        logits = self.logits(flat, tokens)
        target = targets.reshape(-1)
        logits -= logits.max(-1, keepdims=True)
        chosen = logits[np.arange(target.size), target].copy()
        np.exp(logits, out=logits)
        return (np.log(logits.sum(-1)) - chosen).reshape(targets.shape)


def _normalise(x, gain, bias):
    centred = x - x.mean(-1, keepdims=True)
    inverse = np.einsum("ij,ij->i", centred, centred)[:, None]
    inverse /= x.shape[1]
    inverse += EPSILON
    np.sqrt(inverse, out=inverse)
    np.reciprocal(inverse, out=inverse)
    centred *= inverse
    result = centred * gain
    result += bias
    return result, (centred, inverse)


def _normalise_backward(dy, cache, gain, d_gain, d_bias):
    normal, inverse = cache
    np.einsum("ij,ij->j", dy, normal, out=d_gain)
    dy.sum(0, out=d_bias)
    dx = dy * gain
    along = np.einsum("ij,ij->i", dx, normal)[:, None] / dx.shape[1]
    dx -= dx.mean(-1, keepdims=True)
    dx -= normal * along
    dx *= inverse
    return dx


def _gelu(x):
    tanh = x * x
    tanh *= GELU_CUBIC
    tanh += 1.0
    tanh *= x
    tanh *= GELU_SLOPE
    np.tanh(tanh, out=tanh)
    active = tanh + 1.0
    active *= x
    active *= 0.5
    return active, tanh


def _gelu_backward(d, x, tanh):
    """Multiplies `d` in place by the slope of GELU at `x`."""
    inner = x * x
    inner *= 3.0 * GELU_CUBIC
    inner += 1.0
    inner *= GELU_SLOPE
    inner *= x
    inner *= 1.0 - tanh * tanh
    inner += tanh
    inner += 1.0
    inner *= 0.5
    d *= inner


def _scatter(rows, values, into):
    """Sums the rows of `values` that share a number in `rows`; `np.add.at` does the same many times slower."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    into[:] = 0
    into[ordered[starts]] = np.add.reduceat(values[order], starts, axis=0)


@dataclass
class Adam:
    """Kingma and Ba, "Adam" (2015), with a higher rate for the part of the vector that `tables` marks."""

    mean: np.ndarray
    square: np.ndarray
    tables: slice
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8

    @classmethod
    def fresh(cls, flat, tables: slice):
        return cls(np.zeros_like(flat), np.zeros_like(flat), tables)

    def update(self, flat, gradient, step: int, rate: float):
        """Moves `flat` in place; `step` counts from 1."""
        self.mean *= self.beta1
        self.mean += (1.0 - self.beta1) * gradient
        self.square *= self.beta2
        gradient *= gradient
        gradient *= 1.0 - self.beta2
        self.square += gradient
        np.sqrt(self.square, out=gradient)
        gradient *= 1.0 / float(np.sqrt(1.0 - self.beta2**step))
        gradient += self.epsilon
        np.divide(self.mean, gradient, out=gradient)
        gradient *= rate / (1.0 - self.beta1**step)
        gradient[self.tables] *= TABLE_RATE
        flat -= gradient
