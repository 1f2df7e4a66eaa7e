"""Record what the collapse detector sees in a training.

    python tests/fitting/record_checks.py mnist tests/fitting/records/mnist_seed2.csv \\
        --seed 2 --epochs 3

The first argument is a dataset folder (mnist, cifar10, celeba), those after the CSV file
are options of its `train.py`. Every 10 steps a row is written: mean losses of these
steps, diversity of 64 generated images, D's largest output for them. `test_records.py`
replays such files.
"""

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


from common.fitting import callbacks
from common.fitting.callbacks import append_row
from common.fitting.diagnostics import outputs_of
from common.sampling import inputs_of

EVERY = 10  # steps


class Recorder(callbacks.keras.callbacks.Callback):
    """Write a row of a CSV file every 10 steps; `detector` generates the images."""

    def __init__(self, detector, path):
        super().__init__()
        self.detector, self.path = detector, Path(path)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.last_step, self.sums = epoch, 0, {}

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if step % EVERY and step != self.params["steps"]:
            return
        images, diversity = self.detector.generate()
        inputs = inputs_of(self.model.d_model, images, self.detector.labels)
        largest = outputs_of(self.model.d_model, inputs).max()
        names = [name for name in ("d_loss", "d1", "d2", "g_loss") if name in logs]
        sums = {name: float(logs[name]) * step for name in names}
        n = step - self.last_step
        means = [(sums[name] - self.sums.get(name, 0)) / n for name in names]
        self.last_step, self.sums = step, sums
        heads = ["epoch", "step", *names, "diversity", "largest_output"]
        numbers = [f"{x:.4g}" for x in (*means, diversity, largest)]
        append_row(self.path, heads, [self.epoch + 1, step, *numbers])


def main(folder, path, *arguments):
    run_callbacks = callbacks.run_callbacks

    def with_recorder(gan, run, settings, summarize, detector, trackers):
        parts = run_callbacks(gan, run, settings, summarize, detector, trackers)
        return [*parts, Recorder(detector, path)]

    callbacks.run_callbacks = with_recorder
    import_module(f"{folder}_gan.train").main([*arguments, "--on-collapse", "warn"])


if __name__ == "__main__":
    main(*sys.argv[1:])
