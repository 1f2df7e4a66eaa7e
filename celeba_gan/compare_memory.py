"""Measure the memory of a training step of dense and of convolutional models."""

import multiprocessing
import sys
from math import prod
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan.options import add_size
from common.basics import cli
from common.devices import peak_bytes, set_up
from common.plotting import new_figure
from common.runs.folder import new_run
from common.runs.tables import markdown_table

COLOURS = {"dense": "tab:orange", "narrow": "tab:cyan", "conv": "tab:blue"}
BATCH_SIZES = (2, 128)
MIB = 2**20
QUANTITIES = {
    "parameters": "parameters of G and D",
    "activations": "outputs of their layers",
    "peak": "peak of one training step",
}


def measure(architecture, size, n_batch):
    """Train models for two steps on noise, on the CPU, in float32.

    Call it in a new process: the peak is that of the process.

    Args:
        architecture: "dense", "narrow" or "conv", of `train.ARCHITECTURES`; conv is the
            tutorial's.
        size: height and width of the images.
        n_batch: even number, of latent vectors in G's update and of images in D's.

    Returns:
        dict of MiB: `parameters`; `activations`, the outputs of all layers of G and D for
        one batch; `peak`, the growth of the process above its peak with tiny models.
    """
    set_up("cpu")
    train_two_steps("conv", 8, 2)  # excludes TensorFlow's own memory from the result
    before = peak_bytes()
    models = train_two_steps(architecture, size, n_batch)
    outputs = [prod(layer.output.shape[1:]) for model in models for layer in model.layers]
    return {
        "parameters": 4 * sum(model.count_params() for model in models) / MIB,
        "activations": 4 * n_batch * sum(outputs) / MIB,
        "peak": (peak_bytes() - before) / MIB,
    }


def train_two_steps(architecture, size, n_batch):
    """Train new models for two steps on noise, and return G and D; see `measure`."""
    import numpy as np

    from celeba_gan.train import ARCHITECTURES
    from common.gan import GAN

    name = "tutorial" if architecture == "conv" else architecture
    define_g, define_d, define_composite = ARCHITECTURES[name]
    g_model, d_model = define_g(100, (size, size, 3)), define_d((size, size, 3))
    gan = GAN(g_model, d_model, define_composite(g_model, d_model))
    images = np.random.default_rng(0).random((n_batch, size, size, 3), "float32")
    gan.fit(images, batch_size=n_batch // 2, verbose=0)
    return g_model, d_model


def save_chart(rows, size, path):
    """Save a bar chart per quantity.

    Args:
        rows: dict, (architecture, batch size) -> dict of `measure`.
        size: height and width of the images.
        path: PNG to write.
    """
    with new_figure(path, (12, 3.8), columns=len(QUANTITIES)) as (figure, axes):
        for axis, (quantity, title) in zip(axes, QUANTITIES.items(), strict=True):
            labels = [f"{architecture}\n{n_batch}" for architecture, n_batch in rows]
            values = [row[quantity] for row in rows.values()]
            bars = axis.bar(labels, values, color=[COLOURS[name] for name, _ in rows])
            axis.bar_label(bars, [f"{x:.0f}" if x > 9 else f"{x:.1f}" for x in values])
            axis.set_title(title, fontsize=10)
            axis.set(xlabel="architecture and batch size", ylabel="MiB")
            axis.tick_params(axis="x", labelsize=8)
            axis.margins(y=0.12)
        figure.suptitle(f"dense and convolutional models, {size}x{size} colour images")


@cli.command
def main(argv=None):
    """Measure each architecture at each batch size, print the table, save the chart."""
    options = cli.lesson_options(argv, __doc__, more=add_size)
    run = new_run("celeba_gan", options.run_dir)
    rows, lines = {}, []
    for n_batch in BATCH_SIZES:
        for name in COLOURS:
            with multiprocessing.get_context("spawn").Pool(1) as process:
                row = process.apply(measure, (name, options.size, n_batch))
            rows[name, n_batch] = row
            lines.append([name, n_batch, *(f"{row[q]:.1f}" for q in QUANTITIES)])
        dense, conv = rows["dense", n_batch], rows["conv", n_batch]
        ratios = [f"{conv[q] / dense[q]:.2f}x" for q in QUANTITIES]
        lines.append(["conv / dense", n_batch, *ratios])
    heads = ["architecture", "batch", *(f"{quantity}, MiB" for quantity in QUANTITIES)]
    print(markdown_table(lines, heads))
    save_chart(rows, options.size, run / "memory.png")
    print(f"saved {run / 'memory.png'}")


if __name__ == "__main__":
    main()
