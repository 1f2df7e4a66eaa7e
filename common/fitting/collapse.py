"""Detect mode collapse and divergence; warn, stop or restart: `--on-collapse`."""

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

# Means of an epoch, divided by the ideal loss of D: in 70 healthy runs of all objectives
# D's was 0.07 or more and G's at most 6 (once 10); in failed runs at most 0.01, and up to
# 18. (Label smoothing, label noise and an auxiliary classifier keep D's loss higher, so
# that only G's shows a failure.) Variety: 0.16 or more after 150 steps; if failed, 0.01.
WARM_UP = 500  # steps with a check for NaN only: an untrained G returns one grey image
MIN_D_LOSS, MAX_G_LOSS, MIN_VARIETY, MIN_CLASSES = 0.02, 15, 0.1, 0.5
N_IMAGES, MAX_RESTARTS = 64, 3
WEAKEN_D = "a lower --d-learning-rate, --label-smoothing 0.1, or another --objective"
TEXTS = {
    "nan": "{value} in losses or weights, training cannot continue. What usually helps: "
    "a lower --learning-rate, or --precision float32",
    "d_loss": "D's loss fell to {value:.2g} ({ideal:.2g} in equilibrium): D classifies "
    f"all images correctly. What usually helps: {WEAKEN_D}; --augment for few images",
    "g_loss": "G's loss diverged to {value:.3g} ({ideal:.2g} in equilibrium): D "
    f"classifies all generated images as fake. What usually helps: {WEAKEN_D}",
    "alike": "mode collapse, generated images are nearly identical ({value:.1%} of the "
    "distance of real ones). What usually helps: a lower --g-learning-rate, "
    "--normalization batch, a larger --batch-size, or another --objective",
    "classes": "D finds only {value:.0%} of the classes in generated images. What "
    "usually helps: more images of each class, or --condition hadamard",
}


def find_failures(logs, ideal=None, variety=None, seen=None):
    """Return the failures of an epoch.

    Args:
        logs: dict of means: `g_loss`, `d_loss` or `d1` and `d2`, and any other numbers.
        ideal: D's loss if real and fake images are indistinguishable; None: no loss is
            checked.
        variety: mean pairwise distance of generated images (within a class if G is
            class-conditional), divided by that of real images; or None.
        seen: share of the classes, in [0, 1], that D finds in generated images; or None.

    Returns:
        dict, key of TEXTS -> the value that is out of bounds.
    """
    found = {}
    if broken := [value for value in logs.values() if not math.isfinite(value)]:
        found["nan"] = broken[0]
    elif ideal is not None:
        d_loss = np.mean([logs[name] for name in ("d_loss", "d1", "d2") if name in logs])
        if d_loss < MIN_D_LOSS * ideal:
            found["d_loss"] = d_loss
        if logs["g_loss"] > MAX_G_LOSS * ideal:
            found["g_loss"] = logs["g_loss"]
    if variety is not None and variety < MIN_VARIETY:
        found["alike"] = variety
    if seen is not None and seen < MIN_CLASSES:
        found["classes"] = seen
    return found


def mean_pairwise_distance(images):
    """Return the mean Euclidean distance of pairs of images (n, ...), n > 1: float."""
    return float(pdist(np.reshape(images, (len(images), -1))).mean())


def count_classes(d_model, images):
    """Return how many classes the auxiliary classifier of D finds in images.

    Args:
        d_model: D, of `--condition classify` or other.
        images: float32 (n, h, w, c).

    Returns:
        int; None if D has no auxiliary classifier.
    """
    parts = {layer.name: layer for layer in d_model.layers}
    if "guess" not in parts:
        return None
    guesses = parts["guess"](parts["features"].predict(images, verbose=0))
    guesses = keras.ops.convert_to_numpy(guesses)
    return len(np.unique(guesses.argmax(1)))


