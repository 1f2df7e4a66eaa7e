"""Detect mode collapse and divergence of training, and apply `--on-collapse`."""

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

# Bounds of an epoch's mean losses, as multiples of D's loss at equilibrium. In 70 runs
# of all objectives without a failure, D's loss was at least 0.07 and G's at most 6 (once
# 10). In failed runs, D's loss was at most 0.01 and G's up to 18. Label smoothing, label
# noise and an auxiliary classifier raise D's loss: then only G's loss shows a failure.
MIN_D_LOSS, MAX_G_LOSS = 0.02, 15
# After 150 steps, diversity was at least 0.16; it was 0.01 with mode collapse.
MIN_DIVERSITY, MIN_CLASS_COVERAGE = 0.1, 0.5
WARM_UP = 500  # steps with a check for NaN only: an untrained G returns one grey image
N_IMAGES, MAX_RESTARTS = 64, 3
WEAKEN_D = "a lower --d-learning-rate, --label-smoothing 0.1, or another --objective"
TEXTS = {
    "nan": "{value} in losses or weights, training cannot continue. What usually helps: "
    "a lower --learning-rate, or --precision float32",
    "d_loss": "D's loss fell to {value:.2g} ({equilibrium_loss:.2g} at equilibrium): "
    "D classifies all images correctly. What usually helps: "
    f"{WEAKEN_D}; --augment for few images",
    "g_loss": "G's loss diverged to {value:.3g} ({equilibrium_loss:.2g} at equilibrium): "
    f"D classifies all generated images as fake. What usually helps: {WEAKEN_D}",
    "mode_collapse": "mode collapse, generated images are nearly identical: their mean "
    "distance is {value:.1%} of that of real images. What usually helps: a lower "
    "--g-learning-rate, --normalization batch, a larger --batch-size, or another "
    "--objective",
    "classes": "D finds only {value:.0%} of the classes in generated images. What "
    "usually helps: more images of each class, or --condition hadamard",
}


def find_failures(logs, equilibrium_loss=None, diversity=None, class_coverage=None):
    """Return the failures of an epoch.

    Args:
        logs: dict of means: `g_loss`, `d_loss` or `d1` and `d2`, and any other numbers.
        equilibrium_loss: D's loss if real and fake images are indistinguishable. With
            None, the losses are checked for NaN only.
        diversity: mean pairwise distance of generated images (within a class if G is
            class-conditional), divided by that of real images; None: not checked.
        class_coverage: share of the classes, in [0, 1], that D's auxiliary classifier
            finds in generated images; None: not checked.

    Returns:
        dict, key of TEXTS -> the value that is out of bounds.
    """
    found = {}
    if not_finite := [value for value in logs.values() if not math.isfinite(value)]:
        found["nan"] = not_finite[0]
    elif equilibrium_loss is not None:
        d_loss = np.mean([logs[name] for name in ("d_loss", "d1", "d2") if name in logs])
        if d_loss < MIN_D_LOSS * equilibrium_loss:
            found["d_loss"] = d_loss
        if logs["g_loss"] > MAX_G_LOSS * equilibrium_loss:
            found["g_loss"] = logs["g_loss"]
    if diversity is not None and diversity < MIN_DIVERSITY:
        found["mode_collapse"] = diversity
    if class_coverage is not None and class_coverage < MIN_CLASS_COVERAGE:
        found["classes"] = class_coverage
    return found


def mean_pairwise_distance(images):
    """Return the mean Euclidean distance between n > 1 images, (n, ...): float."""
    return float(pdist(np.reshape(images, (len(images), -1))).mean())


def count_classes(d_model, images):
    """Return how many classes D's auxiliary classifier finds in images.

    Args:
        d_model: discriminator; with `--condition classify` it has such a classifier.
        images: float32 (n, h, w, c).

    Returns:
        int; None if D has no auxiliary classifier.
    """
    layers = {layer.name: layer for layer in d_model.layers}
    if "guess" not in layers:
        return None
    logits = layers["guess"](layers["features"].predict(images, verbose=0))
    return len(np.unique(keras.ops.convert_to_numpy(logits).argmax(1)))


def reseed(gan, seed):
    """Seed each random generator of a GAN with a number derived from `seed`."""
    rng = np.random.default_rng(seed)
    for state in random_states(gan):
        state.assign(np.array([rng.integers(2**31), 0], state.dtype))


