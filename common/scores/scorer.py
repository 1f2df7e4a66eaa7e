"""Compute scores of generated images against real images, by one protocol.

A Scorer holds the features of n real images, a fixed random subset. Generated images are
quantized to uint8 before features are extracted, as in image files.
"""

from functools import cache, cached_property

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.basics.files import atomic_write
from common.data.datasets import keras_cache
from common.scores import metrics
from common.scores.features import classifier_features, extract_all
from common.scores.table import name_scores

N = 10_000  # images per set
SAMPLE_BATCH = 1000  # images generated at a time


class Scorer:
    """Compute scores of images against a data set.

    Args:
        train, test: datasets.Images; test may be None.
        features: features.Features.
        n: number of real and of generated images, reduced to the size of the split; if
            None, N, reduced so that there are enough for `real_baseline`. Scores of
            different n are not comparable.
        split: split of the real images, "train" or, if test is given, "test".
    """

    def __init__(self, train, test, features, n=None, split="train"):
        self.train, self.test, self.features = train, test, features
        self.images, self.split = test if split == "test" else train, split
        self.other_split = train if split == "test" else test
        n_images = len(self.images.pixels)
        n_other = 0 if self.other_split is None else len(self.other_split.pixels)
        self.n = min(n or min(N, max(n_other, n_images // 2)), n_images)
        self.print_once = cache(print)  # prints each text once

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
        fingerprint = images.describe()["fingerprint"]
        name = f"{images.name}-{fingerprint}-{rows.start}-{rows.stop}"
        folder = keras_cache().parent / "features"
        path = folder / f"{name}-{self.features.digest}.npz"
        if cached := read_features(path):
            return cached
        picks = shuffled(images)[rows]
        text = f"extracting features of {len(picks)} images of {images.name} ..."
        print(text, flush=True)
        outputs = extract_all(self.features, images.pixels, picks)
        write_features(path, *outputs)
        return outputs

    @cached_property
    def real_baseline(self):
        """Return the scores of real images against real images.

        An ideal generator has these scores. The images are n of the other split or, if
        it has fewer, the next n of the same split.

        Returns:
            dict: `what`, a description, and `scores`, empty if there are too few images.
        """
        n = self.n
        if self.other_split is not None and len(self.other_split.pixels) >= n:
            other = self.extract(self.other_split, slice(0, n))
            text = "train against test" if self.split == "test" else "test against train"
        elif len(self.images.pixels) >= 2 * n:
            other = self.extract(self.images, slice(n, 2 * n))
            text = f"two parts of {self.split}"
        else:
            largest = len(self.images.pixels) // 2
            text = f"not scored, too few for two sets of {n:,}; -n {largest} is possible"
            return {"what": text, "scores": {}}
        return {"what": f"{text}, n = {n}", "scores": self.compare(self.real, other)}

    def untrained_baseline(self, g_model, seed=0):
        """Return the scores of a generator of the same architecture with random weights.

        Args:
            g_model: generator; its weights do not change.
            seed: int, of the random weights and of the latent vectors.
        """
        import keras

        keras.utils.set_random_seed(seed)
        untrained = keras.models.clone_model(g_model)
        return self.score(*self.sample(untrained, seed))

    def sample(self, g_model, seed):
        """Generate n images, with the class frequencies of the real images.

        Args:
            g_model: generator.
            seed: int or list of ints, of the latent vectors and the labels' order.

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
        batches = []
        for start in range(0, self.n, SAMPLE_BATCH):
            rows = slice(start, start + SAMPLE_BATCH)
            classes = None if labels is None else labels[rows]
            images = sampling.generate_images(g_model, z[rows], classes)
            if not np.isfinite(images).all():
                raise UserError("the generator outputs values that are NaN or infinite")
            batches.append(to_bytes((images - low) / (high - low)))
        return np.concatenate(batches), labels

    def score(self, pixels, labels=None):
        """Return the scores of images.

        Args:
            pixels: uint8 (n, h, w, c).
            labels: int (n,), input classes of a conditional generator, or None.

        Returns:
            dict: `fd` (None with fewer images than features), `kd`, `kd_error`,
            `precision`, `recall`, `density` and `coverage`. For features with classes
            also `classifier_score` of all images, `classifier_score_split` and
            `classifier_score_split_std`, mean and standard deviation of ten splits, and
            `metrics.class_histogram`. With `labels` also `agreement`, the class accuracy:
            the share of images that are classified as their label. With the features of
            Inception, the keys are `fid`, `kid` etc., see `table.name_scores`.
        """
        outputs = extract_all(self.features, pixels)
        scores = self.compare(self.real, outputs)
        classes = self.features.classes
        if labels is not None and classes and classes == tuple(self.train.classes):
            scores["agreement"] = float(np.mean(outputs[1].argmax(1) == labels))
        return scores

    def compare(self, real, fake):
        """Return the scores of fake images.

        Args:
            real, fake: features and probabilities of images, see `extract`.

        Returns:
            dict, see `score`, without `agreement`.
        """
        (real_features, _), (features, probabilities) = real, fake
        scores = {"fd": None}
        try:
            scores["fd"] = metrics.frechet_distance(real_features, features)
        except UserError as error:
            self.print_once(str(error))
        kd = metrics.kernel_distance(real_features, features, np.random.default_rng(0))
        scores["kd"], scores["kd_error"] = kd
        radii = self.real_radii if real is self.real else None
        scores |= metrics.precision_and_coverage(real_features, features, radii)
        if probabilities is not None:
            scores["classifier_score"] = metrics.classifier_score(probabilities)
            split = metrics.split_classifier_score(probabilities)
            scores["classifier_score_split"], scores["classifier_score_split_std"] = split
            scores |= metrics.class_histogram(probabilities)
        return name_scores(scores, self.features.name)

    def protocol(self):
        """Return all settings that scores depend on, a dict for `metrics.jsonl`."""
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


def classifier_scorer(train, test, n=None):
    """Return a Scorer with the features of the small classifier of this data set."""
    return Scorer(train, test, classifier_features(train, test), n)


def shuffled(images):
    """Return a reproducible permutation of the rows of datasets.Images: int (n,)."""
    return np.random.default_rng(0).permutation(len(images.pixels))


def to_bytes(shares):
    """Quantize float (n, h, w, c) in [0, 1] to uint8 in 0..255, clipped and rounded."""
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def read_features(path):
    """Return cached features and probabilities; None if missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            features = archive["features"].astype("float64")
            return features, archive.get("probabilities")
    except Exception:  # NumPy and zipfile raise many types
        return None


def write_features(path, features, probabilities):
    """Cache features and probabilities; if this fails, print the error.

    Args:
        path: Path of an .npz file, written atomically.
        features: float64 (n, d), stored as float32, the precision of the network.
        probabilities: float32 (n, classes) or None.
    """
    arrays = {"features": features.astype("float32")}
    if probabilities is not None:
        arrays["probabilities"] = probabilities
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part, part.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        print(f"features are not cached: {error}")
