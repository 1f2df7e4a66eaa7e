"""Compare the distances between generated images with those between real images.

What to look for: both distributions of distances should be similar. In mode collapse the
distances between generated images are shorter, or have a peak near zero, and the closest
generated pairs are near-duplicates, which the closest real pairs are not. An image counts
as a near-duplicate if its nearest neighbour is closer than that of 99% of the real
images. Near-duplicates in a small sample indicate that G generates few different images:
if G generates k different images, a sample of about sqrt(k) is enough to find a duplicate
(the birthday paradox).
Dark and blurred images also have short distances, so look at the closest pairs.

Source: Arora & Zhang (2018), "Do GANs learn the distribution? Some theory and empirics".
"""

import numpy as np

from common.basics.cli import whole_number
from common.basics.errors import UserError
from common.exploring.geometry import closest_pairs, nearest_distances, pairwise_distances
from common.exploring.pictures import save_rows
from common.plotting import new_figure

N_PAIRS, MIN_N = 8, 50  # pairs in the picture; minimum number of images
DUPLICATE_FRACTION = 0.01  # of the real images that count as near-duplicates


def add_options(parser):
    text = "number of real and of generated images (1000)"
    parser.add_argument("-n", type=whole_number(MIN_N, 5000), default=1000, help=text)


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
    if n < MIN_N:
        raise UserError(f"expected at least {MIN_N} real images, found {n}: add more")
    labels = subject.labels(n, options.label)
    generated = subject.generate(subject.latent_vectors(n, options.seed), labels)
    images_by_source = {"real": subject.from_bytes(pixels), "generated": generated}
    rows, captions, by_space = [], [], {}
    for space, embed in (("pixels", subject.flatten), ("features", subject.features)):
        by_space[space] = {}
        for name, images in images_by_source.items():
            distances = by_space[space][name] = pairwise_distances(embed(images))
            pairs = np.array(closest_pairs(distances, n, N_PAIRS))
            rows += [images[pairs[:, 0]], images[pairs[:, 1]]]
            captions += [f"closest {name}\npairs, {space}", ""]
        print_distances(space, **by_space[space])
    save_rows(rows, captions, folder / "pairs.png", subject.low)
    save_histograms(by_space, folder / "distances.png")


def print_distances(space, real, generated):
    """Print mean distances and the fraction of near-duplicates.

    Args:
        space: "pixels" or "features".
        real, generated: float (n (n - 1) / 2,), see `geometry.pairwise_distances`.
    """
    mean, nearest = generated.mean(), nearest_distances(generated)
    limit = np.quantile(nearest_distances(real), DUPLICATE_FRACTION)
    print(
        f">{space}: mean distance {mean:.3g} of generated images, {real.mean():.3g} "
        f"of real images ({mean / real.mean():.0%}); nearest neighbour closer than "
        f"{limit:.3g}: {np.mean(nearest < limit):.0%} of {len(nearest)} generated "
        f"images, {DUPLICATE_FRACTION:.0%} of the real ones"
    )


def save_histograms(by_space, path):
    """Plot histograms of distances.

    Args:
        by_space: dict, "pixels" or "features" -> dict, "real" or "generated" -> distances
            float (n,).
        path: PNG to write.
    """
    n = len(by_space)
    with new_figure(path, (4.2 * n, 3), columns=n) as (_, axes):
        for axis, (space, by_source) in zip(axes, by_space.items(), strict=True):
            bins = np.linspace(0, max(map(np.max, by_source.values())), 60)
            for name, distances in by_source.items():
                axis.hist(distances, bins, histtype="step", density=True, label=name)
            axis.set_xlabel(f"distance of two images, {space}\n(root mean square)")
            axis.set_yticks([])
        axes[0].set_ylabel("pairs")
        axes[0].legend(frameon=False)
