"""Step 1 of 6, the data: 28x28 grey images of handwritten digits, scaled to [0, 1]."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.data.datasets import show_notice
from common.data.mnist import load_images
from common.runs.folder import new_run

DATA = ("auto", "mnist", "fashion-mnist", "digits", "synthetic")  # or a path


def load_real_samples(data="auto", split="train"):
    """Load the real images, all at once; `train.py` scales them batch by batch.

    Args:
        data: one of DATA, or a path.
        split: "train" or "test".

    Returns:
        float32 (n, 28, 28, 1) in [0, 1].

    Raises:
        UserError: no such images were found.
    """
    images = load_images(data, split)
    show_notice(images)
    return scale(images.pixels)


def scale(pixels):
    """Scale uint8 grey values to float32 in [0, 1], the range of G's sigmoid."""
    return pixels.astype("float32") / 255.0


@cli.command
def main(argv=None):
    """Print the shapes and save the first 25 images."""
    options = cli.lesson_options(argv, __doc__, DATA)
    from common.plotting import save_grid

    train = load_images(options.data, "train")
    show_notice(train)
    print(f"{train.name} from {train.source}")
    print("train:", train.pixels.shape, "labels:", getattr(train.labels, "shape", None))
    try:
        test = load_images(options.data, "test")
        print("test: ", test.pixels.shape, "labels:", getattr(test.labels, "shape", None))
    except cli.UserError as none:
        print(f"test:  none ({none})")
    dataset = scale(train.pixels)
    print(f"input of D: {dataset.dtype} from {dataset.min()} to {dataset.max()}")
    print("Notice: a GAN needs images only. Labels are for train.py --conditional.")
    path = new_run("mnist_gan", options.run_dir) / "real_samples.png"
    save_grid(dataset[:25], path, columns=5)
    print(f"saved {path}")


if __name__ == "__main__":
    main()