def reseed(gan, seed):
    """Reset each random generator of a GAN to a new seed, derived from `seed`."""
    rng = np.random.default_rng(seed)
    for state in random_states(gan):
        state.assign(np.array([rng.integers(2**31), 0], state.dtype))


class CollapseDetector(keras.callbacks.Callback):
    """Detect failures of a GAN after each epoch; print and write them to `events.csv`.

    It runs before the callbacks that save, so that no healthy state is overwritten. It
    changes no weight and uses no random generator of the training.

    "warn" reports each failure once, until it is gone. "stop" and "restart" restore the
    last healthy state with new random seeds; then training ends or continues. The failed
    epoch is counted: its rows stay in `history.csv`, and the next epoch has the next
    number and the next real images. A stopped run can be resumed.

    The last weights of G are checked: their EMA lags by epochs.

    Args:
        run: Path of the run folder, where the state is.
        dataset: real images, as of `training.train`.
        on_collapse: "warn", "stop", or "restart", which stops after MAX_RESTARTS.
        seed: int, of the sampled images and of the new random seeds.
    """

    def __init__(self, run, dataset, on_collapse="warn", seed=0):
        super().__init__()
        self.run, self.path, self.dataset = run, run / EVENTS, dataset
        self.on_collapse, self.seed = on_collapse, seed

    def on_train_begin(self, logs=None):
        rows = list(csv.DictReader(whole_lines(self.path)))  # a resumed run's
        last = {row["what"]: row["action"] for row in rows}
        self.warned = {what for what, action in last.items() if action == "warn"}
        self.restarts = len({r["epoch"] for r in rows if r["action"] == "restart"})

    def on_epoch_end(self, epoch, logs=None):
        done, found = epoch + 1, self.check(epoch + 1, logs)
        if self.on_collapse == "warn":
            names = set(found)
            names |= self.warned if "nan" in names else set()  # no recovery with NaN
            new = {what: found[what] for what in found if what not in self.warned}
            self.report(done, new, "warn")
            gone = dict.fromkeys(sorted(self.warned - names), math.nan)
            self.report(done, gone, "recovered")
            self.warned = names
        elif found:
            self.restore(done, found)

    def check(self, done, logs):
        """Return the failures of epoch `done`, see `find_failures`."""
        g_model = self.model.g_model
        weights = [*g_model.weights, *self.model.d_model.weights]
        logs = {**logs, "weights": sum(np.abs(w.numpy()).max() for w in weights)}
        if done * self.params["steps"] < WARM_UP:
            return find_failures(logs)
        rng = np.random.default_rng(self.seed)  # the same images and z every time
        real = self.dataset[(rng.random(N_IMAGES) * len(self.dataset)).astype(int)]
        n_kinds = min(n_classes(g_model), N_IMAGES // 2) if takes_labels(g_model) else 1
        z = generate_latent_points(g_model.inputs[0].shape[-1], N_IMAGES, rng)
        images = generate_images(g_model, z, np.arange(N_IMAGES) % n_kinds)
        distances = [mean_pairwise_distance(images[k::n_kinds]) for k in range(n_kinds)]
        variety = np.mean(distances) / max(mean_pairwise_distance(real), 1e-9)
        seen = count_classes(self.model.d_model, images)
        return find_failures(logs, self.model.ideal, variety, seen and seen / n_kinds)

    def restore(self, done, found):
        again = self.on_collapse == "restart" and self.restarts < MAX_RESTARTS
        self.report(done, found, "restart" if again else "stop")
        self.restarts += again
        self.model.stop_training = not again
        load_state(self.model, self.run)
        reseed(self.model, [self.seed, done])
        print("restored the last healthy state, with new random seeds")

    def report(self, done, found, action):
        for what, value in found.items():
            text = what
            if action != "recovered":
                text = TEXTS[what].format(value=value, ideal=self.model.ideal)
            print(f"after epoch {done}, {action}: {text}")
            row = [done, what, f"{value:.4g}", action]
            append_row(self.path, HEADS[EVENTS], row)
