"""Step 3 of 6, D alone: can it tell digits from random pixels? Easily."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common import cli
from common.sampling import generate_random_samples, generate_real_samples
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.load_data import load_real_samples


def train_discriminator(model, dataset, n_iter=100, n_batch=256):
    """Train D on half a batch of real images, then on half a batch of random pixels.

    Args:
        model: compiled D; it is trained in place.
        dataset: float32 (n, h, w, c) in [0, 1].
        n_iter: number of iterations, two updates each.
        n_batch: images an iteration.

    Returns:
        accuracies, list of n_iter pairs (on real, on random) of shares in [0, 1].
    """
    half = n_batch // 2
    accuracies = []
    for i in range(n_iter):
        X_real, y_real = generate_real_samples(dataset, half)
        _, real_acc = model.train_on_batch(X_real, y_real)
        X_fake, y_fake = generate_random_samples(dataset.shape[1:], half)
        _, fake_acc = model.train_on_batch(X_fake, y_fake)
        print(f">{i + 1} real={real_acc:.0%} fake={fake_acc:.0%}")
        accuracies.append((float(real_acc), float(fake_acc)))
    return accuracies


@cli.command
def main(argv=None):
    """Train D against random pixels and save what it had to tell apart."""
    options = cli.step_options(argv, __doc__, data=True)
    from common.devices import set_up
    from common.plotting import save_grid
    from common.runs import new_run

    dataset = load_real_samples(options.data)
    path = new_run("mnist_gan", options.run_dir) / "real_and_random.png"
    print(set_up())
    import keras
    import numpy as np

    if options.seed is not None:
        keras.utils.set_random_seed(options.seed)
    accuracies = train_discriminator(define_discriminator(), dataset)
    perfect = [i for i, pair in enumerate(accuracies, 1) if min(pair) == 1.0]
    if perfect:
        print(f"Notice: all 256 right for the first time at iteration {perfect[0]}.")
    print("Random pixels are too easy: D needs an opponent that learns, too.")
    noise, _ = generate_random_samples(dataset.shape[1:], 10)
    save_grid(np.concatenate([dataset[:10], noise]), path, columns=10)
    print(f"saved {path}")


if __name__ == "__main__":
    main()
