"""Step 1 of 6, the data: faces or other pictures, cropped and scaled to [-1, 1]."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from celeba_gan.options import add_size_and_crop
from common.basics import cli
from common.data.celeba import DATA, load_images
from common.data.datasets import Scaled, show_notice
from common.devices import set_up
from common.runs.folder import new_run


def load_real_samples(data="auto", size=64, crop=None):
    """Load the real images.

    Args and raises: see `common.data.celeba.load_images`.

    Returns:
        datasets.Scaled: indexing returns float32 (n, size, size, 1 or 3) in [-1, 1]. All
        of CelebA as float32 would take 10 GB.
    """
    images = load_images(data, size, crop)
    show_notice(images)
    return Scaled(images.pixels, scale)


def scale(pixels):
    """Scale uint8 colour values to float32 in [-1, 1], the range of G's tanh."""
    return (pixels.astype("float32") - 127.5) / 127.5


def measure_loader(dataset, n_images=64, seconds=3):
    """Return the images per second that are loaded in training batches.

    Args:
        dataset: datasets.Scaled.
        n_images: images per batch.
        seconds: duration of the measurement.
    """
    from common.data.batches import batches_of

    batches = batches_of(dataset, min(n_images, len(dataset)), seed=0)
    started, i = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds:
        batches[i]
        i += 1
    return i * batches.n_images / elapsed


def measure_training(dataset, n_images=64, n_steps=3):
    """Return the real images per second of training the tutorial's DCGAN.

    Args:
        dataset: datasets.Scaled.
        n_images: real images per step.
        n_steps: number of measured steps; one step before them compiles the model.
    """
    from celeba_gan.define_discriminator import define_discriminator
    from celeba_gan.define_gan import define_gan
    from celeba_gan.define_generator import define_generator
    from common.data.batches import batches_of
    from common.gan import GAN

    shape = dataset.shape[1:]
    g_model, d_model = define_generator(100, shape), define_discriminator(shape)
    gan = GAN(g_model, d_model, define_gan(g_model, d_model), separate=True)
    batches = batches_of(dataset, n_images, seed=0)
    gan.fit(batches, steps_per_epoch=1, shuffle=False, verbose=0)
    started = time.perf_counter()
    gan.fit(batches, steps_per_epoch=n_steps, shuffle=False, verbose=0)
    return n_steps * n_images / (time.perf_counter() - started)


@cli.command
def main(argv=None):
    """Print the shapes, save the first 49 images, and time the loader."""
    options = cli.lesson_options(argv, __doc__, DATA, add_size_and_crop)
    from common.plotting import save_grid

    images = load_images(options.data, options.size, options.crop)
    show_notice(images)
    print(f"{images.name} from {images.source}")
    place = "in memory" if isinstance(images.pixels, np.ndarray) else "in their file"
    print(f"images: {images.pixels.shape}, {place}")
    dataset = Scaled(images.pixels, scale)
    first = dataset[np.arange(49)]
    print(f"input of D: {first.dtype} from {first.min()} to {first.max()}")
    path = new_run("celeba_gan", options.run_dir) / "real_samples.png"
    save_grid(first, path, columns=7, low=-1)
    print(f"saved {path}")
    set_up()
    print(f"loading alone: {measure_loader(dataset):.0f} images/s")
    print(f"training of the DCGAN: {measure_training(dataset):.0f} images/s")


if __name__ == "__main__":
    main()
