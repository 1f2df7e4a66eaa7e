"""Does a generator make images, or does it hand out those that it was trained on?

Meehan et al. (2020) ask how near generated images are to the training set, and how near
images are that G cannot have seen.
"""

import numpy as np

from common.scores.features import extract_all
from common.scores.scorer import shuffled

SAMPLES = 2000  # whose neighbours are looked up
SHOWN, NEIGHBOURS = 8, 3  # rows of the picture, and columns of each space
AT_A_TIME = 5000  # rows that are searched at once
SUSPICIOUS = 4  # standard errors


def nearest(queries, n_rows, rows_of, k=1):
    """The k nearest of many rows, which need not stand in memory together.

    Args:
        queries: float (q, d).
        n_rows: number of rows to search, at least k.
        rows_of: function, slice -> float (m, d), those rows.
        k: number of neighbours.

    Returns:
        Euclidean distances float (q, k), ascending, and numbers of rows int (q, k).
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
    """Are samples nearer to the training images than to those that G cannot have seen?

    If G has learned what images have in common, and none by heart, it does not matter to
    its samples which images were held out: the nearest of all is a training image with
    the probability p = n_training / (n_training + n_held_out), however good or bad G is.
    If G hands out training images, it always is. So (share - p) / (1 - p) estimates the
    share of copies. Samples with the same nearest image are one throw of that coin: where
    all of G's images are alike, chance alone can put them near a training image.

    Args:
        to_training, to_held_out: distances (n,) to the nearest image of each set, and the
            rows of these, int (n,).
        n_training, n_held_out: number of images in each set.

    Returns:
        dict: `share` of samples that are nearer to a training image, `by_chance` p,
        `copies` as estimated, its standard error `error`, and `flagged`, whether chance
        cannot explain it.
    """
    is_training = to_training[0] < to_held_out[0]
    p = n_training / (n_training + n_held_out)
    share = float(np.mean(is_training))
    copies = (share - p) / (1 - p)
    which = np.where(is_training, to_training[1], n_training + to_held_out[1])
    weights = np.bincount(which) / len(which)  # of each throw
    error = float(np.sqrt(p / (1 - p) * np.sum(weights**2)))
    return {
        "share": share,
        "by_chance": p,
        "copies": copies,
        "error": error,
        "flagged": copies > SUSPICIOUS * error,
    }


def spaces(scorer, pixels):
    """The two spaces in which neighbours are looked up.

    Returns:
        dict, name of a space -> samples float (n, d), and a function, `datasets.Images`
        -> a function for `nearest` and the row numbers of what it gives. Features of
        Inception are left out: those of a whole training set take hours on a CPU.
    """

    def flat(pixels):  # a distance is then the root mean square of the grey levels'
        rows = pixels.reshape(len(pixels), -1).astype("float32")
        return rows / np.float32(np.sqrt(rows.shape[1]))

    def by_pixels(images):
        return lambda rows: flat(images.pixels[rows]), np.arange(len(images.pixels))

    def by_features(images):
        seen, _ = scorer.look(images, slice(0, len(images.pixels)))
        return lambda rows: seen[rows], shuffled(images)

    found = {"pixels": (flat(pixels), by_pixels)}
    if scorer.features.accuracy is not None:
        found["features"] = extract_all(scorer.features, pixels)[0], by_features
    return found


def memorisation(scorer, pixels):
    """Look up the training images that are most like generated ones.

    Args:
        judge: scorer.Scorer.
        pixels: uint8 (n, h, w, c) of a generator, at most SAMPLES are looked at.

    Returns:
        found: dict, space -> what `nearer_to_training` tells; empty without held-out
            images, with which copies are counted.
        neighbours: dict, space -> distances and row numbers (SHOWN, NEIGHBOURS).
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
            pairs = [(d[:, 0], r[:, 0]) for d, r in ((distances, rows), others)]
            found[space] = nearer_to_training(*pairs, n_train, n_test)
    return found, neighbours


def warnings(found):
    """A sentence for each space of `memorisation` in which images are copies."""
    return [
        f"IT HANDS OUT TRAINING IMAGES: in {space}, {f['share']:.1%} are nearer to one "
        f"than to any held-out image, by chance {f['by_chance']:.1%}: about "
        f"{f['copies']:.0%} (+- {f['error']:.0%}) are copies"
        for space, f in found.items()
        if f["flagged"]
    ]


def save_picture(path, scorer, pixels, neighbours, low=0):
    """Save generated images, each with the training images nearest to it.

    Args:
        path: PNG to write.
        scorer, pixels, neighbours: see `memorisation`.
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
