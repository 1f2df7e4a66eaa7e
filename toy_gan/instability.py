"""Show why GAN training may not converge, on the smallest minimax problem: x * y."""

import sys
from math import sqrt
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.runs.folder import new_run

RATE, STEPS, PENALTY, DECAY = 0.1, 500, 0.5, 0.99
PLOTTED_STEPS = 200  # steps of each orbit in the plane


def train(rate=RATE, steps=STEPS, alternating=False, penalty=0.0, start=(1.0, 0.0)):
    """Take gradient steps on x * y: descent for x (G), ascent for y (D).

    It is the Dirac-GAN of Mescheder, Geiger, Nowozin 2018, "Which Training Methods for
    GANs do actually Converge?", with WGAN's loss: all real data are 0, all fakes are
    x, and D's output is y * x, high for a fake. The equilibrium is x = y = 0.

    Args:
        rate: learning rate of x and of y, above 0.
        steps: number of steps, at least 1.
        alternating: whether x is updated first and y with the new x, as G and D are in
            `train_on_batch` loops; else both are updated from the same (x, y).
        penalty: y maximizes x * y - penalty / 2 * y^2. As y is the gradient of D, this
            is the paper's gradient penalty R1. Simultaneous steps converge only with a
            penalty above `rate`.
        start: initial x and y.

    Returns:
        float64 (steps + 1, 2), x and y at the start and after each step.
    """
    x, y = start
    path = [(x, y)]
    for _ in range(steps):
        new_x = x - rate * y
        y += rate * ((new_x if alternating else x) - penalty * y)
        x = new_x
        path.append((x, y))
    return np.array(path)


def running_mean(path):
    """Return the mean of each point and all points before it, (n, 2) -> (n, 2).

    Gidel et al. 2019, "A Variational Inequality Perspective on Generative Adversarial
    Networks": the mean of the alternating steps converges, the last step does not.
    """
    return np.cumsum(path, axis=0) / np.arange(1, len(path) + 1)[:, np.newaxis]


def moving_average(path, decay=DECAY):
    """Return the exponential moving average (EMA) from the first point, (n, 2).

    Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training".
    """
    means = [path[0]]
    for point in path[1:]:
        means.append(decay * means[-1] + (1 - decay) * point)
    return np.array(means)


def distance(path):
    """Return the distance of each point from the equilibrium, (n, 2) -> (n,)."""
    return np.hypot(*path.T)


def all_paths():
    """Return the paths to compare: dict, name -> (path, colour, line style)."""
    alternating = train(alternating=True)
    return {
        "simultaneous": (train(), "tab:red", "-"),
        "simultaneous, half the rate": (train(RATE / 2), "tab:orange", "-"),
        "alternating": (alternating, "black", "-"),
        "EMA of alternating": (moving_average(alternating), "tab:purple", "--"),
        "mean of alternating": (running_mean(alternating), "tab:blue", "--"),
        "simultaneous, penalty": (train(penalty=PENALTY), "tab:green", "-"),
    }


def print_report(paths):
    """Print the distance of each path from the equilibrium, and what to notice."""
    print(f"{STEPS} steps at rate {RATE} from x = 1, y = 0; the equilibrium is 0, 0")
    for name, (path, _, _) in paths.items():
        last = distance(path)[-100:]
        print(f"{name:28} distance in the last 100 steps at most {last.max():.2g}")
    for rate, steps in ((RATE, STEPS), (RATE / 10, STEPS * 10)):
        print(
            f"simultaneous, rate {rate:.2f}: the distance grows {sqrt(1 + rate**2):.5f} "
            f"times a step, to {distance(train(rate, steps))[-1]:.2f} in {steps} steps"
        )
    print(
        "Notice: each update lowers the loss of its side, but it is at right angles to "
        "the direction of the equilibrium, so simultaneous steps spiral outwards.\n"
        "Notice: smaller steps spiral outwards more slowly, never inwards.\n"
        "Notice: alternating steps orbit the equilibrium and do not converge, but their "
        "mean does. Their EMA stays at a distance of about (1 - decay) / rate = "
        f"{(1 - DECAY) / RATE:.1f}. In the EMA old steps lose their weight, and G's old "
        "weights are bad: so images are generated with the EMA of G's weights.\n"
        "Notice: the penalty keeps y small, and x and y converge. This is the reason for "
        "gradient penalties on D."
    )


def plot_paths(paths, picture):
    """Plot the paths in the plane and, below, the distances over the steps."""
    from matplotlib.figure import Figure

    panels = {
        "Simultaneous: outwards": list(paths)[:2],
        "Alternating: orbit": list(paths)[2:3],
        "Averages of alternating": list(paths)[3:5],
        "Penalty on y: inwards": list(paths)[5:],
    }
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.subplot_mosaic([list(panels), ["below"] * 4], height_ratios=(1, 1.3))
    for title, names in panels.items():
        axis, limit = axes[title], 0
        for path, colour, line in (paths[name] for name in names):
            shown = path[: PLOTTED_STEPS + 1]
            axis.plot(*shown.T, line, color=colour)
            limit = max(limit, 1.1 * distance(shown).max())
        axis.plot(1, 0, "ko", fillstyle="none", label="start")
        axis.plot(0, 0, "k*", markersize=9, label="equilibrium")
        axis.set(title=title, aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
        axis.set(xlabel=f"x (G), first {PLOTTED_STEPS} steps", ylabel="y (D)")
    for name, (path, colour, line) in paths.items():
        axes["below"].semilogy(distance(path), line, color=colour, label=name)
    axes["below"].set(title="Distance from the equilibrium", xlabel="step")
    axes["below"].set(ylabel="distance (log scale)", ylim=(1e-3, 30))
    handles = axes["below"].lines + axis.lines[-2:]  # with the start and the equilibrium
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.savefig(picture, dpi=100)


@cli.command
def main(argv=None):
    """Print the results of six ways to train on x * y, and plot their paths."""
    options = cli.lesson_options(argv, __doc__)
    picture = new_run("toy_gan", options.run_dir) / "instability.png"
    paths = all_paths()
    print_report(paths)
    plot_paths(paths, picture)
    print(f"saved {picture}")


if __name__ == "__main__":
    main()
