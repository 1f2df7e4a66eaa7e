"""Step 1 of 6, the data: faces, or your own pictures, square and scaled to [-1, 1]."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from celeba_gan import options as own
from common import cli
from common.datasets import NotFoundError, Scaled, data_dir, show_notice
from common.shapes import synthetic_shapes

DATA = ("auto", "celeba", "synthetic")  # or a path
CELEBA_CROP = 0.72  # the usual 128 of 178 pixels: the face without what is around it
CELEBA_FILES = ("celeba.hdf5", "img_align_celeba.zip", "img_align_celeba")
FEWEST = 64  # images that a GAN can learn from at all


def load_images(data="auto", size=64, crop=None):
    """Load square images; what is not packed yet is packed into Keras's cache first.

    Args:
        data: "auto" or "celeba" (the same), "synthetic", or the path of a folder or a
            zip of pictures, or of a file that `pack_hdf5.py` made.
        size: height and width, 32, 64 or 128.
        crop: share of the shorter side to keep; if None 1, for CelebA 0.72.

    Returns:
        datasets.Images, pixels uint8 (n, size, size, 1 or 3).

    Raises:
        UserError: there are none, fewer than 64, or they have another size.
    """
    from common.packed import open_packed

    if data == "synthetic":
        return synthetic_shapes(size=size)
    is_celeba = data in ("auto", "celeba")
    path = find_celeba() if is_celeba else Path(data)
    is_packed = path.suffix.lower() in (".hdf5", ".h5")
    if is_packed and crop is not None:
        raise cli.UserError(
            f"--crop {crop}: {path} was cropped when it was packed; leave --crop out"
        )
    if not is_packed:
        from celeba_gan.pack_hdf5 import pack_into_cache

        path = pack_into_cache(path, size, crop or (CELEBA_CROP if is_celeba else 1.0))
    images = open_packed(path)
    n, height = images.pixels.shape[:2]
    if height != size:
        raise cli.UserError(
            f"{path} holds images of {height}x{height}: use --size {height}, or pack it "
            "again"
        )
    if n < FEWEST:
        raise cli.UserError(
            f"--data {data}: {n} images are too few, at least {FEWEST} are needed"
        )
    return images


def find_celeba():
    """Where CelebA is: its packed file, zip or folder in `$GAN_DATA_DIR/celeba`."""
    if folder := data_dir():
        for name in CELEBA_FILES:
            if (path := folder / "celeba" / name).exists():
                return path
    raise NotFoundError(
        "CelebA is not here: download img_align_celeba.zip (1.4 GB, 202,599 pictures of "
        "178x218) by hand from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, where "
        "its terms are, into $GAN_DATA_DIR/celeba or name it with --data; any other "
        "folder or zip of faces will do as well: --data FOLDER; to try the script: "
        "--data synthetic"
    )


def load_real_samples(data="auto", size=64, crop=None):
    """Load the real images that D is to know and G to imitate.

    Arguments and errors as `load_images`.

    Returns:
        datasets.Scaled, which gives float32 (n, size, size, 1 or 3) in [-1, 1] for the
        rows that are asked for: all of CelebA as float32 would be 10 GB.
    """
    images = load_images(data, size, crop)
    show_notice(images)
    return Scaled(images.pixels, scale)


def scale(pixels):
    """uint8 colour values -> float32 in [-1, 1], the range of G's tanh."""
    return (pixels.astype("float32") - 127.5) / 127.5


def measure_loader(dataset, n_images=64, seconds=3):
    """Images a second that the batches of the training bring, with nothing else to do."""
    from common.batches import RealBatches

    batches = RealBatches(dataset, min(n_images, len(dataset)), seed=0)
    started, i = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < seconds:
        batches[i]
        i += 1
    return i * batches.n_images / took


@cli.command
def main(argv=None):
    """Print the shapes, save the first 49 images, and time the loader."""
    options = cli.step_options(argv, __doc__, DATA, own.add_size_and_crop)
    from common.devices import quiet_start
    from common.plotting import save_grid
    from common.runs import new_run

    images = load_images(options.data, options.size, options.crop)
    show_notice(images)
    print(f"{images.name} from {images.source}")
    kept = "in memory" if isinstance(images.pixels, np.ndarray) else "read as needed"
    print(f"images: {images.pixels.shape}, {kept}")
    dataset = Scaled(images.pixels, scale)
    first = dataset[np.arange(49)]
    print(f"as D sees them: {first.dtype} from {first.min()} to {first.max()}")
    path = new_run("celeba_gan", options.run_dir) / "real_samples.png"
    save_grid((first + 1) / 2, path, columns=7)
    print(f"saved {path}")
    with quiet_start():
        import keras  # noqa: F401
    print(f"loader alone: {measure_loader(dataset):.0f} images/s, shuffled and scaled")
    print(
        "Notice: the loader is faster than any training, which has to wait for nothing."
    )


if __name__ == "__main__":
    main()
