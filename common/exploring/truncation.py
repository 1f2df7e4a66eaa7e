"""Scale the latent vectors by psi: a small psi gives more typical, less diverse images.

What to look for: with a small psi the images are typical and similar to each other; above
1 they are exaggerated and often defective. G was trained with psi = 1. Each row shows the
diversity, which is the mean distance of two images (root mean square, pixels in [0, 1])
as a percentage of that of real images, and the mean confidence of a classifier.

Sources: Karras et al. (2019), "A Style-Based Generator", appendix B, for the truncation
trick; here z is scaled instead of w, and the centre is zero. Brock et al. (2019),
"BigGAN", section 3.1, resample the components of z above a threshold instead.
"""

from tqdm import tqdm

from common.basics.cli import positive, whole_number
from common.exploring.geometry import pairwise_distances
from common.exploring.pictures import save_rows

PSI = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5)
COLUMNS = 12  # images in a row


def add_options(parser):
    add = parser.add_argument
    text = f"factors of the latent vectors ({' '.join(map(str, PSI))})"
    add("--psi", nargs="+", type=positive, default=PSI, metavar="X", help=text)
    text = "number of images for the diversity of each psi (500)"
    add("-n", type=whole_number(COLUMNS, 5000), default=500, help=text)


def run(subject, options, folder):
    """Save a row of images for each psi, with diversity and confidence.

    Args:
        subject: subject.Subject.
        options: Namespace with psi, n, seed and label.
        folder: Path of the folder for the results.
    """
    vectors = subject.latent_vectors(options.n, options.seed)
    labels = subject.labels(options.n, options.label)
    real_mean, rows, captions = None, [], []
    if subject.real_or_none:
        real = subject.from_bytes(subject.real_pixels(options.n, options.label))
        real_mean = pairwise_distances(subject.flatten(real)).mean()
    for psi in tqdm(options.psi, disable=None, leave=False):
        images = subject.generate(psi * vectors, labels)
        distance = pairwise_distances(subject.flatten(images)).mean()
        probabilities = subject.probabilities(images)
        diversity = f"{distance / real_mean:.0%}" if real_mean else f"{distance:.3f}"
        caption = f"psi {psi:g}: diversity {diversity}"
        if probabilities is not None:
            caption += f"\nconfidence {probabilities.max(axis=1).mean():.0%}"
        rows.append(images[:COLUMNS])
        captions.append(caption)
    for caption in captions:
        print(">" + caption.replace("\n", ", "))
    save_rows(rows, captions, folder / "truncation.png", subject.low)
