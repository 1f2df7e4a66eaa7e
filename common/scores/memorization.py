"""Detect memorized training images by nearest neighbours.

The distances of generated images to the training set are compared with their distances to
held-out images, as in Meehan et al. (2020).
"""

import numpy as np

from common.scores.features import extract_all
from common.scores.scorer import shuffled

SAMPLES = 2000  # generated images whose neighbours are searched
SHOWN, NEIGHBOURS = 8, 3  # rows of the picture, columns per space
AT_A_TIME = 5000  # rows searched at once
SUSPICIOUS = 4  # standard errors


def nearest(queries, n_rows, rows_of, k=1):
    """Return the k nearest neighbours among rows that are loaded part by part.

    Args:
        queries: float (q, d).
        n_rows: number of rows to search, at least k.
        rows_of: function, slice -> float (m, d), the rows of this slice.
        k: number of neighbours.

    Returns:
        Euclidean distances float (q, k), ascending, and row indices int (q, k).
    """
    from sklearn.neighbors import NearestNeighbors

    parts = []
    for start in range(0, n_rows, AT_A_TIME):
        rows = rows_of(slice(start, min(start + AT_A_TIME, n_rows)))
        search = NearestNeighbors(n_neighbors=min(k, len(rows)), algorithm="brute")
        distances, found = search.fit(rows).kneighbors(queries)
        parts.append((distances, found + start))
    distances, numbers = map(np.hstack, zip(*parts, strict=True))
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return tuple(np.take_along_axis(x, order, axis=1) for x in (distances, numbers))


def nearer_to_training(to_training, to_held_out, n_training, n_held_out):
    """Estimate the share of copies of training images among generated images.

    Without memorization the nearest image of both sets is a training image with the
    probability p = n_training / (n_training + n_held_out), whatever the quality of G. For
    a copy the probability is 1. So (share - p) / (1 - p) estimates the share of copies.
    Generated images with the same nearest image count as one Bernoulli trial: after mode
    collapse all of them can be near a training image by chance.

    Args:
        to_training, to_held_out: tuples of distances (n,) to the nearest image of the set
            and row indices of these, int (n,).
        n_training, n_held_out: number of images in each set.

    Returns:
        dict: `share`, of the images that are nearer to a training image; `by_chance`, p;
        `copies`, the estimated share; `error`, its standard error; `flagged`, whether
        `copies` exceeds SUSPICIOUS standard errors.
    """
    is_training = to_training[0] < to_held_out[0]
    p = n_training / (n_training + n_held_out)
    share = float(np.mean(is_training))
    copies = (share - p) / (1 - p)
    which = np.where(is_training, to_training[1], n_training + to_held_out[1])
    weights = np.bincount(which) / len(which)  # of each trial
    error = float(np.sqrt(p / (1 - p) * np.sum(weights**2)))
    return {
        "share": share,
        "by_chance": p,
        "copies": copies,
        "error": error,
        "flagged": copies > SUSPICIOUS * error,
    }


def spaces(scorer, pixels):
    """Return the spaces in which neighbours are searched: pixels and features.

    Inception's features are left out: those of a training set take hours on a CPU.

    Args:
        scorer: scorer.Scorer.
        pixels: uint8 (n, h, w, c), generated images.

    Returns:
        dict, name of a space -> generated images as float (n, d), and a function of
        `datasets.Images` that returns `rows_of` for `nearest` and the images' indices of
        its rows.
    """

    def flat(pixels):  # distance = root mean square difference of grey levels
        rows = pixels.reshape(len(pixels), -1).astype("float32")
        return rows / np.float32(np.sqrt(rows.shape[1]))

    def by_pixels(images):
        return lambda rows: flat(images.pixels[rows]), np.arange(len(images.pixels))

    def by_features(images):
        features, _ = scorer.extract(images, slice(0, len(images.pixels)))
        return lambda rows: features[rows], shuffled(images)

    found = {"pixels": (flat(pixels), by_pixels)}
    if scorer.features.accuracy is not None:
        found["features"] = extract_all(scorer.features, pixels)[0], by_features
    return found


def memorisation(scorer, pixels):
    """Find the nearest training images of generated images, and count copies.

    Args:
        scorer: scorer.Scorer.
        pixels: uint8 (n, h, w, c), generated images; the first SAMPLES are used.

    Returns:
        found: dict, space -> dict of `nearer_to_training`; empty without held-out images.
        neighbours: dict, space -> distances float and training images' indices int, both
            (SHOWN, NEIGHBOURS).
    """
    pixels = pixels[: SHOWN if scorer.test is None else SAMPLES]
    found, neighbours = {}, {}
    n_train = len(scorer.train.pixels)
    for space, (samples, of) in spaces(scorer, pixels).items():
        rows_of, numbers = of(scorer.train)
        distances, rows = nearest(samples, n_train, rows_of, NEIGHBOURS)
        neighbours[space] = distances[:SHOWN], numbers[rows[:SHOWN]]
        if scorer.test is not None:
            n_test = len(scorer.test.pixels)
            others = nearest(samples, n_test, of(scorer.test)[0])
            first = [(d[:, 0], r[:, 0]) for d, r in ((distances, rows), others)]
            found[space] = nearer_to_training(*first, n_train, n_test)
    return found, neighbours


def warnings(found):
    """Return a warning for each space of `memorisation` in which images are copies."""
    return [
        f"MEMORIZED TRAINING IMAGES: in {space}, {f['share']:.1%} are nearer to one "
        f"than to any held-out image, by chance {f['by_chance']:.1%}: about "
        f"{f['copies']:.0%} (+- {f['error']:.0%}) are copies"
        for space, f in found.items()
        if f["flagged"]
    ]


def save_picture(path, scorer, pixels, neighbours, low=0):
    """Save a grid of generated images, each with its nearest training images.

    Args:
        path: PNG to write.
        scorer, pixels, neighbours: arguments and result of `memorisation`.
        low: see `plotting.save_grid`.
    """
    from common.plotting import save_captioned_grid

    shown, captions = [], []
    for i, sample in enumerate(pixels[:SHOWN]):
        shown.append(sample)
        captions.append("generated")
        for space, (distances, rows) in neighbours.items():
            shown += list(scorer.train.pixels[rows[i]])
            captions += [f"{space} {distance:.3g}" for distance in distances[i]]
    shares = np.stack(shown) / 255
    columns = 1 + NEIGHBOURS * len(neighbours)
    save_captioned_grid(low + (1 - low) * shares, captions, path, columns, low)
