"""Plot the losses of one training on one device, on two, and in two processes.

The two devices are logical devices of the CPU; both processes run on this machine.
Run as `python tests/draw_devices.py PICTURE [options of mnist_gan/train.py]`.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = str(ROOT / "mnist_gan" / "train.py")
TWO_DEVICES = """
import runpy, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
devices = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(cpu, devices)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

WIDTHS = {"one device": 1, "two devices": 4, "two processes": 1.5}  # last two: equal


def train(kind, words, run):
    """Train as one of WIDTHS (its name) in a run folder."""
    command = [sys.executable, SCRIPT, "--device", "cpu", *words, "--run-dir", str(run)]
    settings = [{}]
    if kind == "two devices":
        command = [sys.executable, "-c", TWO_DEVICES, *command[1:], "--device", "all"]
    if kind == "two processes":
        command += ["--device", "all"]
        cluster = {"worker": ["127.0.0.1:23451", "127.0.0.1:23452"]}
        tasks = [{"type": "worker", "index": i} for i in range(2)]
        texts = [json.dumps({"cluster": cluster, "task": task}) for task in tasks]
        settings = [{"TF_CONFIG": text} for text in texts]
    processes = [subprocess.Popen(command, env={**os.environ, **s}) for s in settings]
    codes = [process.wait() for process in processes]
    if any(codes):
        sys.exit(f"the training by {kind} failed")


def draw(path, runs):
    """Plot the losses of these runs, dict of name -> run folder."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for name, run in runs.items():
        rows = list(csv.DictReader((run / "history.csv").open()))
        length = max(int(row["step"]) for row in rows)
        steps = [(int(row["epoch"]) - 1) * length + int(row["step"]) for row in rows]
        for axis, loss in zip(axes, ("d_loss", "g_loss"), strict=True):
            losses = [float(row[loss]) for row in rows]
            alpha = 0.4 if WIDTHS[name] > 2 else 1
            axis.plot(steps, losses, label=name, linewidth=WIDTHS[name], alpha=alpha)
            axis.set(xlabel="step", title=loss)
    axes[0].legend()
    figure.savefig(path, dpi=90)


def main(picture, *words):
    folder = Path(tempfile.mkdtemp())
    runs = {kind: folder / kind.replace(" ", "_") for kind in WIDTHS}
    for kind, run in runs.items():
        train(kind, words, run)
    draw(picture, runs)
    print(f"saved {picture}; runs in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
