"""Step 3 of 6, D alone: train D to distinguish faces from random pixels."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan.define_discriminator import define_discriminator
from celeba_gan.load_data import load_real_samples
from celeba_gan.options import add_size_and_crop
from common.basics import cli
from common.data.celeba import DATA
from common.fitting import steps


def train_discriminator(model, dataset, n_iter=20, n_batch=128):
    """Train D for n_iter iterations, each on 64 real, then on 64 random images.

    See `steps.train_discriminator`.
    """
    return steps.train_discriminator(model, dataset, n_iter, n_batch, low=-1, high=1)


@cli.command
def main(argv=None):
    """Train D on real images and random pixels, and save examples of both."""
    options = cli.lesson_options(argv, __doc__, DATA, add_size_and_crop)
    dataset = load_real_samples(options.data, options.size, options.crop)
    run = steps.start("celeba_gan", options)
    model = define_discriminator(dataset.shape[1:])
    steps.report_accuracies(train_discriminator(model, dataset))
    steps.save_real_and_random(dataset, run, 7, low=-1)


if __name__ == "__main__":
    main()
