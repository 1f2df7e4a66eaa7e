"""Detect memorization: generated images that are copies of training images.

The distance of a generated image to its nearest neighbour in the training set is compared
with the distance to its nearest held-out image, as in Meehan et al. (2020).
"""

import numpy as np

from common.scores.features import extract_all
from common.scores.scorer import shuffled

N_SAMPLES = 2000  # generated images whose neighbours are searched
N_SHOWN, N_NEIGHBOURS = 8, 3  # rows of the picture, neighbours of a row per space
SEARCH_BATCH = 5000  # rows of a set that are searched at a time
MAX_ERRORS = 4  # standard errors


def nearest(queries, n_rows, rows_of, k=1):
    """Return the k nearest neighbours in a set that is loaded in batches.

    Args:
        queries: float (q, d).
        n_rows: number of rows to search, at least k.
        rows_of: function, slice -> float (m, d), these rows of the set.
        k: number of neighbours.

    Returns:
        Euclidean distances float (q, k), ascending, and row indices int (q, k).
    """
    from sklearn.neighbors import NearestNeighbors

    batches = []
    for start in range(0, n_rows, SEARCH_BATCH):
        rows = rows_of(slice(start, min(start + SEARCH_BATCH, n_rows)))
        search = NearestNeighbors(n_neighbors=min(k, len(rows)), algorithm="brute")
        distances, indices = search.fit(rows).kneighbors(queries)
        batches.append((distances, indices + start))
    distances, indices = map(np.hstack, zip(*batches, strict=True))
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return tuple(np.take_along_axis(x, order, axis=1) for x in (distances, indices))


def estimate_copies(to_training, to_held_out, n_training, n_held_out):
    """Estimate the share of copies of training images among generated images.

    Without memorization, the nearest image of both sets is a training image with
    probability p = n_training / (n_training + n_held_out), whatever the quality of G. For
    a copy the probability is 1. So (share - p) / (1 - p) estimates the share of copies.
    Generated images with the same nearest neighbour count as one Bernoulli trial: after
    mode collapse, all of them can be near a training image by chance.

    Args:
        to_training, to_held_out: tuples of distances (n,) to the nearest image of the set
            and row indices of these, int (n,).
        n_training, n_held_out: number of images in each set.

    Returns:
        dict: `share`, of the images that are nearer to a training image; `by_chance`, p;
        `copies`, the estimated share of copies; `error`, its standard error; `flagged`,
        whether `copies` exceeds MAX_ERRORS standard errors.
    """
    is_training = to_training[0] < to_held_out[0]
    p = n_training / (n_training + n_held_out)
    share = float(np.mean(is_training))
    copies = (share - p) / (1 - p)
    neighbours = np.where(is_training, to_training[1], n_training + to_held_out[1])
    weights = np.bincount(neighbours) / len(neighbours)  # of each trial
    error = float(np.sqrt(p / (1 - p) * np.sum(weights**2)))
    return {
        "share": share,
        "by_chance": p,
        "copies": copies,
        "error": error,
        "flagged": copies > MAX_ERRORS * error,
    }


def flatten(pixels):
    """Return uint8 (n, h, w, c) as float32 (n, d), so that distances are RMS errors."""
    rows = pixels.reshape(len(pixels), -1).astype("float32")
    return rows / np.float32(np.sqrt(rows.shape[1]))


def nearest_images(scorer, images, space, queries, k=1):
    """Return the nearest neighbours of generated images among real images.

    Args:
        scorer: scorer.Scorer.
        images: datasets.Images to search.
        space: "pixels" or "features".
        queries: float (q, d), generated images in this space.
        k: number of neighbours.

    Returns:
        distances float (q, k), ascending, and indices of images, int (q, k).
    """
    n = len(images.pixels)
    if space == "pixels":
        return nearest(queries, n, lambda rows: flatten(images.pixels[rows]), k)
    features, _ = scorer.extract(images, slice(0, n))
    distances, rows = nearest(queries, n, lambda rows: features[rows], k)
    return distances, shuffled(images)[rows]


def detect_memorization(scorer, pixels):
    """Find the nearest training images of generated images, and estimate copies.

    Args:
        scorer: scorer.Scorer.
        pixels: uint8 (n, h, w, c), generated images; the first N_SAMPLES are used.

    Returns:
        copies: dict, space -> dict of `estimate_copies`; empty without held-out images.
        neighbours: dict, space -> distances float and training images' indices int, both
            (N_SHOWN, N_NEIGHBOURS).
    """
    pixels = pixels[: N_SHOWN if scorer.test is None else N_SAMPLES]
    queries, copies, neighbours = {"pixels": flatten(pixels)}, {}, {}
    # Inception has no accuracy here: its features of a training set take hours on a CPU.
    if scorer.features.accuracy is not None:
        queries["features"] = extract_all(scorer.features, pixels)[0]
    for space, rows in queries.items():
        training = nearest_images(scorer, scorer.train, space, rows, N_NEIGHBOURS)
        neighbours[space] = [x[:N_SHOWN] for x in training]
        if scorer.test is not None:
            held_out = nearest_images(scorer, scorer.test, space, rows)
            first = [[x[:, 0] for x in found] for found in (training, held_out)]
            sizes = len(scorer.train.pixels), len(scorer.test.pixels)
            copies[space] = estimate_copies(*first, *sizes)
    return copies, neighbours


def warnings(copies):
    """Return a warning for each space in which `detect_memorization` found copies."""
    return [
        f"MEMORIZED TRAINING IMAGES: in {space}, {x['share']:.1%} of the generated "
        f"images are nearer to a training image than to any held-out image, by chance "
        f"{x['by_chance']:.1%}: about {x['copies']:.0%} (+- {x['error']:.0%}) are copies"
        for space, x in copies.items()
        if x["flagged"]
    ]


def save_picture(path, scorer, pixels, neighbours, low=0):
    """Save a grid of generated images, each with its nearest training images.

    Args:
        path: PNG to write.
        scorer, pixels, neighbours: see `detect_memorization`.
        low: see `plotting.save_grid`.
    """
    from common.plotting import save_captioned_grid

    shown, captions = [], []
    for i, image in enumerate(pixels[:N_SHOWN]):
        shown.append(image)
        captions.append("generated")
        for space, (distances, indices) in neighbours.items():
            shown += list(scorer.train.pixels[indices[i]])
            captions += [f"{space} {distance:.3g}" for distance in distances[i]]
    images = low + (1 - low) * (np.stack(shown) / 255)
    columns = 1 + N_NEIGHBOURS * len(neighbours)
    save_captioned_grid(images, captions, path, columns, low)
