"""Plot the results of the scripts of this folder."""

import numpy as np

from common.plotting import new_figure


def save_points(path, real, fake, d_model, title, limit=1.6):
    """Plot real and generated points over D's output (blue: classified as real).

    Args:
        path: PNG to write.
        real, fake: float32 (n, 2).
        d_model: points (n, 2) -> (n, 1).
        title: title of the plot.
        limit: both axes range from -limit to limit.
    """
    import keras
    from matplotlib.figure import Figure

    ticks = np.linspace(-limit, limit, 100, dtype="float32")
    plane = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    outputs = d_model.predict(plane.reshape(-1, 2), batch_size=10_000, verbose=0)
    last = d_model.layers[-1]
    is_energy = last.name == "energy"  # low for points classified as real
    is_probability = getattr(last, "activation", None) is keras.activations.sigmoid
    # Colours and axes are the same in every frame of the video.
    colours = {"vmin": 0, "vmax": 1} if is_probability else {}
    colours["cmap"] = "RdBu_r" if is_energy else "RdBu"
    extent = (-limit, limit, -limit, limit)
    figure = Figure(figsize=(6.4, 5.4))
    axis = figure.add_axes((0.1, 0.1, 0.72, 0.82))
    style = {"interpolation": "bilinear", "alpha": 0.6, "origin": "lower"} | colours
    surface = axis.imshow(outputs.reshape(100, 100), extent=extent, **style)
    bar = figure.add_axes((0.84, 0.1, 0.03, 0.82))
    figure.colorbar(surface, bar, label="energy" if is_energy else "D's output")
    axis.scatter(*real[:1000].T, s=4, color="black", label="real")
    axis.scatter(*fake[:1000].T, s=4, color="tab:orange", label="generated")
    axis.set(title=title, xlabel="x", ylabel="y")
    axis.axis(extent)  # some points may lie outside
    axis.legend(loc="upper right", markerscale=3)
    figure.savefig(path, dpi=80)


def save_1010(path, losses, patterns, every):
    """Plot the losses and the generated patterns of `train_1010.py` over the steps.

    Args:
        path: PNG to write.
        losses: dict of d1, d2 and g_loss, each a list of n means over `every` steps.
        patterns: float (n, 4) in [0, 1], generated at intervals of `every` steps.
        every: number of steps.
    """
    steps = every * (1 + np.arange(len(patterns)))
    labels = {"d1": "D on real patterns", "d2": "D on G's patterns", "g_loss": "G"}
    shared = {"sharex": True, "height_ratios": (3, 2)}
    with new_figure(path, (8, 6), rows=2, dpi=90, **shared) as (figure, (above, below)):
        for name, label in labels.items():
            above.plot(steps, losses[name], label=label)
        above.axhline(0.25, color="grey", linestyle="--", label="D's output is 0.5")
        above.set(ylabel="mean squared error", ylim=(0, None))
        above.legend()
        extent = (0, steps[-1], 4.5, 0.5)
        picture = below.imshow(patterns.T, aspect="auto", vmin=0, vmax=1, extent=extent)
        figure.colorbar(picture, label="output of G")
        below.set(xlabel="step", ylabel="number", yticks=[1, 2, 3, 4])
