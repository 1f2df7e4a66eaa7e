"""Step 3 of 6, D alone: can it tell digits from random pixels? Easily."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.fitting import steps
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.load_data import DATA, load_real_samples


def train_discriminator(model, dataset, n_iter=100, n_batch=256):
    """Train D in n_iter iterations on 128 real, then on 128 random images.

    See `steps.train_discriminator` for the loop.
    """
    return steps.train_discriminator(model, dataset, n_iter, n_batch)


@cli.command
def main(argv=None):
    """Train D against random pixels and save what it had to tell apart."""
    options = cli.step_options(argv, __doc__, DATA)
    dataset = load_real_samples(options.data)
    run = steps.start("mnist_gan", options)
    steps.report_accuracies(train_discriminator(define_discriminator(), dataset))
    steps.save_real_and_random(dataset, run, 10)


if __name__ == "__main__":
    main()
