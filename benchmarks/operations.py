"""Profile a training step, and list its ten longest operations.

Measured by the profiler of TensorFlow, for MNIST and CIFAR-10 in the tutorials' sizes, in
float32 and with `--precision auto`, alternating without and with
`common/layers/cpu_layers.py`. Writes operations.md.
"""

import statistics
import sys
import tempfile
import time
from collections import Counter
from itertools import product
from pathlib import Path
from unittest.mock import patch

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks import ours
from benchmarks.bench import BATCH_SIZES
from benchmarks.contenders import HERE, image_file
from benchmarks.summary import described, header
from common.basics import cli
from common.runs.record import versions
from common.runs.tables import markdown_table

ROUNDS, STEPS = 4, 2
WHAT = """By `python benchmarks/operations.py`. An operation's time is summed over the
threads that run it, so all together take longer than the step; its share is of that sum.
"""
DATASETS = "mnist", "cifar10"
PRECISIONS = "float32", "auto"


def compiled_step(dataset, fast):
    """Return a function that runs one compiled step of the tutorial's models.

    Args:
        dataset: "mnist" or "cifar10".
        fast: whether to use `common/layers/cpu_layers.py`.
    """
    from common.gan import GAN

    models, n = ours.define_models(dataset), BATCH_SIZES[dataset] // 2
    x_real = ours.scaled(models[0], np.load(image_file(dataset))[:n])[np.arange(n)]
    with patch("common.layers.cpu_layers.on_cpu", lambda: fast):
        gan = GAN(*models, separate=ours.is_separate(dataset))
    gan.train_on_batch(x_real)  # traces the step
    return lambda: gan.train_on_batch(x_real)


def profile(step, k):
    """Return wall-clock seconds per step, and a Counter, operation -> seconds per step.

    The seconds of operations are a sum over the threads of TensorFlow that run them.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            started = time.perf_counter()
            for _ in range(k):
                step()
            seconds = (time.perf_counter() - started) / k
        space = xplane_pb2.XSpace()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(path.read_bytes())
    return seconds, operations(space, k)


def operations(space, k):
    """Return a Counter, kind of operation -> seconds per step.

    Args:
        space: XSpace of the profiler, whose events are named `layer/name:Kind`.
        k: number of steps.
    """
    seconds = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                layer, _, kind = name.rpartition(":")
                if kind.isidentifier() and layer and not layer.endswith(":"):
                    kind = kind.removeprefix("_Mkl").removeprefix("Native")
                    seconds[kind] += event.duration_ps / 1e12 / k
    return seconds


def measure(dataset, precision):
    """Return {"plain": ..., "fast": ...}: medians of ROUNDS alternating rounds."""
    from common.devices import set_up

    set_up("cpu", precision)
    steps = {"plain": compiled_step(dataset, False), "fast": compiled_step(dataset, True)}
    rounds = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            rounds[name].append(profile(step, STEPS))
    return {
        name: {
            "step": statistics.median(seconds for seconds, _ in profiles),
            "operations": {
                kind: statistics.median(counter[kind] for _, counter in profiles)
                for kind in set().union(*(counter for _, counter in profiles))
            },
        }
        for name, profiles in rounds.items()
    }


def top_ten(profiles):
    """Return a Markdown table of the ten longest operations; see `measure`."""
    plain, fast = (Counter(profiles[x]["operations"]) for x in ("plain", "fast"))
    rows = []
    for kind, _ in (plain | fast).most_common(10):  # the maximum of both
        row = [kind]
        for seconds in (plain, fast):
            share = seconds[kind] / seconds.total()
            row += [f"{1000 * seconds[kind]:.1f} ms", f"{share:.0%}"]
        rows.append(row)
    heads = ["operation", "plain", "share", "with `cpu_layers.py`", "share"]
    return markdown_table(rows, heads) + "\n"


@cli.command
def main(argv=None):
    """Profile both datasets in both precisions, and write the tables."""
    cli.Parser(__doc__).parse_args(argv)
    head, parts = header(versions(), quick=False), []
    for name in product(DATASETS, PRECISIONS):
        profiles = measure(*name)
        times = " -> ".join(f"{profile['step']:.3f} s" for profile in profiles.values())
        parts.append(f"## {', '.join(name)}: {times} a step\n\n{top_ten(profiles)}")
    text = "\n".join(["# Where a step's time goes\n", described(head), WHAT, *parts])
    (HERE / "operations.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
