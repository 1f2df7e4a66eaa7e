"""Run a long training, and check it for leaks of memory, files and threads.

Runs mnist_gan/train.py on few digits, 200 epochs of 25 steps, with pictures, models,
state and scores after each, and writes docs/soak.json, docs/soak.md and docs/soak.png.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import psutil
from PIL import Image

from benchmarks.summary import described, header
from common.fitting import callbacks
from common.runs.record import versions
from common.runs.tables import markdown_table

ROOT = Path(__file__).resolve().parents[1]
N_IMAGES = 200  # for training, and for each scoring
BATCH = 8
MOST = 0.02  # growth of memory after the first tenth
CURVES = {  # measured after each round -> label of the curve
    "memory": "resident memory (MiB)",
    "files": "open files",
    "threads": "threads",
    "step": "ms a step (median)",
    "round": "s a round",
}


def measuring_callback(rounds):
    """Return a callback that adds a dict of CURVES to `rounds` after every epoch."""
    import keras

    process = psutil.Process()

    class Measure(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started, self.steps = time.perf_counter(), []

        def on_train_batch_begin(self, batch, logs=None):
            self.step_started = time.perf_counter()

        def on_train_batch_end(self, batch, logs=None):
            self.steps.append(time.perf_counter() - self.step_started)

        def on_epoch_end(self, epoch, logs=None):  # the last to be called
            rounds.append({
                "memory": process.memory_info().rss / 2**20,
                "files": process.num_fds(),
                "threads": process.num_threads(),
                "step": 1000 * float(np.median(self.steps)),
                "round": time.perf_counter() - self.started,
            })  # fmt: skip

    return Measure()


def train(n_rounds, n_steps):
    """Run the training in a temporary folder; return its rounds."""
    rounds, plain = [], callbacks.run_callbacks
    callbacks.run_callbacks = lambda *words: [*plain(*words), measuring_callback(rounds)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KERAS_HOME"] = str(Path(folder, "keras"))
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        from common.data.mnist import load_images
        from common.scores import classifier
        from mnist_gan.train import main

        classifier.STEPS = 50  # the quality of the features does not matter
        digits = load_images("digits")
        data = Path(folder, "few.npz")
        np.savez(data, x_train=digits.pixels[:N_IMAGES], y_train=digits.labels[:N_IMAGES])
        words = {"data": data, "preset": "quick", "batch-size": BATCH, "seed": 1,
                 "epochs": n_rounds, "steps-per-epoch": n_steps, "save-every": 1,
                 "evaluate-every": 1, "run-dir": Path(folder, "run")}  # fmt: skip
        main([f"--{name}={value}" for name, value in words.items()])
    return rounds


def compare_with_targets(curves):
    """Return [[what, found, target, result], ...] of the rounds after the first tenth."""
    tenth = len(curves["memory"]) // 10
    late = {name: np.array(values[tenth:]) for name, values in curves.items()}
    start = curves["memory"][tenth - 1]
    growth = late["memory"].max() / start - 1
    end = late["memory"][-1] / start - 1
    rows = [[
        "resident memory, highest after the first tenth / at its end",
        f"{growth:+.2%} (at the last round {end:+.2%}; {start:.0f} MiB)",
        f"< {MOST:.0%}", growth < MOST,
    ]]  # fmt: skip
    for name in ("files", "threads"):
        low, high = late[name].min(), late[name].max()
        found = f"{low}" if low == high else f"{low} to {high}"
        rows.append([CURVES[name], found, "constant", low == high])
    third = len(late["step"]) // 3
    first, last = (np.median(x) for x in (late["step"][:third], late["step"][-third:]))
    low, high = np.percentile(late["step"], [25, 75])
    rows.append([
        "ms a step, first and last third",
        f"{first:.1f} and {last:.1f} (quartiles of all: {low:.1f} to {high:.1f})",
        "apart by less than the quartiles", abs(last - first) <= high - low,
    ])  # fmt: skip
    return [[*row[:-1], "met" if row[-1] else "missed"] for row in rows]


def draw(path, curves):
    """Plot the curves, one below the other, as a small PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 9), dpi=80, layout="constrained")
    axes = figure.subplots(len(CURVES), sharex=True)
    tenth = len(curves["memory"]) // 10
    for axis, (name, label) in zip(axes, CURVES.items(), strict=True):
        axis.plot(range(1, len(curves[name]) + 1), curves[name], linewidth=1)
        axis.axvline(tenth, color="grey", linestyle=":")
        axis.set_ylabel(label)
        if name != "memory":
            axis.set_ylim(0, 1.2 * max(curves[name]))
    axes[-1].set_xlabel("round: steps, pictures, models, state, scores (dotted: a tenth)")
    figure.savefig(path)
    with Image.open(path) as picture:  # few colours: a third of the bytes
        few = picture.convert("RGB").quantize(16)
    few.save(path, optimize=True)


def page(head, rows, n_rounds, n_steps):
    """Return the record as Markdown."""
    return "\n".join([
        "# A long run\n",
        described(head),
        f"`make soak`: {n_rounds} rounds of {n_steps} steps of the quick preset's models "
        f"(batch {BATCH}, {N_IMAGES} digits), each with pictures, models, state, and "
        f"scores of {N_IMAGES} images; measured at the end of each round.\n",
        markdown_table(rows, ["what", "found", "target", "result"]) + "\n",
        "![Memory, files, threads and times of each round](soak.png)\n",
        "Memory is that of the process, libraries included. The load before shows if "
        "other programs shared the cores, which changes the times. All numbers are in "
        "`soak.json`.\n",
    ])  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="at least 20 (200)")
    parser.add_argument("--steps", type=int, default=25, help="steps per round (25)")
    parser.add_argument("--results", type=Path, default=ROOT / "docs", metavar="DIR")
    options = parser.parse_args()
    head = header(versions(), quick=False)
    rounds = train(options.rounds, options.steps)
    curves = {name: [round(x[name], 3) for x in rounds] for name in CURVES}
    rows = compare_with_targets(curves)
    draw(options.results / "soak.png", curves)
    found = {**head, "verdicts": rows, "curves": curves}
    (options.results / "soak.json").write_text(json.dumps(found) + "\n")
    text = page(head, rows, options.rounds, options.steps)
    (options.results / "soak.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
