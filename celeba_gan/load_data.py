"""Step 1 of 6, the data: faces, or your own pictures, square and scaled to [-1, 1]."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from celeba_gan import options as own
from celeba_gan.pack_hdf5 import pack_into_cache
from common.basics import cli
from common.data.datasets import NotFoundError, Scaled, data_dir, show_notice
from common.data.shapes import synthetic_shapes

DATA = ("auto", "celeba", "synthetic")  # or a path
CELEBA_CROP = 0.72  # the usual 128 of 178 pixels: the face without what is around it
CELEBA_FILES = ("img_align_celeba.zip", "img_align_celeba")
FEWEST = 64  # images that a GAN can learn from at all


def load_images(data="auto", size=64, crop=None, attribute=None):
    """Load square images; what is not packed yet is packed into Keras's cache first.

    Args:
        data: "auto" or "celeba" (the same), "synthetic", or the path of a folder or a
            zip of pictures, or of a file that `pack_hdf5.py` made.
        size: height and width, 32, 64 or 128.
        crop: share of the shorter side to keep; if None 1, for CelebA 0.72.
        attribute: name of one of CelebA's attributes that is to be the label, 0 or 1.

    Returns:
        datasets.Images, pixels uint8 (n, size, size, 1 or 3).

    Raises:
        UserError: there are none, fewer than 64, or they have another size.
    """
    from common.data.packed import open_packed

    if data == "synthetic":
        if attribute is not None:
            raise cli.UserError(
                "--attribute: drawn shapes (--data synthetic, --dry-run) have none; "
                "leave it out"
            )
        return synthetic_shapes(size=size)
    path = find_celeba() if data in ("auto", "celeba") else Path(data)
    if path.suffix.lower() not in (".hdf5", ".h5"):
        crop = crop or (CELEBA_CROP if path.name in CELEBA_FILES else 1.0)
        table = path.parent / "list_attr_celeba.txt"
        attributes = table if attribute and table.is_file() else None
        path = pack_into_cache(path, size, crop, FEWEST, attributes)
    elif crop is not None:
        raise cli.UserError(
            f"--crop {crop}: {path} was cropped when it was packed; leave --crop out"
        )
    images = open_packed(path, attribute)
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
    """Where CelebA is: its zip or its folder in `$GAN_DATA_DIR/celeba`."""
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
    from common.data.batches import batches_of

    batches = batches_of(dataset, min(n_images, len(dataset)), seed=0)
    started, i = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < seconds:
        batches[i]
        i += 1
    return i * batches.n_images / took


def measure_training(dataset, n_images=64, n_steps=3):
    """Real images a second that the DCGAN's training takes, from its second step on."""
    import keras

    from celeba_gan.define_discriminator import define_discriminator
    from celeba_gan.define_gan import define_gan
    from celeba_gan.define_generator import define_generator
    from common.data.batches import batches_of
    from common.gan import GAN

    shape = dataset.shape[1:]
    g_model, d_model = define_generator(100, shape), define_discriminator(shape)
    gan = GAN(g_model, d_model, define_gan(g_model, d_model), separate=True)
    times = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: times.append(time.perf_counter())
    )
    batches = batches_of(dataset, n_images, seed=0)
    gan.fit(batches, steps_per_epoch=n_steps + 1, shuffle=False, verbose=0,
            callbacks=[clock])  # fmt: skip
    return n_steps * n_images / (times[-1] - times[0])


@cli.command
def main(argv=None):
    """Print the shapes, save the first 49 images, and time the loader."""
    options = cli.step_options(argv, __doc__, DATA, own.add_size_and_crop)
    from common.devices import set_up
    from common.plotting import save_grid
    from common.runs.folder import new_run

    images = load_images(options.data, options.size, options.crop)
    show_notice(images)
    print(f"{images.name} from {images.source}")
    kept = "in memory" if isinstance(images.pixels, np.ndarray) else "read as needed"
    print(f"images: {images.pixels.shape}, {kept}")
    dataset = Scaled(images.pixels, scale)
    first = dataset[np.arange(49)]
    print(f"as D sees them: {first.dtype} from {first.min()} to {first.max()}")
    path = new_run("celeba_gan", options.run_dir) / "real_samples.png"
    save_grid(first, path, columns=7, low=-1)
    print(f"saved {path}")
    set_up()
    print(f"the loader alone brings {measure_loader(dataset):.0f} images/s")
    print(f"the DCGAN's training here takes {measure_training(dataset):.0f} of them")


if __name__ == "__main__":
    main()
