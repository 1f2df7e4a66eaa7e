"""Say what goes wrong in a training, and stop it or go back: `--on-collapse`."""

import csv
import math
from typing import NamedTuple

import keras
import numpy as np

from common.callbacks import append_row
from common.checkpoints import load_state
from common.sampling import generate_images, generate_latent_points

# In 80 healthy runs of all objectives the means of an epoch were at least 0.3 (D's loss,
# rarely 0.07) and at most 6 (G's, once 10) times the loss of a D that cannot tell; in lost
# ones below 0.01 and above 15. After 150 steps G's images differed by 0.16 or more of what
# real ones do, later by 0.7 to 1.1.
WARM_UP = 500  # steps in which only NaN counts: an untrained G draws one grey image
LEAST_D, MOST_G, LEAST_VARIETY = 0.02, 15, 0.1
N_IMAGES, MOST_RESTARTS = 64, 3
EASE_D = "a lower --d-learning-rate, --label-smoothing 0.1, or another --objective"
TEXTS = {
    "nan": "{value} in losses or weights: no later step mends that. What usually helps: "
    "a lower --learning-rate, or --precision float32",
    "d_loss": "D's loss fell to {value:.2g} ({ideal:.2g}: D cannot tell): it is so sure "
    f"that G learns nothing. What usually helps: {EASE_D}; --augment for few images",
    "g_loss": "G's loss ran away to {value:.3g} ({ideal:.2g}: D cannot tell): D knows "
    f"every image of G. What usually helps: {EASE_D}",
    "alike": "G's images are nearly identical, they differ by {value:.1%} of what real "
    "ones do: mode collapse. What usually helps: a lower --g-learning-rate, "
    "--normalization batch, a larger --batch-size, or another --objective",
}


class Symptom(NamedTuple):
    """What went wrong: its name and number in events.csv, and a sentence."""

    what: str
    value: float
    text: str


def symptoms(logs, ideal=None, variety=None, weights_are_finite=True):
    """What is wrong with an epoch: a list of Symptom.

    Args:
        logs: dict, means of the epoch: `g_loss`, and `d_loss` or `d1` and `d2`.
        ideal: D's loss when it cannot tell real from fake; None: the losses tell nothing.
        variety: distance of generated images as a share of that of real ones, or None.
        weights_are_finite: whether all weights are numbers.
    """
    found = {}
    unusable = [value for value in logs.values() if not math.isfinite(value)]
    if unusable or not weights_are_finite:
        found["nan"] = (unusable or [math.nan])[0]
    elif ideal is not None:
        d_loss = np.mean([logs[name] for name in ("d_loss", "d1", "d2") if name in logs])
        if d_loss < LEAST_D * ideal:
            found["d_loss"] = d_loss
        if logs["g_loss"] > MOST_G * ideal:
            found["g_loss"] = logs["g_loss"]
    if variety is not None and variety < LEAST_VARIETY:
        found["alike"] = variety
    texts = {what: TEXTS[what].format(value=x, ideal=ideal) for what, x in found.items()}
    return [Symptom(what, found[what], texts[what]) for what in found]


def mean_pairwise_distance(images):
    """Mean Euclidean distance between two of these images, (n, ...), n > 1 -> float."""
    flat = np.reshape(images, (len(images), -1)).astype("float64")
    rows = [np.linalg.norm(flat[i + 1 :] - flat[i], axis=1) for i in range(len(flat) - 1)]
    return float(np.concatenate(rows).mean())


def reseed(gan, seed):
    """Start all random generators of a GAN anew, each from a number of its own."""
    rng = np.random.default_rng(seed)
    for variable in gan.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign(np.array([rng.integers(2**31), 0], variable.dtype))


class Guard(keras.callbacks.Callback):
    """Look at a GAN after each epoch; tell what went wrong, and add it to `events.csv`.

    It comes before the callbacks that save, so that nothing unhealthy is saved over what
    is healthy. Looking changes no weight and draws from no generator of the training.

    "warn" tells each symptom once, until it is gone. "stop" and "restart" go back to the
    last healthy state, with fresh random numbers; then training ends or goes on. The
    epoch counts all the same: its rows stay in `history.csv`, the next one has the next
    number and the next real images. So equal options give equal restarts, and a stopped
    run that is resumed does not repeat itself.

    G is judged by its last weights, not by their running mean, which lags behind: after
    the start it looks collapsed for longer, after a collapse healthy for longer.

    Args:
        run: Path of the run folder, where the state is.
        dataset: real images, as of `training.train`.
        on_collapse: "warn", "stop", or "restart", which stops after MOST_RESTARTS.
        seed: whole number.
    """

    def __init__(self, run, dataset, on_collapse="warn", seed=0):
        super().__init__()
        self.run, self.path, self.dataset = run, run / "events.csv", dataset
        self.on_collapse, self.seed = on_collapse, seed

    def on_train_begin(self, logs=None):
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        rows = list(csv.DictReader(lines))  # of the run that is resumed
        last = {row["what"]: row["action"] for row in rows}
        self.told = {what for what, action in last.items() if action == "warn"}
        self.restarts = len({r["epoch"] for r in rows if r["action"] == "restart"})

    def on_epoch_end(self, epoch, logs=None):
        done, found = epoch + 1, self.look(epoch + 1, logs)
        if self.on_collapse != "warn":
            if found:
                self.go_back(done, found)
            return
        names = {symptom.what for symptom in found}
        gone = [Symptom(name, math.nan, name) for name in sorted(self.told - names)]
        self.tell(done, [s for s in found if s.what not in self.told], "warn")
        self.tell(done, gone, "recovered")
        self.told = names

    def look(self, done, logs):
        """The symptoms in the last of so many epochs."""
        g_model, d_model = self.model.g_model, self.model.d_model
        weights = [*g_model.weights, *d_model.weights]
        are_finite = all(np.isfinite(weight.numpy()).all() for weight in weights)
        if not are_finite or done * self.params["steps"] < WARM_UP:
            return symptoms(logs, weights_are_finite=are_finite)
        rng = np.random.default_rng(self.seed)  # the same images and points every time
        real = self.dataset[(rng.random(N_IMAGES) * len(self.dataset)).astype(int)]
        points = generate_latent_points(g_model.inputs[0].shape[-1], N_IMAGES, rng)
        made = mean_pairwise_distance(generate_images(g_model, points))
        variety = made / max(mean_pairwise_distance(real), 1e-9)
        return symptoms(logs, self.model.ideal, variety)

    def go_back(self, done, found):
        again = self.on_collapse == "restart" and self.restarts < MOST_RESTARTS
        self.tell(done, found, "restart" if again else "stop")
        healthy = load_state(self.model, self.run)
        reseed(self.model, [self.seed, done])
        self.restarts += again
        self.model.stop_training = not again
        print(f"back to the weights after epoch {healthy}, with fresh random numbers")

    def tell(self, done, found, action):
        """Print symptoms, and add a row for each."""
        for what, value, text in found:
            print(f"after epoch {done}, {action}: {text}")
            row = [done, what, f"{value:.4g}", action]
            append_row(self.path, ["epoch", "what", "value", "action"], row)
