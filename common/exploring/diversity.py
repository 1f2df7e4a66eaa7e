"""How different are the images from one another, and which are nearly the same?

What to look for: distances among generated images should spread like those among real
ones. A collapsed G's are shorter, or have a peak near zero; its closest pairs are twins,
which the closest real pairs are not: look at them, they decide. Twins among few images
also tell that G knows few: of k different ones, some sqrt(k) are enough to find two alike
(the birthday paradox). Twins are images as near as the nearest in a hundred real ones;
pale and blurred images are nearer to each other, too.

Arora & Zhang (2018), "Do GANs learn the distribution? Some theory and empirics".
"""

import numpy as np

from common.basics.cli import whole_number
from common.basics.errors import UserError
from common.exploring.geometry import closest_pairs, nearest_others, pair_distances
from common.exploring.pictures import save_rows
from common.plotting import new_figure

SHOWN, FEWEST = 8, 50  # pairs, and real images
TWINS = 0.01  # share of real images whose nearest other one counts as twin


def add_options(parser):
    text = "images of each kind (1000)"
    parser.add_argument("-n", type=whole_number(FEWEST, 5000), default=1000, help=text)


def run(subject, options, folder):
    """Print how distances compare, save their histograms and the closest pairs.

    Raises:
        UserError: there are too few real images to compare with.
    """
    pixels = subject.real_pixels(options.n, options.label)
    n = len(pixels)
    if n < FEWEST:
        raise UserError(f"{n} real images are too few to compare with: wanted {FEWEST}")
    real = np.float32(subject.low + pixels / 255 * (1 - subject.low))
    labels = subject.labels(n, options.label)
    made = subject.draw(subject.latent_vectors(n, options.seed), labels)
    rows, captions, histograms = [], [], {}
    for space, look in (("pixels", subject.flat), ("features", subject.features)):
        histograms[space] = {}
        for name, images in (("real", real), ("generated", made)):
            distances = histograms[space][name] = pair_distances(look(images))
            pairs = np.array(closest_pairs(distances, n, SHOWN))
            rows += [images[pairs[:, 0]], images[pairs[:, 1]]]
            captions += [f"closest {name}\npairs, {space}", ""]
        describe(space, **histograms[space])
    save_rows(rows, captions, folder / "pairs.png", subject.low)
    save_histograms(histograms, folder / "distances.png")


def describe(space, real, generated):
    """Print the distances of generated images beside those of real ones."""
    made, nearest = generated.mean(), nearest_others(generated)
    twin = np.quantile(nearest_others(real), TWINS)
    print(
        f">{space}: two generated images differ by {made:.3g} in the mean, two "
        f"real ones by {real.mean():.3g} ({made / real.mean():.0%}); "
        f"{np.mean(nearest < twin):.0%} of {len(nearest)} have another one nearer "
        f"than {twin:.3g}, of the real ones {TWINS:.0%}"
    )


def save_histograms(histograms, path):
    """Draw the distances of all pairs: dict, space -> dict, kind of image -> (n,)."""
    n = len(histograms)
    with new_figure(path, (4.2 * n, 3), columns=n) as (_, axes):
        for axis, (space, sides) in zip(axes, histograms.items(), strict=True):
            edges = np.linspace(0, max(side.max() for side in sides.values()), 60)
            for name, side in sides.items():
                axis.hist(side, edges, histtype="step", density=True, label=name)
            axis.set_xlabel(f"distance of two images, {space}\n(root mean square)")
            axis.set_yticks([])
        axes[0].set_ylabel("pairs")
        axes[0].legend(frameon=False)
