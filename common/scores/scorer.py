"""How good are generated images? One protocol for every score.

A Scorer knows n real images, drawn once and for all, and how a network sees them. Images
are rounded to bytes before they are looked at, as a file would hold them.
"""

from functools import cache, cached_property

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.basics.files import atomic_write
from common.data.datasets import keras_cache
from common.scores import metrics
from common.scores.features import classifier_features, extract_all

PART = 1000  # images drawn at a time


class Scorer:
    """Scores of images against those of a data set.

    Args:
        train, test: datasets.Images; test may be None.
        features: features.Features.
        n: number of real images, and of generated ones; at most as many as there are, as
            scores of unequal numbers do not compare.
        split: "train" or, if there is one, "test", where the real images are drawn from.
    """

    def __init__(self, train, test, features, n=10_000, split="train"):
        self.train, self.test, self.features = train, test, features
        self.images, self.split = test if split == "test" else train, split
        self.n = min(n, len(self.images.pixels))
        self.other = train if split == "test" else test
        self.print_once = cache(print)

    @cached_property
    def real(self):
        """What is seen in the real images, see `look`."""
        return self.look(self.images, slice(0, self.n))

    @cached_property
    def real_radii(self):
        return metrics.radii(self.real[0])

    def look(self, images, rows):
        """What is seen in these rows of an image set, in an order of `shuffled`; cached.

        Returns:
            features float64 (n, d), probabilities float32 (n, classes) or None.
        """
        parts = (images.name, images.describe()["fingerprint"], rows.start, rows.stop)
        name = "-".join(map(str, (*parts, self.features.digest)))
        path = keras_cache().parent / "features" / f"{name}.npz"
        known = read_arrays(path)
        if known is None:
            picks = shuffled(images)[rows]
            text = f"looking at {len(picks)} images of {images.name}, once ..."
            print(text, flush=True)
            seen, probabilities = extract_all(self.features, images.pixels, picks)
            known = {"seen": seen.astype("float32")}  # as the network made them
            if probabilities is not None:
                known["probabilities"] = probabilities
            write_arrays(path, known)
        return known["seen"].astype("float64"), known.get("probabilities")

    @cached_property
    def floor(self):
        """Scores of real images against other real ones: better cannot be asked for.

        Held-out images where there are enough, else two halves of the same set, which may
        be fewer than n.

        Returns:
            dict: `what`, a text that says what was compared, and `scores`.
        """
        n = self.n
        if self.other is not None and len(self.other.pixels) >= n:
            real, other = self.real, self.look(self.other, slice(0, n))
            text = "train against test" if self.split == "test" else "test against train"
        else:
            n = min(n, len(self.images.pixels) // 2)
            real = self.look(self.images, slice(0, n))
            other = self.look(self.images, slice(n, 2 * n))
            text = f"two parts of {self.split}"
        return {"what": f"{text}, n = {n}", "scores": self.compare(real, other)}

    def ceiling(self, g_model, seed=0):
        """Scores of the same generator before it has learned anything.

        Args:
            g_model: generator; its weights are not touched.
        """
        import keras

        keras.utils.set_random_seed(seed)
        untrained = keras.models.clone_model(g_model)
        return self.score(*self.draw(untrained, seed))

    def draw(self, g_model, seed):
        """Images of a generator, of classes as frequent as among the real images.

        Returns:
            pixels uint8 (n, h, w, c); labels int (n,), or None where G takes none.

        Raises:
            UserError: the images have values that are no numbers.
        """
        rng = np.random.default_rng(seed)
        latent_dim = g_model.inputs[0].shape[-1]
        points = sampling.generate_latent_points(latent_dim, self.n, rng)
        labels = None
        if sampling.takes_labels(g_model):
            real = np.ravel(self.images.labels)[shuffled(self.images)[: self.n]]
            labels = rng.permutation(real)
        low, high = sampling.image_range(g_model)
        parts = []
        for start in range(0, self.n, PART):
            rows = slice(start, start + PART)
            asked = None if labels is None else labels[rows]
            images = sampling.generate_images(g_model, points[rows], asked)
            if not np.isfinite(images).all():
                raise UserError("this generator makes values that are no numbers")
            parts.append(to_bytes((images - low) / (high - low)))
        return np.concatenate(parts), labels

    def score(self, pixels, asked=None):
        """Scores of images, uint8 (n, h, w, c).

        Args:
            asked: int (n,), the classes that they are to show, if there are any.

        Returns:
            dict: `fid` (None where it is refused), `kid` and its `kid_error`,
            `precision`, `recall`, `density`, `coverage`, see `metrics.py`; of features
            with classes also `inception_score` of all images, `inception_score_split`
            and `.._std`, mean and deviation of ten parts, and what
            `metrics.class_histogram` tells; with `asked` also `agreement`, the share of
            images that the classifier reads as asked.
        """
        seen = extract_all(self.features, pixels)
        found = self.compare(self.real, seen)
        known = self.features.classes
        if asked is not None and known and known == tuple(self.train.classes):
            found["agreement"] = float(np.mean(seen[1].argmax(1) == asked))
        return found

    def compare(self, real, made):
        """Scores of what was seen in images, against what was seen in real ones."""
        (known, _), (seen, probabilities) = real, made
        found = {"fid": None}
        try:
            found["fid"] = metrics.frechet_distance(known, seen)
        except UserError as refusal:
            self.print_once(str(refusal))
        rng = np.random.default_rng(0)
        found["kid"], found["kid_error"] = metrics.kernel_distance(known, seen, rng)
        radii = self.real_radii if real is self.real else None
        found |= metrics.neighbours(known, seen, radii)
        if probabilities is not None:
            found["inception_score"] = metrics.inception_score(probabilities)
            split = metrics.split_inception_score(probabilities)
            found["inception_score_split"], found["inception_score_split_std"] = split
            found |= metrics.class_histogram(probabilities)
        return found

    def protocol(self):
        """What must be told beside every score."""
        return {
            "data": self.images.name,
            "fingerprint": self.images.describe()["fingerprint"],
            "split": self.split,
            "n": self.n,
            "n_real": self.n,
            "features": self.features.name,
            "features_hash": self.features.digest,
            "accuracy": self.features.accuracy,
            "resize": self.features.resize,
            "quantisation": "uint8",
        }


def classifier_scorer(train, test, n=10_000):
    """A Scorer that sees images as the small classifier of this data set does."""
    return Scorer(train, test, classifier_features(train, test), n)


def summarize(rows):
    """Mean and standard deviation (of a single scoring) of dicts of scores.

    Returns:
        dict, name -> {"mean": ..., "std": ...}; None where a score was refused, std None
        of a single scoring.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: mean_and_std(values) for name, values in columns.items()}


def mean_and_std(values):
    if None in values:
        return None
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": std}


def shuffled(images):
    """Row numbers of an image set in an order that is the same every time: int (n,)."""
    return np.random.default_rng(0).permutation(len(images.pixels))


def to_bytes(shares):
    """float (n, h, w, c) in [0, 1] -> uint8 in 0..255, rounded."""
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def read_arrays(path):
    """The dict of arrays in an .npz file; None where there is none, or a damaged one."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception:  # NumPy and zipfile raise a dozen kinds
        return None


def write_arrays(path, arrays):
    """Write a dict of arrays as a whole; a cache that cannot be written is no error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        print(f"not kept for the next time: {error}")
