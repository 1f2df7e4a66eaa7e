"""The pictures of the toy scripts."""

import numpy as np


def save_points(path, real, fake, d_model, title, reach=1.6):
    """Draw real and generated points over D's output.

    Args:
        path: PNG to write.
        real, fake: float32 (n, 2).
        d_model: points (n, 2) -> (n, 1).
        title: line above the picture.
        reach: the picture shows [-reach, reach] in x and y.
    """
    from matplotlib.figure import Figure

    axis_points = np.linspace(-reach, reach, 100, dtype="float32")
    x, y = np.meshgrid(axis_points, axis_points)
    plane = np.stack([x.ravel(), y.ravel()], axis=1)
    outputs = d_model.predict(plane, batch_size=10_000, verbose=0).reshape(x.shape)
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axis = figure.subplots()
    surface = axis.pcolormesh(x, y, outputs, cmap="RdBu", alpha=0.6, shading="gouraud")
    figure.colorbar(surface, label="D's output")
    axis.scatter(*real[:1000].T, s=4, color="black", label="real")
    axis.scatter(*fake[:1000].T, s=4, color="tab:orange", label="generated")
    axis.set(title=title, xlabel="x", ylabel="y", aspect="equal")
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axis.legend(loc="upper right", markerscale=3)
    figure.savefig(path, dpi=80)


def save_losses(path, losses, every):
    """Draw the losses of `train_1010.py`, means over `every` steps, with their ideal."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axis = figure.subplots()
    labels = {
        "d1": "D on real patterns",
        "d2": "D on G's patterns",
        "g_loss": "G",
    }
    for name, label in labels.items():
        steps = every * (1 + np.arange(len(losses[name])))
        axis.plot(steps, losses[name], label=label)
    axis.axhline(0.25, color="grey", linestyle="--", label="ideal: 0.25")
    axis.set(xlabel="step", ylabel="mean squared error", ylim=(0, None))
    axis.legend()
    figure.savefig(path, dpi=100)


def save_patterns(path, patterns, every):
    """Draw the pattern (n, 4) that G makes over time as a heat map."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    axis = figure.subplots()
    steps = every * len(patterns)
    image = axis.imshow(
        patterns.T, aspect="auto", vmin=0, vmax=1, extent=(0, steps, 4.5, 0.5)
    )
    figure.colorbar(image, label="value that G makes")
    axis.set(xlabel="step", ylabel="number", yticks=[1, 2, 3, 4])
    axis.set_title("from anything to 1 0 1 0")
    figure.savefig(path, dpi=100)
