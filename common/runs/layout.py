"""Define the layout of a run folder: names of its files, and columns of its tables."""

from pathlib import Path

FORMAT = 2  # of `options.json` and of the state; runs of other formats cannot be resumed
OPTIONS = "options.json"
HISTORY, TIMES, EVENTS = "history.csv", "times.csv", "events.csv"
METRICS = "metrics.jsonl"  # a line of JSON for each scored generator
STATE, STATE_BEFORE = "state.npz", "state_before.npz"
CURVES, VIDEO = "loss_curves.png", "training.gif"
SCORES = "scores.png"
TENSORBOARD, COMET = "tensorboard", "comet"  # folders

LOSSES = {  # column of HISTORY -> label and colour of its curve
    "d_loss": ("D's loss", "tab:blue"),
    "d1": ("D's loss on real images", "tab:blue"),
    "d2": ("D's loss on fake images", "tab:cyan"),
    "g_loss": ("G's loss", "tab:orange"),
}
OUTPUTS = {
    "acc_real": ("real images classified as real", "tab:blue"),
    "acc_fake": ("fake images classified as fake", "tab:orange"),
    "acc_adv": ("G's new images classified as real", "tab:green"),
    "score_real": ("D's score of real images", "tab:blue"),
    "score_fake": ("D's score of fake images", "tab:orange"),
    "score_adv": ("D's score of G's new images", "tab:green"),
    "energy_real": ("energy of real images", "tab:blue"),
    "energy_fake": ("energy of fake images", "tab:orange"),
    "k": ("k, the weight of fakes", "tab:red"),
    "convergence": ("convergence measure", "tab:green"),
}
COLUMNS = (*LOSSES, *OUTPUTS)  # of HISTORY, besides epoch and step
HEADS = {
    TIMES: ["epoch", "seconds", "ended"],
    EVENTS: ["epoch", "what", "value", "action"],
}
TEXTS = ("what", "ended", "action")  # columns of texts; all others are numeric
# A file of an epoch is `run / GENERATOR.format(epoch)`.
GENERATOR, DISCRIMINATOR = "generator_model_{:03d}.h5", "discriminator_model_{:03d}.h5"
PLOT = "generated_plot_e{:03d}.png"
NEAREST = "nearest_{}.png"  # formatted with an epoch, "e008", or a model's name


def files_of_epochs(run, pattern):
    """Return the files in a folder that match a pattern such as PLOT, sorted by epoch."""
    found = Path(run).glob(pattern.replace("{:03d}", "*"))
    return sorted((path for path in found if epoch_of(path) is not None), key=epoch_of)


def epoch_of(path):
    """Return the epoch in the name `generator_model_010.h5` or `x_e010.png`, or None."""
    digits = Path(path).stem.rpartition("_")[2].removeprefix("e")
    return int(digits) if digits.isdecimal() else None
