"""Say what goes wrong in a training, and stop it or go back: `--on-collapse`."""

import csv
import math

import keras
import numpy as np
from scipy.spatial.distance import pdist

from common.fitting.callbacks import append_row
from common.runs.layout import EVENTS, HEADS
from common.runs.state import load_state, random_states
from common.runs.tables import whole_lines
from common.sampling import (
    generate_images,
    generate_latent_points,
    n_classes,
    takes_labels,
)

# Means of an epoch, as shares of the loss of a D that cannot tell: in 70 healthy runs of
# all objectives D's was 0.07 or more and G's at most 6 (once 10); in lost ones 0.01 and
# less, and up to 18. (Label smoothing and noise, and the loss of a D that names classes,
# keep D's above that: there G's loss tells.) Variety: 0.16 or more from step 150 on, in a
# lost run 0.01.
WARM_UP = 500  # steps in which only NaN counts: an untrained G draws one grey image
LEAST_D, MOST_G, LEAST_VARIETY, LEAST_CLASSES = 0.02, 15, 0.1, 0.5
N_IMAGES, MOST_RESTARTS = 64, 3
EASE_D = "a lower --d-learning-rate, --label-smoothing 0.1, or another --objective"
TEXTS = {
    "nan": "{value} in losses or weights, which no later step mends. What usually helps: "
    "a lower --learning-rate, or --precision float32",
    "d_loss": "D's loss fell to {value:.2g} ({ideal:.2g}: it cannot tell): D is so sure "
    f"that G learns nothing. What usually helps: {EASE_D}; --augment for few images",
    "g_loss": "G's loss ran away to {value:.3g} ({ideal:.2g}: D cannot tell): D knows "
    f"all its images. What usually helps: {EASE_D}",
    "alike": "G's images are nearly identical ({value:.1%} of the real ones' distance). "
    "What usually helps: a lower --g-learning-rate, --normalization batch, a larger "
    "--batch-size, or another --objective",
    "classes": "D names only {value:.0%} of the classes in G's images. What usually "
    "helps: more images of each class, or --condition hadamard",
}


def find_failures(logs, ideal=None, variety=None, seen=None):
    """What is wrong with an epoch: dict, key of TEXTS -> value of which it tells.

    Args:
        logs: dict of means: `g_loss`, `d_loss` or `d1` and `d2`, and any other numbers.
        ideal: D's loss when it cannot tell real from fake; None: the losses tell nothing.
        variety: distance of generated images, of one class where G is told it, as a share
            of that of real ones, or None.
        seen: share of the classes asked for that D names in generated images, or None.
    """
    found = {}
    if broken := [value for value in logs.values() if not math.isfinite(value)]:
        found["nan"] = broken[0]
    elif ideal is not None:
        d_loss = np.mean([logs[name] for name in ("d_loss", "d1", "d2") if name in logs])
        if d_loss < LEAST_D * ideal:
            found["d_loss"] = d_loss
        if logs["g_loss"] > MOST_G * ideal:
            found["g_loss"] = logs["g_loss"]
    if variety is not None and variety < LEAST_VARIETY:
        found["alike"] = variety
    if seen is not None and seen < LEAST_CLASSES:
        found["classes"] = seen
    return found


def mean_pairwise_distance(images):
    """Mean Euclidean distance between two of these images, (n, ...), n > 1 -> float."""
    return float(pdist(np.reshape(images, (len(images), -1))).mean())


def classes_seen(d_model, images):
    """Number of classes that a D of `--condition classify` names in images.

    None where D names no classes.
    """
    parts = {layer.name: layer for layer in d_model.layers}
    if "guess" not in parts:
        return None
    guesses = parts["guess"](parts["features"].predict(images, verbose=0))
    guesses = keras.ops.convert_to_numpy(guesses)
    return len(np.unique(guesses.argmax(1)))


