"""Detect mode collapse and divergence during training: `--on-collapse`."""

import csv
import math

import keras
import numpy as np
from scipy.spatial.distance import pdist

from common.fitting.callbacks import append_row
from common.fitting.diagnostics import outputs_of
from common.runs.layout import EVENTS, HEADS
from common.runs.state import Health
from common.runs.tables import whole_lines
from common.sampling import (
    generate_latent_points,
    inputs_of,
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
WARM_UP = 500  # steps in which D may win; no epoch that ends before can pass
CHECK_EVERY, MAX_FAILING_STEPS = 50, 200
FIRST_FAILURE = 300  # steps: G may generate identical images in the first 230
N_IMAGES, MAX_RESTARTS = 64, 5
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


class TrainingError(Exception):
    """A failure that ends `fit`.

    Attributes:
        epoch: the epoch in which it was found, from 1.
        found: dict, see `find_failures`.
        action: "restart" or "stop".
    """

    def __init__(self, epoch, found, action):
        super().__init__(f"in epoch {epoch}: {', '.join(found)}")
        self.epoch, self.found, self.action = epoch, found, action


class CollapseDetector(keras.callbacks.Callback):
    """Detect failures of a GAN during training; print and write them to `events.csv`.

    Every CHECK_EVERY steps, 64 generated images are checked, of the same latent vectors
    each time. A check fails if the images are nearly identical and D classifies all of
    them as fake. It is a failure if this lasts for MAX_FAILING_STEPS. After each epoch,
    its mean losses and the images are checked.

    "warn" reports a failure once, and again only after recovery. "stop" and "restart"
    raise TrainingError, before the callbacks that save: `restart.restart` has the rest.
    A check changes no weight and uses no random generator of the training. G's current
    weights are checked, because their EMA changes epochs later.

    Args:
        run: Path of the run folder.
        dataset: real images, as of `training.train`.
        on_collapse: "warn", "stop", or "restart", which stops after MAX_RESTARTS.
        seed: int, seed of the sampled images.
    """

    def __init__(self, run, dataset, on_collapse="warn", seed=0):
        super().__init__()
        self.path, self.dataset = run / EVENTS, dataset
        self.on_collapse, self.seed = on_collapse, seed

    def on_train_begin(self, logs=None):
        rows = list(csv.DictReader(whole_lines(self.path)))  # of a resumed run
        last_actions = {row["what"]: row["action"] for row in rows}
        self.warned = {what for what, action in last_actions.items() if action == "warn"}
        self.model.health = getattr(self.model, "health", Health())
        g_model, rng = self.model.g_model, np.random.default_rng(self.seed)
        real = self.dataset[(rng.random(N_IMAGES) * len(self.dataset)).astype(int)]
        self.real_distance = max(mean_pairwise_distance(real), 1e-9)
        self.n_labels = 1
        if takes_labels(g_model):
            self.n_labels = min(n_classes(g_model), N_IMAGES // 2)
        self.labels = np.arange(N_IMAGES) % self.n_labels
        self.z = generate_latent_points(g_model.inputs[0].shape[-1], N_IMAGES, rng)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        step = self.epoch * self.params["steps"] + batch + 1
        if step % CHECK_EVERY:
            return
        images, diversity = self.generate()
        failing = diversity < MIN_DIVERSITY and self.are_classified_as_fake(images)
        steps = self.model.health.failing_steps + CHECK_EVERY if failing else 0
        self.model.health = self.model.health._replace(failing_steps=steps)
        found = find_failures({name: float(logs[name]) for name in logs})
        if steps >= MAX_FAILING_STEPS and step >= FIRST_FAILURE:
            found["mode_collapse"] = diversity
        self.handle(found)

    def on_epoch_end(self, epoch, logs=None):
        g_model, d_model = self.model.g_model, self.model.d_model
        weights = [*g_model.weights, *d_model.weights]
        logs = {**logs, "weights": sum(np.abs(w.numpy()).max() for w in weights)}
        images, diversity = self.generate()
        n_found = count_classes(d_model, images)
        coverage = n_found and n_found / self.n_labels
        loss = self.model.equilibrium_loss
        found = find_failures(logs, loss, diversity, coverage)
        is_late = (epoch + 1) * self.params["steps"] >= WARM_UP
        passed = int(is_late and not found)
        self.model.health = self.model.health._replace(passed=passed)
        if not is_late:
            certain = {"nan"} | self.warned  # no recovery
            found = {what: found[what] for what in found if what in certain}
        self.handle(found, is_epoch_end=True)

    def generate(self):
        """Return 64 images, float32 (64, h, w, c), and their diversity, a float."""
        g_model, n = self.model.g_model, self.n_labels
        images = outputs_of(g_model, inputs_of(g_model, self.z, self.labels))
        distances = [mean_pairwise_distance(images[k::n]) for k in range(n)]
        return images, float(np.mean(distances) / self.real_distance)

    def are_classified_as_fake(self, images):
        """Return whether D classifies all images as fake; True if it has no threshold."""
        d_model, threshold = self.model.d_model, self.model.threshold
        if threshold is None:
            return True
        outputs = outputs_of(d_model, inputs_of(d_model, images, self.labels))
        return not (outputs > threshold).any()

    def handle(self, found, is_epoch_end=False):
        """Report failures; raise TrainingError unless they only cause warnings."""
        if found and self.on_collapse != "warn":
            can_restart = self.model.health.restarts < MAX_RESTARTS
            action = self.on_collapse if can_restart else "stop"
            self.print(found, action)
            raise TrainingError(self.epoch + 1, found, action)
        new = {what: found[what] for what in found if what not in self.warned}
        self.report(new, "warn")
        self.warned |= set(new)
        if is_epoch_end and "nan" not in self.warned:  # no recovery with NaN
            recovered = dict.fromkeys(sorted(self.warned - set(found)), math.nan)
            self.report(recovered, "recovered")
            self.warned -= set(recovered)

    def report(self, found, action):
        self.print(found, action)
        write_events(self.path, self.epoch + 1, found, action)

    def print(self, found, action):
        for what, value in found.items():
            text, loss = what, self.model.equilibrium_loss
            if action != "recovered":
                text = TEXTS[what].format(value=value, equilibrium_loss=loss)
            print(f"\nin epoch {self.epoch + 1}, {action}: {text}", flush=True)


def write_events(path, epoch, found, action):
    """Add a row for each failure to `events.csv`."""
    for what, value in found.items():
        append_row(path, HEADS[EVENTS], [epoch, what, f"{value:.4g}", action])
