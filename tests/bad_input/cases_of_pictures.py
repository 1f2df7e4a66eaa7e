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
    "a folder without files": (FACE, folder("pictures"), "contains no files"),
    "a folder of text files": (FACE, pictures("text"), "has 0 readable"),
    "too few pictures": (FACE, pictures(picture(), n=9), "has 9 readable"),
    "pictures of 0 bytes": (FACE, pictures(b""), "not a picture"),
    "truncated pictures": (FACE, pictures(picture()[:60]), "has 0 readable"),
    "pictures that are decompression bombs (60000x60000 pixels)": (
        FACE, pictures(huge_png(), 64), "decompression"),
    "PostScript files, which are programs": (
        FACE, pictures(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
                       ending="eps"), "not a picture"),
    "a picture that is a sparse file of 1 TB": (
        FACE, lambda: [pictures("x", 63)(), sparse("pictures/a.png", 2**40)(),
                       data("pictures")][2], "has 0 readable"),
    "folders with circular links": (FACE, loops, "contains no files"),
    "very deeply nested folders": (FACE, deep_folders, "nests folders over"),
    "a named pipe in place of a zip": (FACE, pipe("a.zip"), "not a regular file"),
    "a zip of 0 bytes": (FACE, with_file("a.zip", b""), "neither a folder nor a zip"),
    "a truncated zip": (
        FACE, with_file("a.zip", lambda: zipped({"a.png": picture()})[:-30]), "incompl"),
    "an empty zip": (FACE, with_file("a.zip", lambda: zipped({})), "contains no files"),
    "a web page in place of a zip": (
        FACE, with_file("a.zip", "<!doctype html><html>"), "is a web page"),
    "a zip with absolute paths": (
        PACK, pictures_zip(["/tmp/a.png"], named()), "outside of the zip"),
    "a zip with .. in paths": (
        PACK, pictures_zip(["a/../../b.png"], named()), "outside of the zip", ALONE),
    "a zip of symbolic links": (FACE, with_file("a.zip", link_zip), "has 0 readable"),
    "a zip that contains itself (zip quine)": (
        FACE, with_file("a.zip", quine_zip), "not a picture"),
    "a zip that contains itself (zip quine), to pack": (
        PACK, with_file("a.zip", quine_zip, named()), "not a picture"),
    "a zip that is a decompression bomb (6 GB)": (
        PACK, with_file("a.zip", bomb_zip, named()), "more than 200 times"),
    "an encrypted zip": (
        PACK, with_file("a.zip", lambda: zipped({"a.png": picture()}).replace(
            b"\x14\x00\x00\x00\x00\x00", b"\x14\x00\x01\x00\x00\x00"), named()),
        "encrypted"),
    "a path with a newline to pack": (PACK, lambda: ["a\nb"], "a\\nb"),
    "a target that exists": (
        PACK, lambda: [pictures(picture(), 1)(), write("new.hdf5", "mine"),
                       ["pictures", "new.hdf5"]][2], "--force"),
    "a target that is a folder": (
        PACK, lambda: [pictures(picture(), 1)(), Path("new.hdf5").mkdir(),
                       ["pictures", "new.hdf5", "--force"]][2], "is a folder"),
    # Lists of attributes
    "an attribute list of 40 GB": (
        PACK, lambda: [listed("")(), os.truncate("list.txt", 4 * 10**10)][0],
        "limit of 32.0 MiB"),
    "an attribute list of 0 bytes": (PACK, listed(""), "format of list_attr"),
    "a truncated attribute list": (PACK, listed(FACES[:-4]), "the format"),
    "an attribute list of one line": (PACK, listed("1\n"), "format of list_attr"),
    "an attribute list with a value other than -1 and 1": (
        PACK, listed(FACES.replace("-1", "5")), "the format"),
    "an attribute list with a wrong number of pictures": (
        PACK, listed("9" * 99 + FACES), "the format"),
    "an attribute list without attribute names": (
        PACK, listed("2\n\n\n1.png"), "format of list_attr"),
    "an attribute list without this picture": (
        PACK, listed(FACES.replace("1.png", "2.png")), "no line for 1.png"),
    "an attribute list that is not UTF-8": (PACK, listed(b"\xff\xfe\x00"), "the format"),
    "a named pipe in place of the attribute list": (
        PACK, lambda: [write("f/1.png", picture()), os.mkfifo("l"),
                       ["f", "new.hdf5", "--attributes", "l"]][2], "not a regular file"),
    # Packed files
    "a packed file of 0 bytes": (FACE, with_file("set.hdf5", b""), "not an HDF5 file"),
    "a truncated packed file": (
        FACE, lambda: [words := packed(lambda file: None)(),
                       os.truncate("set.hdf5", 5000), words][2], "truncated file"),
    "a folder in place of a packed file": (FACE, folder("set.hdf5"), "is not a file"),
    "a packed file whose packing was interrupted": (
        FACE, packed(lambda file: file.attrs.update(complete=False)), "is incomplete"),
    "a packed file with a wrong checksum": (FACE, packed(lambda f: None), "its checksum"),
    "a packed file without images": (
        FACE, packed(lambda file: file.pop("images")), "no dataset images"),
    "a packed file with pixels of type float": (
        FACE, packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 64, 3)))),
        "uint8"),
    "a packed file of images that are not square": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 32, 3), "u1"))),
        "(n, size, size, c)"),
    "a packed file that declares 10**9 images": (
        FACE, packed(lambda f: replaced(f, "images", shape=(10**9, 64, 64, 3), dtype="u1",
                                        chunks=(1, 64, 64, 3))), "only 0"),
    "a packed file that is a decompression bomb": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((999, 64, 64, 3), "u1"),
                                  compression="gzip")), "not allowed"),
    "a packed file with a link to another file": (
        FACE, packed(lambda f: linked(f, "images", h5py.ExternalLink("/etc/x", "a"))),
        "a link to another"),
    "a packed file with a link to itself": (
        FACE, packed(lambda f: linked(f, "labels", h5py.SoftLink("/labels"))),
        "a link to another"),
    "a packed file whose pixels are in another file": (
        FACE, packed(outside), "in other files"),
    "a packed file with a virtual dataset": (FACE, packed(virtual), "in other files"),
    "a packed file with a group in place of labels": (
        FACE, packed(lambda f: [f.pop("labels"), f.create_group("labels")]), "not a da"),
    "a packed file whose labels are strings": (
        FACE, packed(lambda f: replaced(f, "labels", data=["a"] * 64)), "number per im"),
    "a packed file whose labels have no class names": (
        FACE, packed(lambda f: replaced(f, "labels", data=np.arange(64))), "in 0..1"),
    "a packed file without attributes": (
        "celeba_gan/train.py",
        packed(lambda file: None, lambda name: [*data(name), "--conditional",
                                                "--attribute", "Young"]),
        "packed without attributes"),
    "a packed file with too few attributes": (
        "celeba_gan/train.py",
        packed(lambda f: f.update(attributes=np.ones((2, 1), "i1"),
                                  attribute_names=["Young"]),
               lambda name: [*data(name), "--conditional", "--attribute", "Young"]),
        "its attributes are int8 (2, 1), not whole numbers (64, 1)"),
    "a packed file with --crop": (
        "celeba_gan/train.py",
        packed(lambda file: None, lambda name: [*data(name), "--crop", "1"]),
        "already cropped"),
    "a model in place of a packed file": (
        "celeba_gan/train_discriminator.py", modelled("--data", "m.h5"),
        "is a saved Keras model"),
}  # fmt: skip
