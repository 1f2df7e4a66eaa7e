"""The generator that is explored: what its file holds, and what its images are."""

from functools import cached_property

import numpy as np

from common import sampling
from common.basics.errors import UserError
from common.checkpoints import class_names, load_generator, origin_of
from common.scores.features import classifier_features, extract_all
from common.scores.references import check_shape, load_reference, reference_of
from common.scores.scorer import shuffled, to_bytes


class Subject:
    """A generator, drawn from and looked at; everything is told by its file.

    Args:
        path: of an .h5 or .keras file.
        data: name or path of its real images; if None, those that the file names.

    Raises:
        UserError: it is not a generator of images.
    """

    def __init__(self, path, data=None):
        self.path, self.data = path, data
        self.g_model, self.latent_dim, (self.low, _) = load_generator(path)  # checks it
        self.origin = origin_of(path)
        self.classes = ()
        if sampling.takes_labels(self.g_model):
            self.classes = class_names(path, sampling.n_classes(self.g_model))

    @property
    def trained_on(self):
        """The name of its images; an empty one where nobody says it."""
        return self.data or (self.origin["data"]["name"] if self.origin else "")

    @property
    def shape(self):
        """(h, w, c) of an image."""
        return self.g_model.output_shape[1:]

    def point(self, seed):
        """The point of a seed, float32 (latent_dim,): `generate.py`'s first one of it."""
        return self.latent_vectors(1, seed)[0]

    def latent_vectors(self, n, seed):
        """float32 (n, latent_dim), standard normal."""
        rng = np.random.default_rng(seed)
        return sampling.generate_latent_points(self.latent_dim, n, rng)

    def labels(self, n, label=None):
        """Classes for n images: this one, or all in turn; None where G draws none.

        Raises:
            UserError: there is no such class.
        """
        if not self.classes:
            if label is not None:
                raise UserError(
                    f"{self.path} was not trained with --conditional: it cannot be told "
                    "a class; leave out --label"
                )
            return None
        if label is None:
            return np.arange(n) % len(self.classes)
        return np.full(n, sampling.class_number("--label", label, self.classes))

    def one_class(self, n, label=None):
        """As `labels`, but of a single class; if None, the first."""
        return self.labels(n, label or next(iter(self.classes), None))

    def draw_class(self, points, label=None):
        """As `draw`, all of one class: see `one_class`."""
        return self.draw(points, self.one_class(len(points), label))

    def draw(self, points, labels=None):
        """Images of points (n, latent_dim): float32 (n, h, w, c) in [low, 1].

        Raises:
            UserError: see `checked`.
        """
        points = np.float32(points)
        return self.checked(sampling.generate_images(self.g_model, points, labels))

    def checked(self, made):
        """The same array of what G, or a part of it, made.

        Raises:
            UserError: it has values that are no numbers.
        """
        if not np.isfinite(made).all():
            raise UserError(f"{self.path} makes values that are no numbers")
        return made

    def to_bytes(self, images):
        """float (n, h, w, c) in [low, 1] -> uint8."""
        return to_bytes((images - self.low) / (1 - self.low))

    def flat(self, images):
        """Images as rows of grey levels in [0, 1]: float32 (n, h w c)."""
        shares = (images - self.low) / np.float32(1 - self.low)
        return np.clip(shares, 0, 1).reshape(len(images), -1)

    @cached_property
    def real(self):
        """The images that it was trained on, and those held out, which may be None.

        Raises:
            UserError: they are not named, not here, or others now.
        """
        if self.data is not None:
            train, test = load_reference(self.data, self.shape)
        elif self.origin is None:
            raise UserError(
                f"{self.path.name} does not say which images it was trained on: name "
                "them by --data"
            )
        else:
            train, test = reference_of(self.origin, self.path.name)
        check_shape(self.shape, train, self.path.name)
        return train, test

    def real_pixels(self, n, label=None):
        """At most n real images, of a class if one is named: uint8 (m, h, w, c).

        Raises:
            UserError: a class is named, and they have none.
        """
        train, _ = self.real
        rows = shuffled(train)
        if label is not None and train.labels is None:
            raise UserError(f"--label: {train.name} has no classes: leave it out")
        if label is not None:
            is_wanted = np.ravel(train.labels) == self.labels(1, label)[0]
            rows = rows[is_wanted[rows]]
        return train.pixels[rows[:n]]

    @cached_property
    def known(self):
        """As `real`; None, and told, where there are none."""
        try:
            return self.real
        except UserError as error:
            print(f"without real images, and so without a classifier: {error}")
            return None

    @property
    def classified_as(self):
        """Names of the classes that images can be read as; none where nobody knows."""
        return self.known[0].classes if self.known else ()

    @cached_property
    def _classifier(self):
        return classifier_features(*self.real)

    def look(self, images):
        """What `features.extract_all` tells of images: features, and probabilities."""
        return extract_all(self._classifier, self.to_bytes(images))

    def features(self, images):
        """What a classifier sees in images, float64 (n, d); needs real images."""
        return self.look(images)[0]

    def probabilities(self, images):
        """What they are read as, float32 (n, classes); None where nobody knows."""
        return self.look(images)[1] if self.classified_as else None

    def read(self, images):
        """The names of what they are read as, n strings; empty where nobody knows."""
        probabilities = self.probabilities(images)
        if probabilities is None:
            return [""] * len(images)
        return [self.classified_as[i] for i in probabilities.argmax(axis=1)]
