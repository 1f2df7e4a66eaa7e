"""Log training to experiment trackers: TensorBoard, and Comet with `--track`."""

import time
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import psutil

from common.basics.errors import UserError
from common.fitting import comet, diagnostics
from common.fitting.distributed import n_devices
from common.options.table import OPTIONS
from common.runs import layout
from common.runs.record import read_options

SCORE = "score/"  # prefix of scores in logs and in TensorBoard
N_IMAGES = 200  # real images, and as many generated ones, of D's output histograms


@contextmanager
def tracked(run, dataset, seed, track="none"):
    """Yield the trackers of training, and close them at the end, also after an error.

    Args:
        run: Path of the run folder.
        dataset, seed: see `training.train`.
        track: "none", "comet" or "comet-offline".

    Yields:
        list of Tracker.

    Raises:
        UserError: see `comet.start`.
    """
    trackers = [CometTracker(run, track)] if track != "none" else []
    if keras.backend.backend() == "tensorflow":
        trackers.append(TensorBoardTracker(run, dataset, seed))
    try:
        yield trackers
    finally:
        for tracker in trackers:
            tracker.close()


def log_scores(run, epoch, scores):
    """Write scores of a finished run to TensorBoard; during training, the logs have them.

    They are shown as scalars and in the run's row of HPARAMS. With another backend than
    TensorFlow, nothing is written.

    Args:
        run: Path of the run folder.
        epoch: number of finished epochs of the scored generator.
        scores: dict of numbers; "fd" is shown as "score/fd".
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

    return tf.summary.create_file_writer(str(Path(run) / layout.TENSORBOARD))


def write_scalars(values):
    """Write a dict, tag -> number, with TensorBoard's default writer."""
    import tensorflow as tf

    for tag, value in values.items():
        tf.summary.scalar(tag, value)


def settings_of(run):
    """Return the hyperparameters of a run: its script, its options and its data's name.

    Args:
        run: Path of the run folder.

    Returns:
        dict, name -> bool, number or str; empty if there is no readable `options.json`.
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
    """Base class: a callback that logs each new image grid, and that must be closed.

    Args:
        run: Path of the run folder.
    """

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.logged = set(self.grids())  # saved before the run was resumed

    def grids(self):
        return layout.files_of_epochs(self.run, layout.PLOT)

    def log_new_grids(self):
        """Call `log_grid` for each grid that was saved since the last call."""
        for path in self.grids():
            if path not in self.logged:
                self.log_grid(path, layout.epoch_of(path))
                self.logged.add(path)


class TensorBoardTracker(Tracker):
    """Write the TensorBoard event file of training; a step in TensorBoard is an epoch.

    It must run after the callback that saves grids. It changes no weight and uses no
    random generator of the training.

    Args:
        run: Path of the run folder.
        dataset, seed: see `training.train`.
    """

    def __init__(self, run, dataset, seed=0):
        super().__init__(run)
        self.dataset, self.seed = dataset, seed
        self.writer, self.norms = open_writer(run), None
        self.process = psutil.Process()

    def on_train_begin(self, logs=None):
        from tensorboard.plugins.hparams import api

        single = n_devices(self.model) == 1  # else no device has the whole gradient
        optimizers = diagnostics.optimizers_of(self.model).items() if single else ()
        norm_of = diagnostics.mean_norm_of_gradients
        if self.norms is None:  # else a restart: the step is compiled already
            self.norms = {name: norm_of(optimizer) for name, optimizer in optimizers}
        with self.writer.as_default(0):
            trial = "/".join(self.run.absolute().parts[-2:])  # "mnist_gan/0001"
            api.hparams(settings_of(self.run), trial_id=trial)
        self.process.cpu_percent()  # the first call starts the measurement

    def on_epoch_begin(self, epoch, logs=None):
        for norm in self.norms.values():
            norm.reset_state()
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.steps_per_second = (batch + 1) / (time.perf_counter() - self.started)

    def on_epoch_end(self, epoch, logs=None):
        import tensorflow as tf

        values = {tag_of(name): value for name, value in logs.items()}
        for name, optimizer in diagnostics.optimizers_of(self.model).items():
            values[f"learning_rate/{name}"] = optimizer.learning_rate.numpy()
        for name, norm in self.norms.items():
            values[f"gradient_norm/{name}"] = norm.result()
        values["machine/steps_per_second"] = self.steps_per_second
        with self.writer.as_default(epoch + 1):
            write_scalars(values | diagnostics.machine_load(self.process))
            n = min(N_IMAGES, 10 * self.params["steps"])  # few in a dry run
            d_outputs = diagnostics.outputs_of_d(self.model, self.dataset, n, self.seed)
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


def tag_of(name):
    """Return the TensorBoard tag of a log; it groups charts by the part before /."""
    if name.startswith(SCORE):
        return name
    return f"loss/{name}" if name in layout.LOSSES else f"output/{name}"


class CometTracker(Tracker):
    """Log training to Comet; a step on Comet is an epoch.

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
            print(
                f"to upload it to Comet: comet upload {self.run / layout.COMET}/*/*.zip"
            )
