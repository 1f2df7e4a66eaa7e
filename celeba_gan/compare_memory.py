"""How much memory a training step of the dense and of the convolutional pairs takes."""

import multiprocessing
import sys
from math import prod
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan import options as own
from common.basics import cli
from common.devices import peak_bytes, set_up
from common.plotting import new_figure
from common.runs.folder import new_run
from common.runs.tables import markdown_table

COLOURS = {"dense": "tab:orange", "narrow": "tab:cyan", "conv": "tab:blue"}
BATCHES = (2, 128)  # points for G; D sees as many images, half of them real
MIB = 2**20
QUANTITIES = {
    "parameters": "parameters of G and D",
    "activations": "outputs of their layers",
    "peak": "peak of one training step",
}


def measure(pair, size, n_batch):
    """Train a pair for two steps on noise, on the CPU, in float32.

    To be called in a process of its own: the peak is the process's.

    Args:
        pair: "dense", "narrow" or "conv", of `train.ARCHITECTURES`; conv is the tutorial.
        size: height and width of the images.
        n_batch: even number of points of G's update, and of images of D's.

    Returns:
        dict of MiB: `parameters`; `activations`, what the layers of G and D give out for
        one batch; `peak`, by how much the process grew from the steps of a tiny pair.
    """
    set_up("cpu")
    train_two_steps("conv", 8, 2)  # so that the peak leaves out what TensorFlow takes
    before = peak_bytes()
    models = train_two_steps(pair, size, n_batch)
    outputs = [prod(layer.output.shape[1:]) for model in models for layer in model.layers]
    return {
        "parameters": 4 * sum(model.count_params() for model in models) / MIB,
        "activations": 4 * n_batch * sum(outputs) / MIB,
        "peak": (peak_bytes() - before) / MIB,
    }


def train_two_steps(pair, size, n_batch):
    """Make a pair, train it for two steps on noise, and return G and D."""
    import numpy as np

    from celeba_gan.train import ARCHITECTURES
    from common.gan import GAN

    name = "tutorial" if pair == "conv" else pair
    define_g, define_d, define_composite = ARCHITECTURES[name]
    g_model, d_model = define_g(100, (size, size, 3)), define_d((size, size, 3))
    gan = GAN(g_model, d_model, define_composite(g_model, d_model))
    images = np.random.default_rng(0).random((n_batch, size, size, 3), "float32")
    gan.fit(images, batch_size=n_batch // 2, verbose=0)
    return g_model, d_model


def draw(rows, size, path):
    """Draw the bar chart of `{(pair, batch): {quantity: MiB}}`."""
    with new_figure(path, (12, 3.8), columns=len(QUANTITIES)) as (figure, axes):
        for axis, (quantity, title) in zip(axes, QUANTITIES.items(), strict=True):
            labels = [f"{pair}\n{n}" for pair, n in rows]
            values = [row[quantity] for row in rows.values()]
            colours = [COLOURS[pair] for pair, _ in rows]
            bars = axis.bar(labels, values, color=colours)
            axis.bar_label(bars, fmt=lambda value: f"{value:.{0 if value > 9 else 1}f}")
            axis.set_title(title, fontsize=10)
            axis.set(xlabel="pair and batch", ylabel="MiB")
            axis.tick_params(axis="x", labelsize=8)
            axis.margins(y=0.12)
        figure.suptitle(f"dense and convolutional pairs, {size}x{size} colour images")


@cli.command
def main(argv=None):
    """Measure each pair at each batch, print the table, and draw the chart."""
    options = cli.step_options(argv, __doc__, more=own.add_size)

    run = new_run("celeba_gan", options.run_dir)
    rows, lines = {}, []
    for n_batch in BATCHES:
        for pair in COLOURS:
            with multiprocessing.get_context("spawn").Pool(1) as fresh:
                row = fresh.apply(measure, (pair, options.size, n_batch))
            rows[pair, n_batch] = row
            lines.append([pair, n_batch, *(f"{row[q]:.1f}" for q in QUANTITIES)])
        dense, conv = rows["dense", n_batch], rows["conv", n_batch]
        shares = [f"{conv[q] / dense[q]:.2f}x" for q in QUANTITIES]
        lines.append(["conv / dense", n_batch, *shares])
    heads = ["pair", "batch", *(f"{quantity}, MiB" for quantity in QUANTITIES)]
    print(markdown_table(lines, heads))
    draw(rows, options.size, run / "memory.png")
    print(f"saved {run / 'memory.png'}")


if __name__ == "__main__":
    main()
