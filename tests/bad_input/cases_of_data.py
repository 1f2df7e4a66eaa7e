"""Damaged and hostile sets of small images.

Name -> (script, function that makes them, words of the message).
"""

import gzip
import lzma
import pickle
from pathlib import Path

import numpy as np
from bad_files import (
    ALONE,
    CIFAR,
    DRAW,
    GREY,
    MEMO,
    MNIST,
    PACK,
    TRAIN,
    TUPLES,
    Hostile,
    batch,
    batches,
    csv,
    data,
    declared,
    folder,
    header,
    idx,
    idx_folder,
    laughs,
    named,
    npz,
    odd,
    picture,
    pipe,
    saved,
    sparse,
    tar,
    with_file,
    write,
    zipped,
)

DATA = {
    # .npz
    "a .npz of 0 bytes": (MNIST, with_file("set.npz", b""), "cannot be read", ALONE),
    **{f"a .npz truncated at {share:.1%}": (
        MNIST, npz(share, x_train=GREY), "cannot be re")
       for share in (0.01, 0.3, 0.6, 0.9, 0.999)},
    "a .npz of 29x29 pixels": (MNIST, npz(x_train=np.zeros((9, 29, 29), "u1")), "(n, 28"),
    "a .npz without images": (MNIST, npz(x_train=np.zeros((0, 28, 28), "u1")), "no imag"),
    "a .npz of strings": (MNIST, npz(x_train=np.full((2, 28, 28), "a")), "as uint8"),
    "a .npz of complex numbers": (MNIST, npz(x_train=GREY * 1j), "save them as uint8"),
    "a .npz of NaN": (MNIST, npz(x_train=np.full((2, 28, 28), np.nan)), "nan..nan"),
    "a .npz of values up to 1e30": (MNIST, npz(x_train=GREY * 1e30), "in 0..255"),
    "a .npz with pickled objects": (
        MNIST, npz(x_train=np.array([Hostile()], object)), "Python objects"),
    "a .npz with a single number": (MNIST, npz(x_train=np.uint8(3)), "(n, 28, 28)"),
    "a .npz with other array names": (
        MNIST, npz(a=GREY, b=GREY), "name the images x_train"),
    "a .npz with too few labels": (
        MNIST, npz(x_train=GREY, y_train=np.arange(3)), "labels have shape (3,)"),
    "a .npz that declares 10**12 numbers": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header((10**12,))})),
        "declares the shape (1000000000000,)"),
    "a .npz with a negative shape": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header((-1, 28))})),
        "cannot be read"),
    "a .npz whose header is deeply nested": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header("(" * 90)})),
        "cannot be read"),
    "a .npz that declares 4 GB unpacked": (
        MNIST, with_file("set.npz", lambda: declared(
            saved(x_train=GREY), "x_train.npy", 2**32 - 2)), "use a smaller"),
    "a folder in place of a .npz": (MNIST, folder("set.npz"), "without IDX or .npz"),
    "a named pipe in place of a .npz": (MNIST, pipe("set.npz"), "not a regular file"),
    "a sparse .npz file of 1 TB": (MNIST, sparse("set.npz", 2**40), "1024.0 GiB"),
    "a path with a newline that does not exist": (
        MNIST, odd("no\nsuch.npz"), "no\\nsuch.npz", ALONE),
    "a path with spaces that does not exist": (
        MNIST, odd("my own set.npz"), "my own set.npz: there is no"),
    "a path in Greek letters that does not exist": (
        MNIST, odd("σύνολο.npz"), "σύνολο.npz"),
    "a path with a terminal escape sequence": (
        MNIST, odd("\x1b[31mred.csv"), "\\x1b[31mred"),
    "a path that is not valid UTF-8": (MNIST, odd("\udcff.npz"), "\\udcff.npz"),
    "a path of 5000 characters": (MNIST, odd("x" * 5000), "too long", ALONE),
    "a damaged file whose path has a newline and spaces": (
        MNIST, with_file("my\n own.npz", b"x"), "my\\n own.npz cannot be read", ALONE),
    "a damaged file whose path is in Chinese": (
        MNIST, with_file("数据.csv", "1,2\n"), "数据.csv has 2 columns"),
    "a damaged model whose path has a terminal control character (BEL)": (
        DRAW, with_file("\a.h5", b"x", named()), "\\x07.h5 is neither an"),
    "a truncated zip whose path has a tab": (
        PACK, with_file("a\tb.zip", b"PK", named()), "a\\tb.zip is an incomplete"),
    "a run folder whose path has a newline": (
        TRAIN, lambda: [write("r\nn/options.json", "{"), ["--resume", "r\nn"]][1],
        "r\\nn/options.json is not valid JSON"),
    "a symbolic link to itself": (
        MNIST, lambda: [Path("a.npz").symlink_to("a.npz"), data("a.npz")][1], "no such"),
    "a picture in place of a data set": (
        MNIST, with_file("a.png", picture), "neither an .npz nor a .csv"),
    "GAN_DATA_DIR is not a folder": (
        TRAIN, list, "GAN_DATA_DIR is 'nowhere'",
        {"settings": {"GAN_DATA_DIR": "nowhere"}, "alone": True}),
    # IDX
    "an IDX file of 0 bytes": (MNIST, idx_folder(b""), "cannot be read"),
    "an IDX file truncated in its header": (
        MNIST, idx_folder(b"\0\0\x08\3\0\0"), "cannot"),
    "an IDX file truncated in its pixels": (
        MNIST, idx_folder(idx((70, 28, 28), 1000)), "1000 pixels instead of 54880"),
    "an IDX file that declares 2**31 images": (
        MNIST, idx_folder(idx((2**31, 28, 28), 784)), "784 pixels instead of"),
    "an IDX file of 255 dimensions": (
        MNIST, idx_folder(b"\0\0\x08\xff" + bytes(2000)), "cannot be read"),
    "an IDX file without images": (MNIST, idx_folder(idx((0, 28, 28), 0)), "no images"),
    "an IDX file of floats": (MNIST, idx_folder(idx((1, 28, 28), 784, 13)), "its header"),
    "an IDX file of larger images": (
        MNIST, idx_folder(idx((2, 32, 32), 2048)), "(n, 28, 28)"),
    "a folder in place of an IDX file": (
        MNIST, lambda: [Path("set/train-images-idx3-ubyte").mkdir(parents=True),
                        data("set")][1], "not a regular file"),
    "an IDX file of images in place of labels": (
        MNIST, idx_folder(idx((2, 28, 28), 1568),
                          train_labels_idx1_ubyte=idx((2, 28, 28), 1568)), "labels have"),
    "a .gz file that is not gzip": (
        MNIST, idx_folder(b"text", "train-images-idx3-ubyte.gz"), "cannot be read"),
    "a truncated .gz file": (
        MNIST, idx_folder(gzip.compress(idx((70, 28, 28), 54880))[:-20],
                          "train-images-idx3-ubyte.gz"), "cannot be read"),
    "an empty folder": (MNIST, folder("set"), "train-images-idx3-ubyte"),
    # CSV
    "a .csv of 0 bytes": (MNIST, with_file("set.csv", b""), "contains no images"),
    "a .csv with a header line only": (
        MNIST, with_file("set.csv", "label,1,2\n"), "no images"),
    "a .csv of three columns": (MNIST, with_file("set.csv", "1,2,3\n"), "has 3 columns"),
    "a .csv truncated in a row": (
        MNIST, with_file("set.csv", lambda: csv(3)[:-900]), "co"),
    "a .csv with a word in place of a pixel": (
        MNIST, with_file("set.csv", lambda: csv(2) + csv(1, "cat")), "cannot be read"),
    "a .csv of values above 255": (
        MNIST, with_file("set.csv", lambda: csv(2).replace("7", "700")), "must be in 0"),
    "a .csv with an extremely long line": (
        MNIST, with_file("set.csv", lambda: "1," * 200_000), "a line is longer than"),
    "a .csv that is not UTF-8": (
        MNIST, with_file("set.csv", bytes(range(256)) * 9), "cannot be read"),
    "a .csv whose labels are not whole numbers": (
        MNIST, with_file("set.csv", lambda: csv(2, "nan") + csv(2, "1e30")), "label nan"),
    "a link to /dev/zero in place of a .csv": (
        MNIST, lambda: [Path("a.csv").symlink_to("/dev/zero"), data("a.csv")][1],
        "not a regular file"),
    "a .csv for a script that needs a test set": (
        "mnist_gan/train_discriminator.py", with_file("a.csv", "1\n"), "1 columns: save"),
    # CIFAR-10
    "a batch of 0 bytes": (CIFAR, batches(b""), "not a CIFAR-10 batch"),
    **{f"a batch truncated at {share:.0%}": (
        CIFAR, batches(batch()[: int(len(batch()) * share)]), "not a CIFAR-10 batch")
       for share in (0.001, 0.5, 0.99)},
    "a batch whose pickle would run code": (
        CIFAR, batches(pickle.dumps(Hostile())), "calls posix.system", ALONE),
    "a batch with exponentially nested lists": (
        CIFAR, batches(batch(labels=laughs(60))), "not a list of whole numbers"),
    "a batch with a key of exponentially nested tuples": (
        CIFAR, batches(TUPLES), "keys are not strings"),
    "a batch that is a set": (CIFAR, batches(pickle.dumps({1}, 4)), "contains a set"),
    "a batch that memoizes 2**31 values": (CIFAR, batches(MEMO), "no data or no labels"),
    "a batch that is a list": (CIFAR, batches(pickle.dumps([1])), "not a CIFAR-10 batch"),
    "a batch without labels": (CIFAR, batches(batch(labels=None)), "not a list of whole"),
    "a batch with the label 99": (CIFAR, batches(batch(labels=[99] * 4)), "0 to 9"),
    "a batch of images of another size": (
        CIFAR, batches(batch(data=np.zeros((4, 100), "u1"))), "has shape (4, 100)"),
    "a batch with pixels of type float": (
        CIFAR, batches(batch(data=np.zeros((4, 3072)))), "not an array of bytes"),
    "a missing batch": (CIFAR, batches(batch(), n=4), "has no file data_batch_4"),
    "an archive of 0 bytes": (CIFAR, with_file("c.tar.gz", b""), "not a complete tar"),
    "a truncated archive": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 2**20)[:200]), "cannot"),
    "an archive that is a decompression bomb (1 GB)": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 2**30)), "more than"),
    "an archive with a file name of 1 GB": (
        CIFAR, with_file("c.tar.gz", lambda: tar("x", 2**30, b"L")), "more than"),
    "an archive with a link in place of a batch": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 0, b"2")), "has no"),
    "an .xz file without a tar archive": (
        CIFAR, with_file("c.tar.xz", lambda: lzma.compress(b"text")), "tar archive"),
    "a text file in place of the folder of batches": (
        "cifar10_gan/train_discriminator.py", with_file("c", "text"), "tar archive"),
}  # fmt: skip
