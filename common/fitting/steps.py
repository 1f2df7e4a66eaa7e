"""Run single steps of training for the scripts of the lessons."""

import numpy as np

from common.devices import set_up
from common.plotting import plot_model, save_grid
from common.runs.folder import new_run
from common.sampling import generate_random_samples, generate_real_samples


def start(project, options):
    """Set up the device and the seed, and return the Path of a new run folder.

    Args:
        project: name of the dataset folder, such as "mnist_gan".
        options: Namespace with run_dir and seed, each may be None.
    """
    run = new_run(project, options.run_dir)
    set_up()
    import keras

    if options.seed is not None:
        keras.utils.set_random_seed(options.seed)
    return run


def train_discriminator(model, dataset, n_iter, n_batch, low=0, high=1):
    """Train D alternately on half a batch of real images and of random pixels.

    Args:
        model: compiled D; it is trained in place.
        dataset: float32 (n, h, w, c) in [low, high].
        n_iter: number of iterations, two updates each.
        n_batch: images of an iteration.
        low, high: range of the random pixels.

    Returns:
        accuracies, list of n_iter tuples (on real, on random) of shares in [0, 1].
    """
    half = n_batch // 2
    accuracies = []
    for i in range(n_iter):
        X_real, y_real = generate_real_samples(dataset, half)
        _, real_acc = model.train_on_batch(X_real, y_real)
        shape = X_real.shape[1:]
        X_fake, y_fake = generate_random_samples(shape, half, low=low, high=high)
        _, fake_acc = model.train_on_batch(X_fake, y_fake)
        print(f">{i + 1} real={real_acc:.0%} fake={fake_acc:.0%}")
        accuracies.append((float(real_acc), float(fake_acc)))
    return accuracies


def report_accuracies(accuracies):
    """Print the first iteration at which D classified all images correctly.

    Args:
        accuracies: see `train_discriminator`.
    """
    perfect = [i for i, shares in enumerate(accuracies, 1) if min(shares) == 1.0]
    if perfect:
        print(f"Notice: accuracy 100% for the first time at iteration {perfect[0]}.")
    print("Random pixels are easy to classify: D needs a G that is trained.")


def save_real_and_random(dataset, run, n, low=0):
    """Save n real images above n images of random pixels as `real_and_random.png`.

    Args:
        dataset: float32 (m, h, w, c) in [low, 1], m >= n.
        run: Path of the run folder.
        n: images in a row.
        low: minimum of the image range, 0 or -1.
    """
    noise, _ = generate_random_samples(dataset.shape[1:], n, low=low, high=1)
    path = run / "real_and_random.png"
    images = np.concatenate([dataset[np.arange(n)], noise])
    save_grid(images, path, columns=n, low=low)
    print(f"saved {path}")


def show_gan(g_model, d_model, gan_model, run):
    """Print and plot the composite, update D and G once, and print the weight changes.

    Args:
        g_model, d_model, gan_model: see `gan.GAN`.
        run: Path of the run folder, for `gan_plot.png`.
    """
    from common.gan import GAN

    gan_model.summary()
    plot_model(gan_model, run / "gan_plot.png")
    gan = GAN(g_model, d_model, gan_model)
    shape = (8, *d_model.input_shape[1:])
    images = np.random.default_rng(0).random(shape, "float32")
    models = (g_model, d_model)

    def flat_weights():
        return [np.concatenate([w.numpy().ravel() for w in m.weights]) for m in models]

    for name, update in (("D", gan.train_d), ("G", gan.train_g)):
        before = flat_weights()
        update(images)
        g, d = (abs(a - b).max() for a, b in zip(flat_weights(), before, strict=True))
        print(f"{name}'s step: largest change of a weight of G {g:.6f}, of D {d:.6f}")
    print("Notice: the non-trainable parameters are D's. Each step updates one model.")
