"""Measure one part of this project without comparison, and print a line of JSON.

python benchmarks/measures.py outside|loader|generation|scoring [--quick]
"""

import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks import ours
from common.devices import set_up


def outside(quick):
    """Return the fraction of an epoch's time that is spent outside the compiled step.

    A short training of the MNIST tutorial with all callbacks, in the fastest precision,
    measures the time between two steps, between two epochs, and of a snapshot. An epoch
    has 234 steps and a tenth of a snapshot. The time to load the data is added, although
    most of it overlaps with the previous step.
    """
    from common.data.batches import batches_of
    from common.gan import GAN
    from common.training import Settings, train

    set_up("auto", "auto")
    n_steps, tutorial = 4 if quick else 20, ours.script_of("mnist").TUTORIAL
    n_batch, marks = tutorial["batch_size"], []
    models = ours.define_models("mnist")
    dataset = ours.scaled(models[0], mnist())
    with tempfile.TemporaryDirectory() as run:
        settings = Settings(
            steps_per_epoch=n_steps,
            save_every=2,
            make_gan=lambda *models: timed(GAN(*models), marks),
        )
        sizes = {"n_epochs": 3, "n_batch": n_batch}
        train(*models, dataset, **sizes, settings=settings, run=Path(run))
    batches = batches_of(dataset, n_batch // 2, seed=1)
    batches[0]
    started = time.perf_counter()
    for i in range(1, 51):
        batches[i]
    data = (time.perf_counter() - started) / 50
    return share_outside(marks, n_steps, data, 60_000 // n_batch, tutorial["save_every"])


def share_outside(marks, n_steps, data, steps_an_epoch, save_every):
    """Return a dict: `share`, the fraction of `outside`, in [0, 1]; its parts in seconds.

    Args:
        marks: [(start, end), ...] of the steps of 3 epochs; a snapshot after the second.
        n_steps: steps of each of these epochs.
        data: seconds per batch.
        steps_an_epoch, save_every: of the full training.
    """
    step = median(end - start for start, end in marks[1:])  # the first one is traced
    gaps = [start - end for (_, end), (start, _) in pairwise(marks)]
    epoch, with_snapshot = gaps[n_steps - 1], gaps[2 * n_steps - 1]
    between = mean(gap for i, gap in enumerate(gaps, start=1) if i % n_steps)
    snapshot = max(0, with_snapshot - epoch)
    overhead = steps_an_epoch * (between + data) + epoch + snapshot / save_every
    return {
        "share": overhead / (steps_an_epoch * step + overhead),
        "step": step,
        "data": data,
        "between_steps": between,
        "between_epochs": epoch,
        "snapshot": snapshot,
    }


def timed(gan, marks):
    """Return a GAN that appends (start, end) of each compiled step to `marks`."""
    gan.make_train_function()
    compiled = gan.train_function

    def run(iterator):
        started = time.perf_counter()
        logs = compiled(iterator)
        marks.append((started, time.perf_counter()))
        return logs

    gan.train_function = run
    return gan


def loader(quick):
    """Return 64x64 images per second, loaded from a packed file in the page cache."""
    import h5py

    from celeba_gan.load_data import measure_loader, scale
    from common.data.datasets import Scaled
    from common.data.packed import PackedImages
    from common.data.packing import ImageWriter

    n, noise = 24_000, np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faces.hdf5"
        with h5py.File(path, "w") as file:
            rows = ImageWriter(file, n, 64, 3, "none")
            for _ in range(0, n, 1000):
                rows.append(list(noise.integers(0, 256, (1000, 64, 64, 3), np.uint8)))
        with h5py.File(path) as file:
            dataset = Scaled(PackedImages(file["images"]), scale)
            measure_loader(dataset, seconds=2)  # fills the page cache
            rates = [measure_loader(dataset) for _ in range(2 if quick else 5)]
    return {"images_per_second": rates}


def generation(quick):
    """Return images per second of the tutorials' generators, as in `generate.py`."""
    from common.sampling import generate_images, generate_latent_points

    set_up()
    z, images_per_second = generate_latent_points(100, 500 if quick else 2000), {}
    for dataset in ours.FOLDERS:
        g_model, rates = ours.define_models(dataset)[0], []
        generate_images(g_model, z[:100])  # traces the model
        for _ in range(2 if quick else 5):
            started = time.perf_counter()
            generate_images(g_model, z)
            rates.append(len(z) / (time.perf_counter() - started))
        images_per_second[dataset] = rates
    return images_per_second


def scoring(quick):
    """Return seconds for the features of n MNIST images and all scores of n against n.

    The classifier is untrained, which does not change the time. With `quick` fewer images
    are scored and the times are scaled: features by their number, scores by its square.
    """
    from common.scores.features import extract_all
    from common.scores.scorer import Scorer

    set_up()
    n = 10_000 if quick else 50_000
    features, images = untrained_features(), mnist_images(2 * n)
    scorer = Scorer(images, None, features, n)
    real = extract_all(features, images.pixels[:n])
    few = tuple(array[:500] for array in real)
    scorer.compare(few, few)  # imports modules; the features are already traced
    started = time.perf_counter()
    other = extract_all(features, images.pixels[n:])
    extracted = time.perf_counter()
    scorer.compare(real, other)
    scored, scale = time.perf_counter(), 50_000 / n
    times = {
        "features": (extracted - started) * scale,
        "scores": (scored - extracted) * scale**2,
    }
    return {**times, "seconds": sum(times.values()), "n": n, "scaled": scale != 1}


def untrained_features():
    """Return `features.Features` of the untrained classifier of MNIST."""
    from common.scores.classifier import define_classifier
    from common.scores.features import BATCH, Features, with_layer

    model = with_layer(define_classifier((28, 28, 1), 10, flip=False), "features")

    def extract(pixels):
        return model.predict(pixels, batch_size=BATCH, verbose=0)

    return Features("untrained", extract, "", "none")


def mnist_images(n):
    """Return n images of MNIST as datasets.Images, repeated if there are fewer."""
    from common.data.mnist import load_images

    images = load_images("auto")
    return images._replace(pixels=np.resize(images.pixels, (n, 28, 28, 1)), labels=None)


def mnist():
    """Return 60,000 images, uint8 (60000, 28, 28, 1)."""
    return mnist_images(60_000).pixels


MEASURES = {f.__name__: f for f in (outside, loader, generation, scoring)}


def main():
    """Run the function of the command line, and print its result as JSON."""
    stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keeps other output out of the JSON
    print(json.dumps(MEASURES[sys.argv[1]]("--quick" in sys.argv)), file=stdout)


if __name__ == "__main__":
    main()
