"""Pack pictures of any size and format into one HDF5 file of small square images."""

import functools
import math
import os
import shutil
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from common.basics.errors import MachineError, UserError
from common.basics.files import atomic_write
from common.data.attributes import read_attributes
from common.data.packed import checksum
from common.data.pictures import classes_by_subfolder, open_source, printable, try_to_read

BLOCK = 512  # pictures in memory at a time
CHUNK_BYTES = 2**20
# lzf makes faces 1 to 5 % smaller and loading 3 times slower; it is for drawings.
COMPRESSIONS = {"none": None, "lzf": "lzf"}


def pack(source, target, size=64, crop=1.0, channels=None, attributes=None,
         compression="none", force=False, at_least=1):  # fmt: skip
    """Pack all pictures of a folder or a .zip, sorted by path, into one HDF5 file.

    Args:
        source: path of the folder or .zip.
        target: path of the file; it is written atomically.
        size: height and width of the packed images: 32, 64 or 128.
        crop: side of the square that is kept, as a fraction of the shorter side, (0, 1].
        channels: 1, 3, or None: 1 if all pictures are grey, else 3.
        attributes: path of a file like CelebA's list_attr_celeba.txt, or None.
        compression: "none" or "lzf".
        force: replace the target if it exists.
        at_least: minimum number of readable pictures.

    Returns:
        Path of the target, for `packed.open_packed`.

    Raises:
        UserError: the source, the attributes or the target are not valid, or there are
            too few pictures.
        MachineError: the disk is full.
    """
    import h5py

    source, target = Path(source), Path(target)
    check_target(target, force)
    start = time.perf_counter()
    with open_source(source) as files:
        check_space(target, len(files.names) * size * size * (channels or 3))
        listed = read_attributes(attributes, files.names) if attributes else None
        read = functools.partial(try_to_read, files, size, crop, channels)
        try:
            with atomic_write(target) as part, h5py.File(part, "w") as file:
                rows = ImageWriter(file, len(files.names), size, channels, compression)
                names, skipped = pack_images(files.names, read, rows)
                check_count(source, names, skipped, at_least)
                write_metadata(file, rows, names, skipped, listed)
                file.attrs.update(
                    size=size, crop=crop, source=printable(source.absolute())
                )
                file.attrs["complete"] = True  # last: a file without it is incomplete
        except RuntimeError:  # of h5py, when it closes the file
            raise MachineError(
                f"{target} cannot be written, perhaps the disk is full: make room"
            ) from None
    print_summary(target, names, skipped, time.perf_counter() - start)
    return target


def check_target(target, force):
    if target.suffix.lower() not in (".hdf5", ".h5"):
        raise UserError(f"{target}: the name of the packed file must end in .hdf5 or .h5")
    if target.is_dir():
        raise UserError(f"{target} is a folder: choose the name of a new file")
    if target.exists() and not force:
        raise UserError(f"{target} already exists: use another name or --force")
    if not target.parent.is_dir():
        raise UserError(f"{target}: the folder {target.parent} does not exist: create it")


def check_count(source, names, skipped, at_least):
    if len(names) < at_least:
        example = [f" ({printable(x)}: {reason})" for x, reason in skipped.items()][:1]
        raise UserError(
            f"{source} has {len(names)} readable pictures, at least {at_least} are needed"
            f"; files that are not readable: {len(skipped)}{''.join(example)}; add or "
            "repair pictures"
        )


def check_space(target, n_bytes):
    free = shutil.disk_usage(target.parent).free
    if free < 1.1 * n_bytes + 2**20:
        raise MachineError(
            f"{target.parent} has {free / 2**20:.1f} MiB free, and the packed file may "
            f"take {n_bytes / 2**20:.1f} MiB: make room, or choose another folder"
        )


def base_name(source):
    """Return the name of a folder, or of a zip without its suffix."""
    return source.resolve().name if source.is_dir() else source.stem


