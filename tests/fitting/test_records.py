"""The detector on recorded trainings: what it finds, and when. See record_checks.py."""

import csv
from pathlib import Path

import numpy as np
import pytest

from common.fitting import collapse
from common.fitting.collapse import CollapseDetector, TrainingError
from common.runs.state import Health

RECORDS = Path(__file__).parent / "records"
LN2 = float(np.log(2))
FAILURES = {  # record -> what is found, and the step at which `fit` ends; None: healthy
    "mnist_seed1": (["mode_collapse"], 450),  # blank paper from step 304 on
    "mnist_seed2": (["d_loss"], 702),  # isolated dots
    "mnist_seed5": None,  # D was right on all images from step 170 to 310, then lost
    "mnist_quick": None,
    "mnist_quick_d_rate": (["g_loss"], 600),  # --d-learning-rate 0.02
    "cifar10_quick": None,
}


class Model:
    """What the detector reads of a GAN; the images and D's outputs are recorded."""

    stop_training, threshold, equilibrium_loss = False, 0.5, LN2
    health = Health()


class Replayed(CollapseDetector):
    """A detector of the recorded numbers."""

    def generate(self):
        return None, float(self.row["diversity"])

    def are_classified_as_fake(self, images):
        return float(self.row["largest_output"]) <= self.model.threshold

    def replay(self, rows):
        """Return (what, step) of the first failure, or None."""
        steps = max(int(row["step"]) for row in rows)
        self.set_params({"steps": steps})
        last = sums = n = 0
        for self.row in rows:
            epoch, step = int(self.row["epoch"]) - 1, int(self.row["step"])
            if step <= last or n == 0:
                self.on_epoch_begin(epoch)
                last, sums, n = 0, np.zeros(2), 0
            names = [x for x in ("d_loss", "d1", "g_loss") if x in self.row]
            sums = sums + (step - last) * np.array([float(self.row[x]) for x in names])
            first, last, n = last, step, n + 1
            logs = dict(zip(names, sums / step, strict=True))
            try:
                for batch in range(first, step):  # a row is of several steps
                    self.on_train_batch_end(batch, logs)
                if step == steps:
                    self.on_epoch_end(epoch, logs)
            except TrainingError as error:
                return sorted(error.found), epoch * steps + batch + 1
        return None


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_found_in_a_record(tmp_path, monkeypatch, name):
    with (RECORDS / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    detector = Replayed(tmp_path, None, "restart")
    detector.set_model(Model())
    detector.warned, detector.n_labels = set(), 1
    monkeypatch.setattr(collapse, "count_classes", lambda *_: None)
    monkeypatch.setattr(Model, "g_model", type("G", (), {"weights": []}), raising=False)
    monkeypatch.setattr(Model, "d_model", type("D", (), {"weights": []}), raising=False)
    assert detector.replay(rows) == FAILURES[name]
