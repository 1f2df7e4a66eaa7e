"""Draw the same points nearer and nearer to zero: psi buys certainty with variety.

What to look for: at a small psi all images are typical, and much alike; above 1 they are
bold and often broken. The row at psi = 1 is what G was trained for. Beside each row stand
the diversity, as share of that among real images (the mean distance of two, root mean
square of grey levels), and the confidence of a classifier in what it reads.

Karras et al. (2019), "A Style-Based Generator", appendix B; here the point itself is
scaled, and zero is the centre. Brock et al. (2019), section 3.1, cut its numbers off.
"""

import numpy as np
from tqdm import tqdm

from common.basics.cli import positive, whole_number
from common.exploring.geometry import pair_distances
from common.exploring.pictures import save_rows

PSI = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
SHOWN = 12


def add_options(parser):
    add = parser.add_argument
    text = f"factors of the points ({' '.join(map(str, PSI))})"
    add("--psi", nargs="+", type=positive, default=PSI, metavar="X", help=text)
    text = "images that are measured at each (500)"
    add("-n", type=whole_number(SHOWN, 5000), default=500, help=text)


def run(subject, options, folder):
    """Save a row of images for each psi, with what was measured of n."""
    points = subject.latent_vectors(options.n, options.seed)
    labels = subject.labels(options.n, options.label)
    real, rows, captions = None, [], []
    if subject.known:
        pixels = subject.real_pixels(options.n, options.label)
        real = pair_distances(pixels.reshape(len(pixels), -1) / np.float32(255)).mean()
    for psi in tqdm(options.psi, disable=None, leave=False):
        images = subject.draw(psi * points, labels)
        distance = pair_distances(subject.flat(images)).mean()
        probabilities = subject.probabilities(images)
        diversity = f"{distance:.3f}" if real is None else f"{distance / real:.0%}"
        caption = f"psi {psi:g}: diversity {diversity}"
        if probabilities is not None:
            caption += f"\nconfidence {probabilities.max(axis=1).mean():.0%}"
        rows.append(images[:SHOWN])
        captions.append(caption)
    for caption in captions:
        print(">" + caption.replace("\n", ", "))
    save_rows(rows, captions, folder / "truncation.png", subject.low)