def pack_images(files, read, rows):
    """Read the pictures among these files and append them to the packed file.

    Args:
        files: list of names.
        read: function, name -> pixels; or the reason, a str, if it cannot be read.
        rows: ImageWriter.

    Returns:
        list of the pictures' names; dict, name of a skipped file -> reason.
    """
    from PIL import Image
    from tqdm import tqdm

    Image.init()  # before the threads start, as it is not thread-safe
    names, skipped = [], {}
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(os.cpu_count()) as pool,  # Pillow releases the GIL
        tqdm(total=len(files), unit=" images", disable=None) as bar,
    ):
        warnings.simplefilter("ignore")  # of Pillow, about unusual pictures
        for start in range(0, len(files), BLOCK):
            block = files[start : start + BLOCK]
            found = dict(zip(block, pool.map(read, block), strict=True))
            bar.update(len(block))
            skipped |= {name: x for name, x in found.items() if isinstance(x, str)}
            pictures = [name for name in block if name not in skipped]
            rows.append([found[name] for name in pictures])
            names += pictures
    return names, skipped


class ImageWriter:
    """Write the dataset `images`, with one channel until the first coloured picture.

    Args:
        file: h5py.File, open for writing.
        max_images: largest number of images.
        size, channels, compression: see `pack`.
    """

    def __init__(self, file, max_images, size, channels, compression):
        self.file, self.max_images, self.size, self.n = file, max_images, size, 0
        self.compression = COMPRESSIONS[compression]
        self.data = self.create("images", channels or 1)

    def create(self, name, channels):
        shape = (self.size, self.size, channels)
        chunk_rows = min(self.max_images, CHUNK_BYTES // math.prod(shape))
        storage = {"maxshape": (None, *shape), "chunks": (chunk_rows, *shape)}
        storage |= {"dtype": np.uint8, "compression": self.compression}
        return self.file.create_dataset(name, (self.max_images, *shape), **storage)

    def append(self, images):
        """Append a list of images, each uint8 (size, size, 1 or 3)."""
        if not images:
            return
        if max(image.shape[-1] for image in images) > self.data.shape[-1]:
            self.widen()
        shape = self.data.shape[1:]
        block = np.stack([np.broadcast_to(image, shape) for image in images])
        self.data[self.n : self.n + len(images)] = block
        self.n += len(images)

    def widen(self):
        """Copy the grey images into a dataset of three channels."""
        wide = self.create("wide", 3)
        for start in range(0, self.n, BLOCK):
            stop = min(start + BLOCK, self.n)
            wide[start:stop] = np.repeat(self.data[start:stop], 3, axis=-1)
        del self.file["images"]
        self.file.move("wide", "images")
        self.data = self.file["images"]


def write_metadata(file, rows, names, skipped, attributes):
    """Write names, labels, attributes and checksum of the images."""
    import h5py

    rows.data.resize(rows.n, axis=0)
    for key, paths in (("names", names), ("skipped", skipped)):
        texts = [printable(path) for path in paths]
        file.create_dataset(key, (len(texts),), h5py.string_dtype(), texts)
    labels, folders = None, classes_by_subfolder(names)
    if folders:
        classes, labels = np.unique(folders, return_inverse=True)
        file["labels"], file["classes"] = labels, [printable(name) for name in classes]
    if attributes:
        file["attribute_names"], values_of = attributes
        file["attributes"] = values_of(names)
    file.attrs["checksum"] = checksum(rows.data, labels)


def print_summary(target, names, skipped, seconds):
    """Print what was packed and what was skipped."""
    if skipped:
        print(f"skipped files: {len(skipped)}")
    for name, reason in list(skipped.items())[:10]:
        print(f"  {printable(name)}: {reason}")
    if len(skipped) > 10:
        print(
            f"  ... and {len(skipped) - 10} more, listed in the file's dataset `skipped`"
        )
    if folders := classes_by_subfolder(names):
        classes = [printable(name) for name in sorted(set(folders))]
        shown = classes[:10] + ["..."] * (len(classes) > 10)
        print(f"classes ({len(classes)}): {', '.join(shown)}")
    elif len({Path(name).parent for name in names}) > 1:
        print("no classes: some pictures are not in a subfolder")
    speed = f"{seconds:.1f} s ({len(names) / seconds:.0f} images/s)"
    print(f"packed {len(names)} images in {speed} into {printable(target)}", flush=True)
