"""Step 1 of 6, the data: 32x32 colour photographs of ten classes, scaled to [-1, 1]."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.data.cifar10 import load_images
from common.data.datasets import show_notice
from common.runs.folder import new_run

DATA = ("auto", "cifar-10", "synthetic")  # or a path


def load_real_samples(data="auto", split="train"):
    """Load the real images.

    Args:
        data: "auto" or "cifar-10" (the same), "synthetic" or a path.
        split: "train" or "test".

    Returns:
        float32 (n, 32, 32, 3) in [-1, 1].

    Raises:
        UserError: no such images were found.
    """
    images = load_images(data, split)
    show_notice(images)
    return scale(images.pixels)


def scale(pixels):
    """Scale uint8 colour values to float32 in [-1, 1], the range of G's tanh."""
    return (pixels.astype("float32") - 127.5) / 127.5


@cli.command
def main(argv=None):
    """Print the shapes and save the first 49 images."""
    options = cli.lesson_options(argv, __doc__, DATA)
    from common.plotting import save_grid

    train = load_images(options.data, "train")
    test = load_images(options.data, "test")
    show_notice(train)
    print(f"{train.name} from {train.source}")
    print("train:", train.pixels.shape, "labels:", train.labels.shape)
    print("test: ", test.pixels.shape, "labels:", test.labels.shape)
    first = scale(train.pixels[:49])
    print(f"input of D: {first.dtype} from {first.min()} to {first.max()}")
    print("Notice: diverse classes in few pixels: harder than digits.")
    path = new_run("cifar10_gan", options.run_dir) / "real_samples.png"
    save_grid(first, path, columns=7, low=-1)
    print(f"saved {path}")


if __name__ == "__main__":
    main()
