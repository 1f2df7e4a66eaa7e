"""Step 3 of 6, D alone: train D to distinguish digits from random pixels."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.load_data import DATA, load_real_samples


def train_discriminator(model, dataset, n_iter=100, n_batch=256):
    """Train D for n_iter iterations, each on 128 real, then on 128 random images.

    See `steps.train_discriminator`.
    """
    return steps.train_discriminator(model, dataset, n_iter, n_batch)


@cli.command
def main(argv=None):
    """Train D on real images and random pixels, and save examples of both."""
    options = cli.lesson_options(argv, __doc__, DATA)
    dataset = load_real_samples(options.data)
    run = steps.start("mnist_gan", options)
    steps.report_accuracies(train_discriminator(define_discriminator(), dataset))
    steps.save_real_and_random(dataset, run, 10)


if __name__ == "__main__":
    main()
