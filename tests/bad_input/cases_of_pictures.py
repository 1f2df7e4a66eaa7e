"""Damaged and hostile pictures, their archives, lists and packed files.

Name -> (script, function that makes them, words of the message).
"""

import os
from pathlib import Path

import h5py
import numpy as np
from bad_files import (
    ALONE,
    FACE,
    FACES,
    PACK,
    bomb_zip,
    data,
    deep_folders,
    folder,
    huge_png,
    link_zip,
    linked,
    listed,
    loops,
    named,
    outside,
    packed,
    picture,
    pictures,
    pictures_zip,
    pipe,
    quine_zip,
    replaced,
    sparse,
    virtual,
    with_file,
    write,
    zipped,
)
from bad_models import modelled

PICTURES = {
    # Pictures
    "a folder of no pictures": (FACE, folder("pictures"), "holds no files"),
    "a folder of texts": (FACE, pictures("text"), "pictures, found 0"),
    "too few pictures": (FACE, pictures(picture(), n=9), "pictures, found 9"),
    "pictures of 0 bytes": (FACE, pictures(b""), "not a picture"),
    "pictures cut off": (FACE, pictures(picture()[:60]), "pictures, found 0"),
    "pictures of 60000x60000 pixels": (FACE, pictures(huge_png(), 64), "decompression"),
    "PostScript, which is a program": (
        FACE, pictures(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
                       ending="eps"), "not a picture"),
    "pictures of 1 TB, all holes": (
        FACE, lambda: [pictures("x", 63)(), sparse("pictures/a.png", 2**40)(),
                       data("pictures")][2], "pictures, found 0"),
    "folders that link in a circle": (FACE, loops, "holds no files"),
    "folders in folders without end": (FACE, deep_folders, "nests folders over"),
    "a pipe for a folder": (FACE, pipe("a.zip"), "not a regular file"),
    "a zip of 0 bytes": (FACE, with_file("a.zip", b""), "neither a folder nor a .zip"),
    "a zip cut off": (
        FACE, with_file("a.zip", lambda: zipped({"a.png": picture()})[:-30]), "incompl"),
    "a zip of nothing": (FACE, with_file("a.zip", lambda: zipped({})), "holds no files"),
    "a web page for a zip": (
        FACE, with_file("a.zip", "<!doctype html><html>"), "is a web page"),
    "a zip with absolute paths": (
        PACK, pictures_zip(["/tmp/a.png"], named()), "outside of the zip"),
    "a zip with .. in paths": (
        PACK, pictures_zip(["a/../../b.png"], named()), "outside of the zip", ALONE),
    "a zip of links": (FACE, with_file("a.zip", link_zip), "pictures, found 0"),
    "a zip in a zip in a zip": (FACE, with_file("a.zip", quine_zip), "not a picture"),
    "the same, packed": (PACK, with_file("a.zip", quine_zip, named()), "not a picture"),
    "a zip that unpacks to 6 GB": (
        PACK, with_file("a.zip", bomb_zip, named()), "more than 200 times"),
    "an encrypted zip": (
        PACK, with_file("a.zip", lambda: zipped({"a.png": picture()}).replace(
            b"\x14\x00\x00\x00\x00\x00", b"\x14\x00\x01\x00\x00\x00"), named()),
        "encrypted"),
    "a name with a newline to pack": (PACK, lambda: ["a\nb"], "a\\nb"),
    "a target that is there": (
        PACK, lambda: [pictures(picture(), 1)(), write("new.hdf5", "mine"),
                       ["pictures", "new.hdf5"]][2], "--force"),
    "a target that is a folder": (
        PACK, lambda: [pictures(picture(), 1)(), Path("new.hdf5").mkdir(),
                       ["pictures", "new.hdf5", "--force"]][2], "is a folder"),
    # Lists of attributes
    "a list of attributes of 40 GB": (
        PACK, lambda: [listed("")(), os.truncate("list.txt", 4 * 10**10)][0],
        "limit of 32.0 MiB"),
    "a list of attributes of 0 bytes": (PACK, listed(""), "format of list_attr"),
    "a list of attributes cut off": (PACK, listed(FACES[:-4]), "the format"),
    "a list of one line": (PACK, listed("1\n"), "format of list_attr"),
    "a list of other values": (PACK, listed(FACES.replace("-1", "5")), "the format"),
    "a list of another count": (PACK, listed("9" * 99 + FACES), "the format"),
    "a list without names": (PACK, listed("2\n\n\n1.png"), "format of list_attr"),
    "a list without this picture": (
        PACK, listed(FACES.replace("1.png", "2.png")), "no line for 1.png"),
    "a list of bytes that are no text": (PACK, listed(b"\xff\xfe\x00"), "the format"),
    "a list that is a pipe": (
        PACK, lambda: [write("f/1.png", picture()), os.mkfifo("l"),
                       ["f", "new.hdf5", "--attributes", "l"]][2], "not a regular file"),
    # Packed files
    "a packed file of 0 bytes": (FACE, with_file("set.hdf5", b""), "not an HDF5 file"),
    "a packed file cut off": (
        FACE, lambda: [words := packed(lambda file: None)(),
                       os.truncate("set.hdf5", 5000), words][2], "truncated file"),
    "a packed file that is a folder": (FACE, folder("set.hdf5"), "is not a file"),
    "a packed file not packed to its end": (
        FACE, packed(lambda file: file.attrs.update(complete=False)), "is incomplete"),
    "a packed file of another checksum": (FACE, packed(lambda f: None), "its checksum"),
    "a packed file without images": (
        FACE, packed(lambda file: file.pop("images")), "no dataset `images`"),
    "a packed file of floats": (
        FACE, packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 64, 3)))),
        "uint8"),
    "a packed file of oblong images": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 32, 3), "u1"))),
        "(n, size, size, c)"),
    "a packed file that declares 10**9 images": (
        FACE, packed(lambda f: replaced(f, "images", shape=(10**9, 64, 64, 3), dtype="u1",
                                        chunks=(1, 64, 64, 3))), "only 0"),
    "a packed file that is a bomb": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((999, 64, 64, 3), "u1"),
                                  compression="gzip")), "another compression"),
    "a packed file of a link to another": (
        FACE, packed(lambda f: linked(f, "images", h5py.ExternalLink("/etc/x", "a"))),
        "a link to another"),
    "a packed file of a link in itself": (
        FACE, packed(lambda f: linked(f, "labels", h5py.SoftLink("/labels"))),
        "a link to another"),
    "a packed file with pixels elsewhere": (FACE, packed(outside), "in other files"),
    "a packed file of a virtual set": (FACE, packed(virtual), "in other files"),
    "a packed file of groups": (
        FACE, packed(lambda f: [f.pop("labels"), f.create_group("labels")]), "not a da"),
    "a packed file of labels that are texts": (
        FACE, packed(lambda f: replaced(f, "labels", data=["a"] * 64)), "number per im"),
    "a packed file of labels without a name": (
        FACE, packed(lambda f: replaced(f, "labels", data=np.arange(64))), "in 0..1"),
    "a packed file without attributes": (
        "celeba_gan/train.py",
        packed(lambda file: None, lambda name: [*data(name), "--conditional",
                                                "--attribute", "Young"]),
        "packed without attributes"),
    "a packed file of too few attributes": (
        "celeba_gan/train.py",
        packed(lambda f: f.update(attributes=np.ones((2, 1), "i1"),
                                  attribute_names=["Young"]),
               lambda name: [*data(name), "--conditional", "--attribute", "Young"]),
        "its attributes are int8 (2, 1), not whole numbers (64, 1)"),
    "a packed file that is cropped again": (
        "celeba_gan/train.py",
        packed(lambda file: None, lambda name: [*data(name), "--crop", "1"]),
        "already cropped"),
    "a model for a packed file": (
        "celeba_gan/train_discriminator.py", modelled("--data", "m.h5"),
        "is a saved Keras model"),
}  # fmt: skip
