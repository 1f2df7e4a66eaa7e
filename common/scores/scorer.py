"""Score generated images against real ones, by one protocol for all scores.

A Scorer holds the features of n real images, a fixed random subset. Images are rounded to
uint8 before features are extracted, as in image files.
"""

from functools import cache, cached_property

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.basics.files import atomic_write
from common.data.datasets import keras_cache
from common.scores import metrics
from common.scores.features import classifier_features, extract_all

PART = 1000  # images generated at a time


class Scorer:
    """Compute scores of images against a data set.

    Args:
        train, test: datasets.Images; test may be None.
        features: features.Features.
        n: number of real and of generated images, at most the size of the split: scores
            of different n are not comparable.
        split: "train" or, if test is given, "test": the source of the real images.
    """

    def __init__(self, train, test, features, n=10_000, split="train"):
        self.train, self.test, self.features = train, test, features
        self.images, self.split = test if split == "test" else train, split
        self.n = min(n, len(self.images.pixels))
        self.other = train if split == "test" else test
        self.print_once = cache(print)

    @cached_property
    def real(self):
        """Return features and probabilities of the n real images, see `extract`."""
        return self.extract(self.images, slice(0, self.n))

    @cached_property
    def real_radii(self):
        """Return `metrics.radii` of the real images."""
        return metrics.radii(self.real[0])

    def extract(self, images, rows):
        """Return features and probabilities of real images, cached in a file.

        Args:
            images: datasets.Images.
            rows: slice of the order `shuffled`.

        Returns:
            features float64 (n, d), probabilities float32 (n, classes) or None.
        """
        parts = (images.name, images.describe()["fingerprint"], rows.start, rows.stop)
        name = "-".join(map(str, (*parts, self.features.digest)))
        path = keras_cache().parent / "features" / f"{name}.npz"
        known = read_arrays(path)
        if known is None:
            picks = shuffled(images)[rows]
            text = f"extracting features of {len(picks)} images of {images.name} ..."
            print(text, flush=True)
            seen, probabilities = extract_all(self.features, images.pixels, picks)
            known = {"seen": seen.astype("float32")}  # the network's own precision
            if probabilities is not None:
                known["probabilities"] = probabilities
            write_arrays(path, known)
        return known["seen"].astype("float64"), known.get("probabilities")

    @cached_property
    def floor(self):
        """Return the scores of other real images, the best that a generator can reach.

        These are n held-out images or, if there are fewer, a second part of the same
        split; then both parts may have fewer than n.

        Returns:
            dict: `what`, a description, and `scores`.
        """
        n = self.n
        if self.other is not None and len(self.other.pixels) >= n:
            real, other = self.real, self.extract(self.other, slice(0, n))
            text = "train against test" if self.split == "test" else "test against train"
        else:
            n = min(n, len(self.images.pixels) // 2)
            real = self.extract(self.images, slice(0, n))
            other = self.extract(self.images, slice(n, 2 * n))
            text = f"two parts of {self.split}"
        return {"what": f"{text}, n = {n}", "scores": self.compare(real, other)}

    def ceiling(self, g_model, seed=0):
        """Return the scores of an untrained generator of the same architecture.

        Args:
            g_model: generator; its weights stay as they are.
            seed: int, of the weights and of the latent vectors.
        """
        import keras

        keras.utils.set_random_seed(seed)
        untrained = keras.models.clone_model(g_model)
        return self.score(*self.sample(untrained, seed))

    def sample(self, g_model, seed):
        """Generate n images, with the class frequencies of the real images.

        Returns:
            pixels uint8 (n, h, w, c); labels int (n,), or None if G is unconditional.

        Raises:
            UserError: the images have values that are not finite.
        """
        rng = np.random.default_rng(seed)
        latent_dim = g_model.inputs[0].shape[-1]
        z = sampling.generate_latent_points(latent_dim, self.n, rng)
        labels = None
        if sampling.takes_labels(g_model):
            real = np.ravel(self.images.labels)[shuffled(self.images)[: self.n]]
            labels = rng.permutation(real)
        low, high = sampling.image_range(g_model)
        parts = []
        for start in range(0, self.n, PART):
            rows = slice(start, start + PART)
            classes = None if labels is None else labels[rows]
            images = sampling.generate_images(g_model, z[rows], classes)
            if not np.isfinite(images).all():
                raise UserError("this generator makes values that are NaN or infinite")
            parts.append(to_bytes((images - low) / (high - low)))
        return np.concatenate(parts), labels

    def score(self, pixels, labels=None):
        """Return the scores of images.

        Args:
            pixels: uint8 (n, h, w, c).
            labels: int (n,), classes that a conditional G was given, or None.

        Returns:
            dict: `fid` (None with fewer images than features), `kid`, `kid_error`,
            `precision`, `recall`, `density` and `coverage`. For features with classes
            also `inception_score` of all images, `inception_score_split` and `.._std`,
            mean and standard deviation of ten splits, and `metrics.class_histogram`.
            With `labels` also `agreement`, the class accuracy: the share of images that
            are classified as their label.
        """
        seen = extract_all(self.features, pixels)
        found = self.compare(self.real, seen)
        known = self.features.classes
        if labels is not None and known and known == tuple(self.train.classes):
            found["agreement"] = float(np.mean(seen[1].argmax(1) == labels))
        return found

    def compare(self, real, made):
        """Return the scores of images; real and made are results of `extract`."""
        (known, _), (seen, probabilities) = real, made
        found = {"fid": None}
        try:
            found["fid"] = metrics.frechet_distance(known, seen)
        except UserError as error:
            self.print_once(str(error))
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
        """Return what scores depend on: dict of data, split, n, features, ..."""
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
    """Return a Scorer with the features of the small classifier of this data set."""
    return Scorer(train, test, classifier_features(train, test), n)


def summarize(rows):
    """Return mean and standard deviation over samplings of dicts of scores.

    Returns:
        dict, name -> {"mean": ..., "std": ...}, or None if a score is None; std is None
        for a single sampling.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {name: mean_and_std(values) for name, values in columns.items()}


def mean_and_std(values):
    if None in values:
        return None
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": std}


def shuffled(images):
    """Return a reproducible permutation of the rows of datasets.Images: int (n,)."""
    return np.random.default_rng(0).permutation(len(images.pixels))


def to_bytes(shares):
    """Convert float (n, h, w, c) in [0, 1] to uint8 in 0..255, clipped and rounded."""
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def read_arrays(path):
    """Return the dict of arrays of an .npz file; None if it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception:  # NumPy and zipfile raise many types
        return None


def write_arrays(path, arrays):
    """Write a dict of arrays atomically; print why if the cache cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        print(f"features are not cached: {error}")