def reseed(gan, seed):
    """Start each random generator of a GAN anew, from a number of its own."""
    rng = np.random.default_rng(seed)
    for state in random_states(gan):
        state.assign(np.array([rng.integers(2**31), 0], state.dtype))


class CollapseDetector(keras.callbacks.Callback):
    """Look at a GAN after each epoch; tell what went wrong, and add it to `events.csv`.

    It comes before the callbacks that save, so that no healthy state is overwritten.
    Looking changes no weight and draws from no random generator of the training.

    "warn" tells each symptom once, until it is gone. "stop" and "restart" go back to the
    last healthy state, with fresh random numbers; then training ends or goes on. The
    epoch counts all the same: its rows stay in `history.csv`, and the next one has the
    next number and the next real images. So a stopped run can be resumed, too.

    G is judged by its last weights: their running mean (EMA) is behind by epochs.

    Args:
        run: Path of the run folder, where the state is.
        dataset: real images, as of `training.train`.
        on_collapse: "warn", "stop", or "restart", which stops after MOST_RESTARTS.
        seed: whole number.
    """

    def __init__(self, run, dataset, on_collapse="warn", seed=0):
        super().__init__()
        self.run, self.path, self.dataset = run, run / EVENTS, dataset
        self.on_collapse, self.seed = on_collapse, seed

    def on_train_begin(self, logs=None):
        rows = list(csv.DictReader(whole_lines(self.path)))  # a resumed run's
        last = {row["what"]: row["action"] for row in rows}
        self.told = {what for what, action in last.items() if action == "warn"}
        self.restarts = len({r["epoch"] for r in rows if r["action"] == "restart"})

    def on_epoch_end(self, epoch, logs=None):
        done, found = epoch + 1, self.look(epoch + 1, logs)
        if self.on_collapse == "warn":
            names = set(found)
            names |= self.told if "nan" in names else set()  # nothing can be well then
            new = {what: found[what] for what in found if what not in self.told}
            self.tell(done, new, "warn")
            gone = dict.fromkeys(sorted(self.told - names), math.nan)
            self.tell(done, gone, "recovered")
            self.told = names
        elif found:
            self.go_back(done, found)

    def look(self, done, logs):
        """The find_failures in the last of so many epochs."""
        g_model = self.model.g_model
        weights = [*g_model.weights, *self.model.d_model.weights]
        logs = {**logs, "weights": sum(np.abs(w.numpy()).max() for w in weights)}
        if done * self.params["steps"] < WARM_UP:
            return find_failures(logs)
        rng = np.random.default_rng(self.seed)  # the same images and points every time
        real = self.dataset[(rng.random(N_IMAGES) * len(self.dataset)).astype(int)]
        n_kinds = min(n_classes(g_model), N_IMAGES // 2) if takes_labels(g_model) else 1
        points = generate_latent_points(g_model.inputs[0].shape[-1], N_IMAGES, rng)
        images = generate_images(g_model, points, np.arange(N_IMAGES) % n_kinds)
        made = [mean_pairwise_distance(images[k::n_kinds]) for k in range(n_kinds)]
        variety = np.mean(made) / max(mean_pairwise_distance(real), 1e-9)
        seen = classes_seen(self.model.d_model, images)
        return find_failures(logs, self.model.ideal, variety, seen and seen / n_kinds)

    def go_back(self, done, found):
        again = self.on_collapse == "restart" and self.restarts < MOST_RESTARTS
        self.tell(done, found, "restart" if again else "stop")
        self.restarts += again
        self.model.stop_training = not again
        load_state(self.model, self.run)
        reseed(self.model, [self.seed, done])
        print("back to the last healthy state, with fresh random numbers")

    def tell(self, done, found, action):
        for what, value in found.items():
            text = what
            if action != "recovered":
                text = TEXTS[what].format(value=value, ideal=self.model.ideal)
            print(f"after epoch {done}, {action}: {text}")
            row = [done, what, f"{value:.4g}", action]
            append_row(self.path, HEADS[EVENTS], row)
