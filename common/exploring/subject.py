"""Load a generator, its real images, and a classifier of these images."""

from functools import cached_property

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.checkpoints import class_names, load_generator, origin_of
from common.scores.features import classifier_features, extract_all
from common.scores.references import check_shape, load_reference, reference_of
from common.scores.scorer import shuffled, to_bytes


class Subject:
    """A generator to explore, with its real images and their classifier.

    Args:
        path: path of an .h5 or .keras file.
        data: name or path of its real images; if None, those that the file records.
        value_range: of its images, see `load_generator`.

    Raises:
        UserError: the file is not a generator of images.
    """

    def __init__(self, path, data=None, value_range=None):
        self.path, self.data = path, data
        loaded = load_generator(path, value_range)
        self.g_model, self.latent_dim, (self.low, self.file_high) = loaded
        self.origin = origin_of(path)
        self.classes = ()  # empty if G is unconditional
        if sampling.takes_labels(self.g_model):
            self.classes = class_names(path, sampling.n_classes(self.g_model))

    @property
    def dataset_name(self):
        """The name of the real images, or "" if it is unknown."""
        return self.data or (self.origin["data"]["name"] if self.origin else "")

    @property
    def shape(self):
        """The shape (h, w, c) of an image."""
        return self.g_model.output_shape[1:]

    def latent_vector(self, seed):
        """Return the first latent vector of a seed: float32 (latent_dim,)."""
        return self.latent_vectors(1, seed)[0]

    def latent_vectors(self, n, seed):
        """Return n standard normal latent vectors: float32 (n, latent_dim).

        The same seed gives the same latent vectors as in `generate.py`.
        """
        rng = np.random.default_rng(seed)
        return sampling.generate_latent_points(self.latent_dim, n, rng)

    def labels(self, n, label=None):
        """Return classes for n images: int (n,), or None if G is unconditional.

        Args:
            n: number of images.
            label: name or index of the class; if None, all classes, repeated.

        Raises:
            UserError: the class does not exist.
        """
        if not self.classes:
            if label is not None:
                raise UserError(
                    f"class {label}: {self.path} was trained without --conditional, so "
                    "it takes no class; leave out --label"
                )
            return None
        if label is None:
            return np.arange(n) % len(self.classes)
        return np.full(n, sampling.class_number("--label", label, self.classes))

    def same_labels(self, n, label=None):
        """Return one class for all of n images, the first class if None; see `labels`."""
        return self.labels(n, label or next(iter(self.classes), None))

    def generate_class(self, vectors, label=None):
        """Generate images of a single class; see `generate` and `same_labels`."""
        return self.generate(vectors, self.same_labels(len(vectors), label))

    def generate(self, vectors, labels=None):
        """Generate images: float32 (n, h, w, c) in [low, 1].

        Args:
            vectors: float (n, latent_dim), latent vectors.
            labels: int (n,), if G is class-conditional.

        Raises:
            UserError: see `require_finite`.
        """
        images = sampling.generate_images(self.g_model, np.float32(vectors), labels)
        return self.require_finite(images)

    def require_finite(self, values):
        """Return an output of G, or of some of its layers, unchanged.

        Raises:
            UserError: a value is NaN or infinite.
        """
        if not np.isfinite(values).all():
            raise UserError(f"{self.path} outputs NaN or infinity: use another model")
        return values

    def to_bytes(self, images):
        """Return images in [low, 1] as uint8, of the same shape."""
        return to_bytes((images - self.low) / (1 - self.low))

    def from_bytes(self, pixels):
        """Return uint8 images as float32 in [low, 1], of the same shape."""
        return np.float32(self.low + pixels / np.float32(255) * (1 - self.low))

    def flatten(self, images):
        """Return images in [low, 1] as rows of pixels in [0, 1]: float32 (n, h w c)."""
        pixels = (images - self.low) / np.float32(1 - self.low)
        return np.clip(pixels, 0, 1).reshape(len(images), -1)

    @cached_property
    def real(self):
        """The training images and the held-out images, which may be None.

        Raises:
            UserError: they are unknown, not found, or not those of the training.
        """
        if self.data is not None:
            train, test = load_reference(self.data, self.shape)
        elif self.origin is None:
            raise UserError(
                f"{self.path.name} does not record its training images: set --data"
            )
        else:
            train, test = reference_of(self.origin, self.path.name)
        check_shape(self.shape, train, self.path.name)
        return train, test

    def real_pixels(self, n, label=None):
        """Return at most n training images: uint8 (m, h, w, c).

        Args:
            n: maximum number of images.
            label: name or index of their class; if None, of all classes.

        Raises:
            UserError: a class is named, but the images have no classes.
        """
        train, _ = self.real
        rows = shuffled(train)
        if label is not None and train.labels is None:
            raise UserError(f"--label {label}: {train.name} has no classes; leave it out")
        if label is not None:
            has_label = np.ravel(train.labels) == self.labels(1, label)
            rows = rows[has_label[rows]]
        return train.pixels[rows[:n]]

    @cached_property
    def real_or_none(self):
        """The value of `real`, or None with a printed note if it is not available."""
        try:
            return self.real
        except UserError as error:
            print(f"no real images, and therefore no classifier: {error}")
            return None

    @property
    def real_classes(self):
        """The class names of the real images, which the classifier predicts.

        Empty without real images or classes.
        """
        return self.real_or_none[0].classes if self.real_or_none else ()

    @cached_property
    def _classifier(self):
        return classifier_features(*self.real)

    def extract(self, images):
        """Return features and class probabilities: see `features.extract_all`."""
        return extract_all(self._classifier, self.to_bytes(images))

    def features(self, images):
        """Return the classifier's features: float64 (n, d); real images are required."""
        return self.extract(images)[0]

    def probabilities(self, images):
        """Return class probabilities: float32 (n, k), or None without a classifier."""
        return self.extract(images)[1] if self.real_classes else None

    def classify(self, images):
        """Return the names of n predicted classes; empty without a classifier."""
        probabilities = self.probabilities(images)
        if probabilities is None:
            return [""] * len(images)
        return [self.real_classes[i] for i in probabilities.argmax(axis=1)]
