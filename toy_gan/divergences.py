"""Compare the KL and Jensen-Shannon divergences and the Wasserstein distance."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.plotting import new_figure
from common.runs.folder import new_run

CELL = 0.05  # width of the cells of `compare_shifted`, in units of x


def kl_divergence(p, q):
    """Return KL(p||q), the mean of ln(p / q) over samples of p.

    Args:
        p, q: probabilities (k,).

    Returns:
        float in nats, at least 0; inf where q is 0 and p is not.

    Raises:
        UserError: p or q is not a distribution, or they differ in length.
    """
    from scipy.special import kl_div

    p, q = validated(p, q)
    return float(kl_div(p, q).sum())  # p ln(p / q) - p + q: no term is below 0


def validated(p, q):
    """Return p and q as float64 (k,); raise a UserError as kl_divergence."""
    p, q = np.asarray(p, float), np.asarray(q, float)
    if p.shape != q.shape or p.ndim != 1:
        raise cli.UserError(f"p {p.shape}, q {q.shape}: give lists of the same length")
    for values in (p, q):
        if not (np.all(values >= 0) and abs(values.sum() - 1) < 1e-5):
            raise cli.UserError(f"no distribution: {values} must be >= 0 and sum to 1")
    return p, q


def js_divergence(p, q):
    """Return the Jensen-Shannon divergence: the mean KL of p and q to (p + q) / 2.

    With the optimal D, G minimizes this divergence (Goodfellow et al. 2014, "Generative
    Adversarial Nets", section 4.1). The mean loss of this D is ln 2 - JS.

    Returns:
        float in nats, from 0 to ln 2. Arguments and errors: see kl_divergence.
    """
    p, q = validated(p, q)
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def kl_densities(p, q):
    """Return KL(p||q) of two densities: an integral by Simpson's rule.

    Args:
        p, q: functions, x (n,) -> densities (n,), smooth and at least 0. Nearly all of
            their mass is between -10 and 10, where q is not rounded to 0.

    Returns:
        float in nats, at least 0; inf where q is 0 and p is not.

    Raises:
        UserError: p or q is negative, or its integral is not 1 to 1 %.
    """
    from scipy.integrate import simpson
    from scipy.special import kl_div

    x = np.linspace(-10, 10, 4001)  # Simpson's rule needs an odd number
    p, q = p(x), q(x)
    for values in (p, q):
        mass = simpson(values, x=x)
        if not (np.all(values >= 0) and abs(mass - 1) < 0.01):
            raise cli.UserError(f"no density: integral {mass:.3g} over [-10, 10], not 1")
    return float(simpson(kl_div(p, q), x=x))


def js_densities(p, q):
    """Return JS of two densities in nats. Arguments and errors: see kl_densities."""

    def m(x):
        return (p(x) + q(x)) / 2

    return (kl_densities(p, m) + kl_densities(q, m)) / 2


def fit_normal(loss):
    """Return (mean, scale) of the normal density with the lowest loss(density)."""
    from scipy.optimize import brute  # a grid search first: there may be many minima
    from scipy.stats import norm

    def loss_of(parameters):
        mean, log_scale = parameters  # the logarithm keeps the scale above 0
        return loss(norm(mean, np.exp(log_scale)).pdf)

    mean, log_scale = brute(loss_of, ((-4, 4), (np.log(0.5), np.log(2.5))), Ns=9)
    return float(mean), float(np.exp(log_scale))


def mean_nll(samples, q):
    """Return the mean negative log-likelihood in nats of samples, int (n,), under q (k,).

    It is KL(frequencies of the samples||q) plus the entropy of these frequencies.
    """
    return float(-np.log(np.asarray(q)[samples]).mean())


def compare_shifted(shift, width):
    """Return JS (nats) and Wasserstein-1 distance of a uniform p and its shifted copy.

    Args:
        shift, width: of p, in units of x, rounded to cells of 0.05. A width of one cell
            corresponds to the parallel lines of Arjovsky, Chintala, Bottou 2017,
            "Wasserstein GAN", Example 1.
    """
    from scipy.stats import wasserstein_distance

    shift, width = round(shift / CELL), round(width / CELL)
    p = np.repeat([1 / width, 0], [width, shift])
    x, q = CELL * np.arange(len(p)), p[::-1]
    return js_divergence(p, q), float(wasserstein_distance(x, x, p, q))


def show_asymmetry():
    """Print KL in both directions for two coins."""
    fair = (0.5, 0.5)
    for name, other in (("q = 9:1 ", (0.9, 0.1)), ("q = 10:0", (1.0, 0.0))):
        print(
            f"p = 1:1, {name}  KL(p||q) {kl_divergence(fair, other):.3f}  KL(q||p) "
            f"{kl_divergence(other, fair):.3f}  JS {js_divergence(fair, other):.3f} nats"
        )
    print(
        "Notice: KL is not symmetric. It weights ln(p / q) by p: it is infinite where q "
        "is 0 and p is not. JS is symmetric and at most ln 2 = 0.693."
    )


def show_fits(shapes, curves):
    """Fit a normal q to a bimodal p by KL in both directions; plot KL and JS."""
    from scipy.stats import norm

    def p(x):
        return 0.4 * norm.pdf(x, -2, 0.6) + 0.6 * norm.pdf(x, 2, 0.6)

    x, means = np.linspace(-5, 5, 401), np.linspace(-4, 4, 81)
    shapes.fill_between(x, p(x), color="lightgrey", label="p, two peaks")
    losses = {
        "KL(p||q)": ("tab:blue", "-", lambda q: kl_densities(p, q)),
        "KL(q||p)": ("tab:red", "--", lambda q: kl_densities(q, p)),
        "JS": ("black", ":", lambda q: js_densities(p, q)),
    }
    for name, (colour, line, loss) in losses.items():
        style = {"color": colour, "linestyle": line, "linewidth": 2}
        curves.plot(means, [loss(norm(m, 0.6).pdf) for m in means], label=name, **style)
        if name != "JS":
            mean, scale = fit_normal(loss)
            print(f"q of least {name}: mean {mean:z.2f}, standard deviation {scale:.2f}")
            shapes.plot(x, norm.pdf(x, mean, scale), label=f"q of least {name}", **style)
    print(
        "Notice: minimal KL(p||q) makes q cover both peaks and the gap between them "
        "(mode-covering). Minimal KL(q||p) fits the larger peak only (mode-seeking)."
    )
    shapes.set(title="A normal q fitted to two peaks", xlabel="x", ylabel="density")
    curves.set(title="Divergences of q from p, q as wide as one peak", yscale="log")
    curves.set(xlabel="mean of q", ylabel="nats (log scale)")


def show_likelihood(axis, seed):
    """Fit a coin to 50 throws by maximum likelihood and by minimal KL."""
    truth = (0.3, 0.7)  # of tails, of heads
    throws = np.random.default_rng(seed).choice(2, size=50, p=truth)
    frequencies = np.bincount(throws, minlength=2) / len(throws)
    losses = {
        "mean NLL of 50 throws": ("tab:blue", "-", lambda q: mean_nll(throws, q)),
        "KL(throws||q)": ("tab:red", "--", lambda q: kl_divergence(frequencies, q)),
        "KL(truth||q)": ("black", ":", lambda q: kl_divergence(truth, q)),
    }
    heads = np.linspace(0.02, 0.98, 49)
    for name, (colour, line, loss) in losses.items():
        values = [loss((1 - p, p)) for p in heads]
        best = np.argmin(values)
        print(f"least {name}: {values[best]:.3f} nats at heads = {heads[best]:.2f}")
        axis.plot(heads, values, line, color=colour, linewidth=2, label=name)
        axis.plot(heads[best], values[best], "o", color=colour)
    print(
        "Notice: the first two differ by a constant: maximum likelihood is minimal KL "
        "from the samples. With more samples it approaches minimal KL from the truth."
    )
    axis.set(title="Maximum likelihood is minimal KL (dots: minima)", ylim=(-0.05, 2))
    axis.set(xlabel="q's probability of heads", ylabel="nats")


def show_saturation(axis):
    """Shift two distributions apart: JS saturates at ln 2, Wasserstein grows."""
    shifts = np.linspace(0, 3, 61)
    wide = np.array([compare_shifted(shift, width=1) for shift in shifts])
    thin = np.array([compare_shifted(shift, width=CELL) for shift in shifts])
    for i in (0, 10, 20, 40, 60):
        print(
            f"shift {shifts[i]:.1f}  JS of width 1 {wide[i, 0]:.3f}, of thin lines "
            f"{thin[i, 0]:.3f} nats  Wasserstein {wide[i, 1]:.1f}"
        )
    print(
        "Notice: where p and q do not overlap, JS is ln 2 at any distance: its gradient "
        "is 0, and G cannot be trained with it. The gradient of the Wasserstein distance "
        "is 1 everywhere. That is the reason for WGAN."
    )
    axis.plot(shifts, wide[:, 1], color="tab:blue", linewidth=2, label="Wasserstein")
    axis.plot(shifts, wide[:, 0], "k:", linewidth=2, label="JS, width 1")
    axis.plot(shifts, thin[:, 0], "--", color="tab:red", label="JS, thin lines")
    axis.set(
        title="A uniform distribution and its shifted copy", xlabel="shift (units of x)"
    )
    axis.set(ylabel="JS (nats), Wasserstein (units of x)")


@cli.command
def main(argv=None):
    """Print the results of four experiments and plot three of them."""
    options = cli.lesson_options(argv, __doc__)
    path = new_run("toy_gan", options.run_dir) / "divergences.png"
    show_asymmetry()
    with new_figure(path, (11, 8), rows=2, columns=2) as (_, axes):
        shapes, curves, likelihood, saturation = axes
        show_fits(shapes, curves)
        show_likelihood(likelihood, 1 if options.seed is None else options.seed)
        show_saturation(saturation)
        for axis in (curves, saturation):
            axis.axhline(np.log(2), color="grey", zorder=0, label="ln 2 = 0.693")
        for axis in axes:
            axis.legend(fontsize=9)
    print(f"saved {path}")


if __name__ == "__main__":
    main()
