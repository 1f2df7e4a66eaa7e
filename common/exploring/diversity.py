"""Compare the distances among generated images with those among real ones.

What to look for: both distributions of distances should be similar. In mode collapse the
distances among generated images are shorter, or have a peak near zero, and the closest
generated pairs are near-duplicates, which the closest real pairs are not. An image counts
as a near-duplicate if its nearest neighbour is closer than that of 99% of the real
images. Near-duplicates in a small sample indicate that G generates few different images:
of k different images about sqrt(k) are enough to find a duplicate (the birthday paradox).
Dark and blurred images also have short distances, so look at the closest pairs.

Source: Arora & Zhang (2018), "Do GANs learn the distribution? Some theory and empirics".
"""

import numpy as np

from common.basics.cli import whole_number
from common.basics.errors import UserError
from common.exploring.geometry import closest_pairs, nearest_others, pair_distances
from common.exploring.pictures import save_rows
from common.plotting import new_figure

SHOWN, FEWEST = 8, 50  # pairs, and real images
DUPLICATES = 0.01  # share of the real images that count as near-duplicates


def add_options(parser):
    text = "number of real and of generated images (1000)"
    parser.add_argument("-n", type=whole_number(FEWEST, 5000), default=1000, help=text)


def run(subject, options, folder):
    """Print the mean distances; save their histograms and the closest pairs.

    Args:
        subject: subject.Subject.
        options: Namespace with n, seed and label.
        folder: Path of the folder for the results.

    Raises:
        UserError: there are fewer than 50 real images.
    """
    pixels = subject.real_pixels(options.n, options.label)
    n = len(pixels)
    if n < FEWEST:
        raise UserError(f"expected at least {FEWEST} real images, found {n}: see --data")
    real = np.float32(subject.low + pixels / 255 * (1 - subject.low))
    labels = subject.labels(n, options.label)
    generated = subject.generate(subject.latent_vectors(n, options.seed), labels)
    rows, captions, histograms = [], [], {}
    for space, embed in (("pixels", subject.flat), ("features", subject.features)):
        histograms[space] = {}
        for name, images in (("real", real), ("generated", generated)):
            distances = histograms[space][name] = pair_distances(embed(images))
            pairs = np.array(closest_pairs(distances, n, SHOWN))
            rows += [images[pairs[:, 0]], images[pairs[:, 1]]]
            captions += [f"closest {name}\npairs, {space}", ""]
        describe(space, **histograms[space])
    save_rows(rows, captions, folder / "pairs.png", subject.low)
    save_histograms(histograms, folder / "distances.png")


def describe(space, real, generated):
    """Print mean distances and the share of near-duplicates.

    Args:
        space: "pixels" or "features".
        real, generated: float (n (n - 1) / 2,), see `geometry.pair_distances`.
    """
    mean, nearest = generated.mean(), nearest_others(generated)
    limit = np.quantile(nearest_others(real), DUPLICATES)
    print(
        f">{space}: mean distance {mean:.3g} of generated images, {real.mean():.3g} "
        f"of real images ({mean / real.mean():.0%}); nearest neighbour closer than "
        f"{limit:.3g}: {np.mean(nearest < limit):.0%} of {len(nearest)} generated "
        f"images, {DUPLICATES:.0%} of the real ones"
    )


def save_histograms(histograms, path):
    """Plot histograms of distances.

    Args:
        histograms: dict, space -> dict, "real" or "generated" -> float (n,).
        path: PNG to write.
    """
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
