"""Compare training under KERAS_BACKEND=torch with a plain PyTorch loop: images/s.

On a CUDA machine: `KERAS_BACKEND=torch python benchmarks/gpu.py` in an environment with
torch, keras, numpy, scikit-learn and h5py; no TensorFlow. Without a GPU it runs on the
CPU; use --batch-size 8 --rounds 2 --steps 1 there. Writes gpu.json and gpu.md.
"""

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np

from benchmarks.summary import header, ratios, row, write
from common.basics import cli

HERE = Path(__file__).resolve().parent
SHAPES = {"mnist": (28, 28, 1), "cifar10": (32, 32, 3), "faces": (64, 64, 3)}


class Ours:
    """The tutorial's training by `fit`, without callbacks."""

    name = "ours"

    def __init__(self, dataset, precision, pixels):
        import keras

        from benchmarks import ours
        from common.gan import GAN

        policy = {"bfloat16": "mixed_bfloat16"}.get(precision, precision)
        keras.config.set_dtype_policy(policy)
        models = ours.define_models(dataset)
        self.gan = GAN(*models, separate=ours.is_separate(dataset))
        self.images = ours.scaled(models[0], pixels)

    def run(self, n_batch, k):
        from common.data.batches import batches_of

        batches = batches_of(self.images, n_batch // 2, seed=0)
        self.gan.fit(batches, steps_per_epoch=k, shuffle=False, verbose=0)


class Plain:
    """The same models in a loop of plain PyTorch."""

    name = "PyTorch"

    def __init__(self, dataset, precision, pixels):
        from benchmarks.torch_pair import TorchGAN

        self.gan = TorchGAN(dataset, precision, device())
        self.dataset, self.pixels = dataset, pixels
        self.rng = np.random.default_rng(0)

    def run(self, n_batch, k):
        from benchmarks.torch_pair import real_batch

        for _ in range(k):
            images = real_batch(self.pixels, self.dataset, n_batch // 2, self.rng)
            self.gan.step(images)


def device():
    """Return "cuda" if there is a GPU, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def timed(contender, n_batch, k):
    """Return the mean seconds of k steps and the peak GPU memory in MiB (CPU: 0)."""
    import torch

    on_gpu = device() == "cuda"
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    contender.run(n_batch, k)
    if on_gpu:
        torch.cuda.synchronize()
    seconds = (time.perf_counter() - started) / k
    peak = torch.cuda.max_memory_allocated() / 2**20 if on_gpu else 0
    return seconds, peak


def compare(dataset, precision, options):
    """Return the rows of one dataset in one precision; the contenders alternate."""
    n_batch = options.batch_size or (256 if dataset == "mnist" else 128)
    noise = np.random.default_rng(0)
    pixels = noise.integers(0, 256, (4096, *SHAPES[dataset]), np.uint8)
    contenders = [kind(dataset, precision, pixels) for kind in (Ours, Plain)]
    for contender in contenders:
        timed(contender, n_batch, 2)  # traces, allocates, selects algorithms
    rounds = [
        [timed(contender, n_batch, options.steps) for contender in contenders]
        for _ in range(options.rounds)
    ]
    rows, seconds = [], []
    for contender, results in zip(contenders, zip(*rounds, strict=True), strict=True):
        times, (*_, peak) = zip(*results, strict=True)
        seconds.append(times)
        what = f"{dataset}, batch {n_batch}, {precision}, {contender.name}"
        rows.append(row(f"{what}: iteration", "ms", [1000 * s for s in times]))
        rows.append(row(f"{what}: images a second", "/s", [n_batch / s for s in times]))
        if peak:
            rows.append(row(f"{what}: peak memory, weights of both", "MiB", [peak]))
    what = f"{dataset}, batch {n_batch}, {precision}: ours / PyTorch"
    return [*rows, row(what, "x", ratios(*seconds))]


@cli.command
def main(argv=None):
    """Compare all datasets in both precisions, and write the results."""
    parser = cli.Parser(__doc__)
    count = {"type": cli.whole_number(1), "metavar": "N"}
    parser.add_argument("--datasets", nargs="+", choices=SHAPES, default=list(SHAPES))
    text = "images per step (256 for mnist, else 128)"
    parser.add_argument("--batch-size", type=cli.whole_number(2, even=True), help=text)
    parser.add_argument("--steps", default=200, help="steps per round (200)", **count)
    parser.add_argument("--rounds", default=7, help="rounds (7)", **count)
    text = "folder for gpu.json and gpu.md (benchmarks/)"
    parser.add_argument("--results", metavar="DIR", default=HERE, type=Path, help=text)
    options = parser.parse_args(argv)
    from common.devices import set_up

    print(set_up())
    packages = {name: version(name) for name in ("keras", "torch", "numpy")}
    head, rows = header(packages, quick=False), []
    cases = [(d, p) for d in options.datasets for p in ("float32", "bfloat16")]
    started = time.time()
    for i, case in enumerate(cases):
        left = (time.time() - started) / i * (len(cases) - i) / 60 if i else None
        rest = f"; {left:.1f} min left" if i else ""
        print(f"[{i + 1}/{len(cases)}] {', '.join(case)}{rest}", flush=True)
        rows += compare(*case, options)
    print(write(options.results, "gpu", "make bench-gpu", head, rows))
    print(f"saved gpu.json, gpu.md in {options.results}")


if __name__ == "__main__":
    main()
