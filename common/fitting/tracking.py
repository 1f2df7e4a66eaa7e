"""Experiment trackers: TensorBoard, and Comet with `--track`."""

import time
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import psutil

from common.basics.errors import UserError
from common.fitting import comet
from common.fitting.diagnostics import (
    load_of,
    mean_norm_of_gradients,
    optimizers_of,
    outputs_of_d,
)
from common.fitting.distributed import devices_of
from common.options.table import OPTIONS
from common.runs.layout import (
    COMET,
    LOSSES,
    PLOT,
    TENSORBOARD,
    epoch_of,
    files_of_epochs,
)
from common.runs.record import read_options

SCORE = "score/"  # prefix of scores in logs and in TensorBoard
N_IN_HISTOGRAM = 200  # real images, and generated ones, for D's outputs


@contextmanager
def tracked(run, dataset, seed, track="none"):
    """Yield the trackers of training; close them at the end, also after an error.

    Args:
        run: Path of the run folder.
        dataset, seed: see `training.train`.
        track: "none", "comet" or "comet-offline".

    Raises:
        UserError: see `comet.start`.
    """
    trackers = [Comet(run, track)] if track != "none" else []
    if keras.backend.backend() == "tensorflow":
        trackers.append(Board(run, dataset, seed))
    try:
        yield trackers
    finally:
        for tracker in trackers:
            tracker.close()


def log_scores(run, epoch, scores):
    """Add scores to a run's timeline and to its row in TensorBoard's HPARAMS.

    This is for a run that is not in training: during training, the logs have the scores.
    With another backend than TensorFlow, nothing is written.

    Args:
        run: Path of the run folder.
        epoch: number of finished epochs that they belong to.
        scores: dict of numbers; "fid" is shown as "score/fid".
    """
    if keras.backend.backend() != "tensorflow":
        return
    writer = open_writer(run)
    with writer.as_default(epoch):
        write_scalars({f"{SCORE}{name}": value for name, value in scores.items()})
    writer.close()


def open_writer(run):
    """Return a writer of a new TensorBoard event file in the run folder."""
    import tensorflow as tf

    return tf.summary.create_file_writer(str(Path(run) / TENSORBOARD))


def write_scalars(values):
    """Write a dict of numbers with the default writer."""
    import tensorflow as tf

    for tag, value in values.items():
        tf.summary.scalar(tag, value)


def settings_of(run):
    """Return the options of a run and the name of its data: dict of bool, number and str.

    It is empty if there is no `options.json`.
    """
    try:
        record = read_options(run)
    except UserError:
        return {}
    options = {**record["options"], "data": record["data"]["name"]}
    return {
        name: value if isinstance(value, bool | int | float) else str(value)
        for name, value in {"script": record["script"], **options}.items()
        if value is not None and not (name in OPTIONS and OPTIONS[name].local)
    }


class Tracker(keras.callbacks.Callback):
    """Base class: a callback that logs each new image grid, and that must be closed."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.past = set(self.grids())  # from before the run was resumed

    def grids(self):
        return files_of_epochs(self.run, PLOT)

    def log_new_grids(self):
        """Call `log_grid` for each grid that was saved since the last call."""
        for path in self.grids():
            if path not in self.past:
                self.log_grid(path, epoch_of(path))
                self.past.add(path)


class Board(Tracker):
    """Write the TensorBoard event file of training; one step in it is one epoch.

    It runs after the callback that saves grids. It changes no weight and uses no random
    generator of the training.

    Args:
        run: Path of the run folder.
        dataset, seed: see `training.train`.
    """

    def __init__(self, run, dataset, seed=0):
        super().__init__(run)
        self.dataset, self.seed = dataset, seed
        self.writer = open_writer(run)
        self.process = psutil.Process()

    def on_train_begin(self, logs=None):
        from tensorboard.plugins.hparams import api

        single = devices_of(self.model) == 1  # else no device has the whole gradient
        optimizers = optimizers_of(self.model).items() if single else ()
        self.norms = {side: mean_norm_of_gradients(o) for side, o in optimizers}
        with self.writer.as_default(0):
            trial = "/".join(self.run.absolute().parts[-2:])  # "mnist_gan/0001"
            api.hparams(settings_of(self.run), trial_id=trial)
        self.process.cpu_percent()  # the first call starts the measurement

    def on_epoch_begin(self, epoch, logs=None):
        for norm in self.norms.values():
            norm.reset_state()
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.pace = (batch + 1) / (time.perf_counter() - self.started)  # steps per second

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        values = {name_in_board(name): logs[name] for name in logs}
        for side, optimizer in optimizers_of(self.model).items():
            values[f"learning_rate/{side}"] = optimizer.learning_rate.numpy()
        for side, norm in self.norms.items():
            values[f"gradient_norm/{side}"] = norm.result()
        values["machine/steps_per_second"] = self.pace
        with self.writer.as_default(epoch + 1):
            write_scalars(values | load_of(self.process))
            n = min(N_IN_HISTOGRAM, 10 * self.params["steps"])  # few in a dry run
            d_outputs = outputs_of_d(self.model, self.dataset, n, self.seed)
            for kind, outputs in d_outputs.items():
                tf.summary.histogram(f"output_of_d/{kind}", outputs)
        self.log_new_grids()
        self.writer.flush()

    def log_grid(self, path, epoch):
        import tensorflow as tf
        from PIL import Image

        with Image.open(path) as picture, self.writer.as_default(epoch):
            tf.summary.image("grid", np.asarray(picture.convert("RGB"))[np.newaxis])

    def close(self):
        self.log_new_grids()
        self.writer.close()


def name_in_board(name):
    """Return the TensorBoard tag of a log; charts are grouped by the part before /."""
    if name.startswith(SCORE):
        return name
    return f"loss/{name}" if name in LOSSES else f"output/{name}"


class Comet(Tracker):
    """Log training to Comet; one step there is one epoch.

    Args:
        run: Path of the run folder.
        track: "comet" or "comet-offline", which writes an archive to upload in `comet/`.

    Raises:
        UserError: see `comet.start`.
    """

    def __init__(self, run, track):
        super().__init__(run)
        self.track, self.experiment = track, comet.start(run, track)
        self.experiment.log_parameters(settings_of(run))

    def on_epoch_end(self, epoch, logs=None):
        self.experiment.log_metrics(logs, step=epoch + 1, epoch=epoch + 1)
        self.log_new_grids()

    def log_grid(self, path, epoch):
        self.experiment.log_image(str(path), name="generated_plot", step=epoch)

    def close(self):
        self.log_new_grids()
        self.experiment.end()
        if self.track == "comet":
            print(f"on Comet: {self.experiment.url}")
        else:
            print(f"to upload it to Comet: comet upload {self.run / COMET}/*/*.zip")
