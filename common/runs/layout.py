"""What a run folder holds: the names of its files, and the columns of its tables."""

from pathlib import Path

FORMAT = 2  # of `options.json` and of the state; another one cannot be resumed
OPTIONS = "options.json"
HISTORY, TIMES, EVENTS = "history.csv", "times.csv", "events.csv"
METRICS = "metrics.jsonl"  # a line of JSON for each scored generator
STATE, STATE_BEFORE = "state.npz", "state_before.npz"
CURVES, VIDEO = "loss_curves.png", "training.gif"
SCORES = "scores.png"
TENSORBOARD, COMET = "tensorboard", "comet"  # folders

LOSSES = ("d_loss", "d1", "d2", "g_loss")
COLUMNS = (  # of HISTORY, besides epoch and step
    *LOSSES,
    *("acc_real", "acc_fake", "acc_adv"),
    *("score_real", "score_fake", "score_adv", "energy_real", "energy_fake"),
    *("k", "convergence"),
)
HEADS = {
    TIMES: ["epoch", "seconds", "ended"],
    EVENTS: ["epoch", "what", "value", "action"],
}
TEXTS = ("what", "ended", "action")  # columns that hold no numbers
# Of an epoch: the Path is `run / GENERATOR.format(epoch)`
GENERATOR, DISCRIMINATOR = "generator_model_{:03d}.h5", "discriminator_model_{:03d}.h5"
PLOT = "generated_plot_e{:03d}.png"


def files_of_epochs(run, pattern):
    """Return the files of a pattern, such as PLOT, in a folder, sorted by epoch."""
    found = Path(run).glob(pattern.replace("{:03d}", "*"))
    return sorted((path for path in found if epoch_of(path) is not None), key=epoch_of)


def epoch_of(path):
    """Return the epoch in a name like `generator_model_010.h5` or `.._e010.png`."""
    digits = Path(path).stem.rpartition("_")[2].removeprefix("e")
    return int(digits) if digits.isdecimal() else None
