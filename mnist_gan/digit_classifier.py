"""How good are generated digits? The answer of a small classifier of real ones.

    python mnist_gan/digit_classifier.py runs/mnist_gan/0001

trains the classifier on the training images (about a minute) and scores the last
generator of each run that is named, the training images (the floor), an untrained
generator and uniform noise (the ceiling). The numbers depend on this classifier: compare
them with each other, never with those of other projects.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common import cli
from common.devices import set_up

CONFIDENT = 0.9


class DigitClassifier:
    """A convolutional network of digits, and its 64 features before the last layer."""

    def __init__(self, train, epochs, seed=0):
        """Train on `datasets.Images` with labels."""
        import keras
        from keras import layers

        keras.utils.set_random_seed(seed)
        self.model = keras.Sequential(
            [
                layers.Input((28, 28, 1)),
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(64, activation="relu"),
                layers.Dropout(0.3),
                layers.Dense(10, activation="softmax"),
            ]
        )
        self.model.compile(
            "adam", "sparse_categorical_crossentropy", metrics=["accuracy"]
        )
        self.model.fit(
            train.pixels / np.float32(255), train.labels, 128, epochs, verbose=0
        )
        self.both = keras.Model(
            self.model.inputs, [self.model.layers[-3].output, self.model.outputs[0]]
        )

    def accuracy(self, test):
        """Share of `datasets.Images` that it reads right."""
        _, predicted = self.read(test.pixels / 255)
        return float(np.mean(predicted.argmax(1) == test.labels))

    def read(self, images):
        """Features float64 (n, 64) and probabilities (n, 10) of images in [0, 1].

        The images are rounded to the 256 grey levels that a file could hold.
        """
        quantised = np.round(images * 255).astype("float32") / 255
        features, predicted = self.both.predict(quantised, batch_size=500, verbose=0)
        return features.astype("float64"), predicted

    def score(self, images, real, labels=None):
        """Compare images in [0, 1] with real ones.

        Args:
            images, real: float (n, 28, 28, 1) in [0, 1].
            labels: int (n,), the digits that the images are to show, if there are any.

        Returns:
            dict: `distance`, Frechet's, of the features; `confident`, share of images
            read with a probability above 0.9; `classes`, share of each digit (10,);
            `agreement`, share of images read as their labels, with labels.
        """
        features, predicted = self.read(images)
        shares = np.bincount(predicted.argmax(1), minlength=10) / len(images)
        score = {
            "distance": frechet_distance(features, self.read(real)[0]),
            "confident": float(np.mean(predicted.max(1) > CONFIDENT)),
            "classes": shares,
        }
        if labels is not None:
            score["agreement"] = float(np.mean(predicted.argmax(1) == labels))
        return score


def frechet_distance(a, b):
    """Squared 2-Wasserstein distance of the Gaussians fitted to two feature sets.

    Heusel et al. (2017), eq. 6: |m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)). The trace
    of the root is the sum of the roots of the eigenvalues of C1 C2, which are real and
    not negative.
    """
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0))
    means = np.sum((a.mean(0) - b.mean(0)) ** 2)
    return float(means + np.trace(cov_a) + np.trace(cov_b) - 2 * roots.sum())


def train_and_test(data="auto"):
    """Train a classifier and say how well it reads.

    Returns:
        the DigitClassifier, and `datasets.Images` of training and of testing.
    """
    from common.datasets import load_images, show_notice

    train, test = load_images(data), load_images(data, "test")
    show_notice(train)
    judge = DigitClassifier(train, epochs=5 if len(train.pixels) > 10_000 else 60)
    accuracy = judge.accuracy(test)
    print(f"{train.name}: the classifier reads {accuracy:.2%} of the test set")
    return judge, train, test


def describe(score):
    """A score as a row of a table."""
    classes = score["classes"]
    asked = f"  as asked {score['agreement']:.1%}" if "agreement" in score else ""
    return (
        f"distance {score['distance']:6.1f}  confident {score['confident']:.0%}"
        f"  digits above 4 %: {np.sum(classes >= 0.04):2d}"
        f"  rarest {classes.min():.1%}  commonest {classes.max():.1%}{asked}"
    )


def last_generator(path):
    """The last generator of a run folder, or the one in this file, and its latent_dim."""
    from common.checkpoints import load_generator
    from common.plotting import by_epoch

    if path.is_dir():
        models = by_epoch(path.glob("generator_model_*.h5"))
        if not models:
            raise cli.UserError(
                f"{path} holds no generator_model_*.h5: name a run folder"
            )
        path = models[-1]
    return load_generator(path)[:2]


def draw(g_model, latent_dim, n, seed=1):
    """Images of a generator: float32 (n, 28, 28, 1) in [0, 1], and the digits asked for.

    These are int (n,), or None where it cannot be told any.
    """
    from common.checkpoints import image_range
    from common.sampling import generate_images, generate_latent_points, labels_in_turn

    points = generate_latent_points(latent_dim, n, np.random.default_rng(seed))
    labels = labels_in_turn(g_model, n)
    low, high = image_range(g_model)
    return (generate_images(g_model, points, labels) - low) / (high - low), labels


@cli.command
def main(argv=None, n=10_000):
    """Print a row of numbers for each run, after those to compare them with."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] RUN..."
    parser.add_argument("runs", nargs="*", type=Path, help="run folders or model files")
    options = parser.parse_args(argv)
    set_up()
    from mnist_gan.define_generator import define_generator

    generators = {str(path): last_generator(path) for path in options.runs}
    judge, train, test = train_and_test()
    real, rng = test.pixels / 255, np.random.default_rng(0)
    score = judge.score(train.pixels[:n] / 255, real)
    print(f"{'real training images':42}", describe(score))
    score = judge.score(rng.random((n, 28, 28, 1)), real)
    print(f"{'uniform noise':42}", describe(score))
    generators["untrained generator"] = define_generator(100), 100
    for name, (g_model, latent_dim) in generators.items():
        images, labels = draw(g_model, latent_dim, n)
        score = judge.score(images, real, labels)
        print(f"{name:42}", describe(score), flush=True)


if __name__ == "__main__":
    main()
