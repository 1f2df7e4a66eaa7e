"""Print how long the rest of a training takes, and when it ends.

Keras shows the time left of one epoch. tqdm's callback shows that of all epochs, but as a
bar, with the compilation of the first step in it.
"""

import time
from collections import deque
from datetime import datetime
from statistics import fmean

import keras

from common.options.training_options import PRESETS

N_COMPILING = 1  # first steps, which are not measured: TensorFlow compiles in them
N_FOR_NOTICE = 50  # steps before the notice of a long training
LONG = 30 * 60  # seconds of a training that gets the notice
N_RECENT = 1000  # steps in the mean, so that it follows the load of the machine


class Progress(keras.callbacks.Callback):
    """Print after each epoch the time left, and after 50 steps how long a training is.

    A step is expected to take the mean of the last N_RECENT steps; the end of an epoch,
    which saves and scores, the mean of those so far. This must be the last callback, so
    that it measures the others.

    Args:
        settings: training.Settings.
        clock: function, () -> seconds, whose differences are durations.
        now: function, () -> seconds since 1970, whose values are times of day.
    """

    def __init__(self, settings, clock=time.monotonic, now=time.time):
        super().__init__()
        self.settings, self.clock, self.now = settings, clock, now

    def on_train_begin(self, logs=None):
        self.n_steps, self.steps, self.ends = 0, deque(maxlen=N_RECENT), []
        self.last = self.clock()

    def on_epoch_begin(self, epoch, logs=None):
        if not self.ends:
            self.n_epochs = self.params["epochs"] - epoch  # fewer if the run is resumed

    def on_train_batch_end(self, batch, logs=None):
        self.n_steps += 1
        seconds = self.seconds_since_last()
        if self.n_steps > N_COMPILING:
            self.steps.append(seconds)
        if self.n_steps == N_FOR_NOTICE:
            self.print_notice(self.estimate(self.n_epochs))

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(self.seconds_since_last())
        n_epochs = self.params["epochs"] - (epoch + 1)
        if n_epochs and self.steps and not self.model.stop_training:
            seconds = self.estimate(n_epochs)
            end = clock_time(self.now(), seconds)
            left = f"{duration(seconds)} left, until about {end}"
            print(f"epoch {epoch + 1} of {self.params['epochs']}; {left}", flush=True)

    def print_notice(self, seconds):
        """Print that the training takes so many seconds, if these are many."""
        if seconds > LONG:
            line_end = "\n" * (self.params["verbose"] == 1)  # of Keras's bar
            is_part = self.n_epochs < self.params["epochs"]
            what = f"{self.n_epochs} epochs{' that are left' * is_part} take"
            what = "1 epoch takes" if self.n_epochs == 1 else what
            text = f"{what} {duration(seconds)}{faster(self.settings)}"
            print(f"{line_end}at this speed {text}", flush=True)

    def seconds_since_last(self):
        """Return the seconds since the last call, or since training began."""
        before, self.last = self.last, self.clock()
        return self.last - before

    def estimate(self, n_epochs):
        """Return the seconds that so many epochs take."""
        n_steps = n_epochs * self.params["steps"]
        return n_steps * fmean(self.steps) + n_epochs * fmean(self.ends or [0])


def duration(seconds):
    """Return a text such as "45 s", "12 min", "3 h 35 min" or "2 days 4 h"."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} day{'s' * (days > 1)} {hours} h"


def clock_time(start, seconds):
    """Return the local time of day so many seconds later, with the day if it is another.

    Args:
        start: seconds since 1970.
        seconds: duration.

    Returns:
        a text such as "17:40" or "04:10 on Sunday, 29 November".
    """
    begin, end = map(datetime.fromtimestamp, (start, start + seconds))
    day = "" if begin.date() == end.date() else f" on {end:%A}, {end.day} {end:%B}"
    return f"{end:%H:%M}{day}"


def faster(settings):
    """Return "; --preset quick takes 2 to 3 minutes on two CPU cores", or "".

    Args:
        settings: training.Settings.
    """
    record = settings.record or {}
    minutes = PRESETS.get(record.get("script"), {}).get("quick")
    if not minutes or settings.resume or record["options"]["preset"]:
        return ""
    return f"; --preset quick takes {minutes}"