class CollapseDetector(keras.callbacks.Callback):
    """Detect failures of a GAN after each epoch; print and write them to `events.csv`.

    It runs before the callbacks that save, so that a failed epoch does not overwrite the
    saved state. A check changes no weight and uses no random generator of the training.

    "warn" reports a failure once, and again only after recovery. "stop" and "restart"
    load the saved state of the last epoch without a failure, and set new random seeds;
    then training ends or continues. The failed epoch is counted: its rows stay in
    `history.csv`, and the next epoch has the next number and the next real images. A
    stopped run can be resumed.

    G's current weights are checked, because their EMA changes epochs later.

    Args:
        run: Path of the run folder, where the state is.
        dataset: real images, as of `training.train`.
        on_collapse: "warn", "stop", or "restart", which stops after MAX_RESTARTS.
        seed: int, seed of the sampled images and of the new random seeds.
    """

    def __init__(self, run, dataset, on_collapse="warn", seed=0):
        super().__init__()
        self.run, self.path, self.dataset = run, run / EVENTS, dataset
        self.on_collapse, self.seed = on_collapse, seed

    def on_train_begin(self, logs=None):
        rows = list(csv.DictReader(whole_lines(self.path)))  # of a resumed run
        last_actions = {row["what"]: row["action"] for row in rows}
        self.warned = {what for what, action in last_actions.items() if action == "warn"}
        self.restarts = len({r["epoch"] for r in rows if r["action"] == "restart"})

    def on_epoch_end(self, epoch, logs=None):
        n_epochs, found = epoch + 1, self.check(epoch + 1, logs)
        if self.on_collapse == "warn":
            names = set(found)
            names |= self.warned if "nan" in names else set()  # no recovery with NaN
            new = {what: found[what] for what in found if what not in self.warned}
            self.report(n_epochs, new, "warn")
            recovered = dict.fromkeys(sorted(self.warned - names), math.nan)
            self.report(n_epochs, recovered, "recovered")
            self.warned = names
        elif found:
            self.restore(n_epochs, found)

    def check(self, n_epochs, logs):
        """Return the failures after `n_epochs` finished epochs, see `find_failures`."""
        g_model = self.model.g_model
        weights = [*g_model.weights, *self.model.d_model.weights]
        logs = {**logs, "weights": sum(np.abs(w.numpy()).max() for w in weights)}
        if n_epochs * self.params["steps"] < WARM_UP:
            return find_failures(logs)
        rng = np.random.default_rng(self.seed)  # the same images and z every time
        real = self.dataset[(rng.random(N_IMAGES) * len(self.dataset)).astype(int)]
        n_labels = min(n_classes(g_model), N_IMAGES // 2) if takes_labels(g_model) else 1
        z = generate_latent_points(g_model.inputs[0].shape[-1], N_IMAGES, rng)
        images = generate_images(g_model, z, np.arange(N_IMAGES) % n_labels)
        distances = [mean_pairwise_distance(images[k::n_labels]) for k in range(n_labels)]
        diversity = np.mean(distances) / max(mean_pairwise_distance(real), 1e-9)
        n_found = count_classes(self.model.d_model, images)
        coverage = n_found and n_found / n_labels
        return find_failures(logs, self.model.equilibrium_loss, diversity, coverage)

    def restore(self, n_epochs, found):
        """Load the saved state, set new seeds, and stop unless training restarts."""
        restarts = self.on_collapse == "restart" and self.restarts < MAX_RESTARTS
        self.report(n_epochs, found, "restart" if restarts else "stop")
        self.restarts += restarts
        self.model.stop_training = not restarts
        load_state(self.model, self.run)
        reseed(self.model, [self.seed, n_epochs])
        print("restored the state of the last epoch without a failure, with new seeds")

    def report(self, n_epochs, found, action):
        """Print failures, or the names of those that are gone, and write their rows."""
        for what, value in found.items():
            text, loss = what, self.model.equilibrium_loss
            if action != "recovered":
                text = TEXTS[what].format(value=value, equilibrium_loss=loss)
            print(f"after epoch {n_epochs}, {action}: {text}")
            row = [n_epochs, what, f"{value:.4g}", action]
            append_row(self.path, HEADS[EVENTS], row)
