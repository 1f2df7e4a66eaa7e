"""Damaged and hostile files: name -> (script, function that makes them, what is said)."""

import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import tempfile
import zipfile
from functools import cache, partial
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from common.runs.state import global_generators

GREY = np.arange(70 * 784, dtype=np.uint32).reshape(70, 28, 28).astype(np.uint8)
DEEP = 400  # folders, one in the other
RNG = np.random.default_rng(0)
STATE = {"epoch": np.array(1), "step": np.array(0), **global_generators()}


def walk(top):
    """As os.walk, from one folder to the next and not by recursion."""
    start, left = Path.cwd(), [top]
    while left:
        folder = left.pop()
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        folders = [e.name for e in found if e.is_dir(follow_symlinks=False)]
        yield folder, folders, [e.name for e in found if e.name not in folders]
        left += [f"{folder}/{name}" for name in folders]
    assert Path.cwd() == start


def write(name, content):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def data(name):
    return ["--data", str(name)]


def with_file(name, content, words=data):
    """A maker: the file of this content, and the words that name it."""
    return lambda: words(write(name, content() if callable(content) else content))


def saved(**arrays):
    held = io.BytesIO()
    np.savez(held, **arrays)
    return held.getvalue()


def npz(cut=None, **arrays):
    """A maker: `set.npz` of these arrays, cut off behind a share of its bytes."""

    def content():
        whole = saved(**arrays)
        return whole[: int(len(whole) * cut)] if cut is not None else whole

    return with_file("set.npz", content)


def header(shape, kind="|u1"):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def zipped(members, kind=zipfile.ZIP_STORED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def declared(content, name, size):
    """A zip whose directory says that a file unpacks to another size."""
    at = content.rindex(name.encode()) - 46 + 24
    return content[:at] + struct.pack("<I", size) + content[at + 4 :]


def idx(sizes, n_bytes, kind=8, zeros=0):
    return struct.pack(f">HBB{len(sizes)}I", zeros, kind, len(sizes), *sizes) + bytes(
        n_bytes
    )


def idx_folder(images, name="train-images-idx3-ubyte", **others):
    def make():
        write(f"set/{name}", images)
        for other, content in others.items():
            write(f"set/{other.replace('_', '-')}", content)
        return data("set")

    return make


def csv(rows, label="3"):
    return "\n".join(",".join([label, *["7"] * 784]) for _ in range(rows)) + "\n"


# ---- CIFAR-10


def batch(rows=4, **changes):
    held = {b"data": np.zeros((rows, 3072), np.uint8), b"labels": [1] * rows}
    held.update({key.encode(): value for key, value in changes.items()})
    return pickle.dumps(held, protocol=2)


def batches(content, n=6):
    """A maker: a folder of CIFAR-10 whose first batch is this content."""

    def make():
        for i, name in enumerate(
            ["test_batch", *(f"data_batch_{k}" for k in range(1, n))]
        ):
            write(f"cifar/{name}", content if i == 1 else batch())
        return data("cifar")

    return make


def laughs(depth):
    """A list of two equal lists of two ..., which is small until it is looked at."""
    value = [1, 1]
    for _ in range(depth):
        value = [value, value]
    return value


class Hostile:
    def __reduce__(self):
        return os.system, ("touch code_ran",)


def tuples(depth):
    """As `laughs`; and to hash it takes 2**depth steps."""
    value = (0,)
    for _ in range(depth):
        value = (value, value)
    return value


TUPLES = b"\x80\x02}" + pickle.dumps(tuples(40), 2)[2:-1] + b"K\x01s."  # {tuples: 1}
MEMO = b"\x80\x02}" + b"r" + struct.pack("<I", 2**31 - 1) + b"."


def tar(name, declares, kind=tarfile.REGTYPE):
    """A packed archive that declares more than it holds, which is refused unread."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size, member.type = declares, kind
        archive.fileobj.write(member.tobuf())
        archive.fileobj.write(RNG.bytes(2**16))
    return held.getvalue()


# ---- Pictures


def picture(kind="PNG", size=(40, 40), mode="RGB"):
    held = io.BytesIO()
    Image.new(mode, size, 7).save(held, kind)
    return held.getvalue()


def pictures(content, n=70, ending="png", words=data):
    def make():
        for i in range(n):
            write(f"pictures/{i:03}.{ending}", content)
        return words("pictures")

    return make


def huge_png():
    """A PNG that declares 60000 x 60000 pixels."""
    whole = picture()
    ihdr = b"IHDR" + struct.pack(">II", 60000, 60000) + whole[24:29]
    return whole[:12] + ihdr + struct.pack(">I", crc(ihdr)) + whole[33:]


def crc(content):
    import zlib

    return zlib.crc32(content)


def pictures_zip(names, words=data):
    return with_file(
        "set.zip", lambda: zipped({name: picture() for name in names}), words
    )


def link_zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for i in range(70):
            info = zipfile.ZipInfo(f"{i}.png")
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
    return held.getvalue()


def quine_zip():
    inner = zipped({"a.png": picture()})
    for depth in range(20):
        inner = zipped({f"{depth}.zip": inner})
    return inner


def bomb_zip():
    zeros = {f"{i}.bmp": bytes(2**20) for i in range(3)}
    content = zipped(zeros, zipfile.ZIP_DEFLATED)
    for name in zeros:
        content = declared(content, name, 2**31)
    return content


def deep_folders():
    """Folders in folders, made from the innermost out: no path is too long on the way."""
    Path("x").mkdir()
    for _ in range(DEEP):
        Path("y").mkdir()
        Path("x").rename("y/x")
        Path("y").rename("x")
    return data("x")


def flatten():
    """Undo `deep_folders`, which no one else can remove."""
    while Path("x/x").is_dir():
        Path("x/x").rename("y")
        Path("x").rmdir()
        Path("y").rename("x")


def loops():
    Path("pictures").mkdir()
    Path("pictures/loop").symlink_to(Path("pictures").absolute())
    Path("pictures/self.png").symlink_to("self.png")
    Path("pictures/dangling.png").symlink_to("nowhere")
    Path("pictures/zero.png").symlink_to("/dev/zero")
    return data("pictures")


def pipe(name, words=data):
    def make():
        os.mkfifo(name)
        return words(name)

    return make


def folder(name, words=data):
    def make():
        Path(name).mkdir()
        return words(name)

    return make


def sparse(name, size, words=data):
    def make():
        with Path(name).open("wb") as file:
            file.truncate(size)
        return words(name)

    return make


def listed(text):
    """A maker: a picture to pack, and a list of attributes of this text."""

    def make():
        write("faces/1.png", picture())
        write("list.txt", text)
        return ["faces", "new.hdf5", "--attributes", "list.txt"]

    return make


FACES = "1\nBald Young\n1.png -1 1\n"

# ---- Packed files


def packed(change, words=data):
    """A maker: a packed file in which something was changed."""

    def make():
        with h5py.File("set.hdf5", "w") as file:
            file["images"] = np.zeros((64, 64, 64, 3), np.uint8)
            file["labels"], file["classes"] = np.arange(64) % 2, ["a", "b"]
            file.attrs.update(source="/set", checksum="0" * 64, complete=True)
            change(file)
        return words("set.hdf5")

    return make


def replaced(file, name, **keywords):
    del file[name]
    return file.create_dataset(name, **keywords)


def linked(file, name, link):
    del file[name]
    file[name] = link


def virtual(file):
    del file["images"]
    layout = h5py.VirtualLayout((64, 64, 64, 3), np.uint8)
    layout[:] = h5py.VirtualSource("/etc/passwd", "images", (64, 64, 64, 3))
    file.create_virtual_dataset("images", layout)


def outside(file):
    replaced(file, "images", shape=(64, 64, 64, 3), dtype=np.uint8,
             external=[("/dev/zero", 0, 64**3 * 3)])  # fmt: skip


# ---- Models


@cache
def model(kind="generator", ending="h5"):
    """The bytes of a small model of 28x28 grey images."""
    import keras

    ends = {
        "generator": [(5,), 784, (28, 28, 1)],
        "discriminator": [(28, 28, 1), 1, (1,)],
    }
    start, n, end = ends[kind]
    layers = keras.layers
    made = keras.Sequential(
        [layers.Input(start), layers.Flatten(), layers.Dense(n), layers.Reshape(end),
         layers.Activation("sigmoid")]
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, f"model.{ending}")
        made.save(path)
        return path.read_bytes()


def modelled(*more, kind="generator", change=None, make=None):
    """A maker: a model `m.h5`, and words that begin with it."""

    def all_made():
        write("m.h5", model(kind))
        if change:
            with h5py.File("m.h5", "a") as file:
                change(file)
        if make:
            make()
        return [str(word) for word in more]

    return all_made


def cut_model(share):
    return lambda: model()[: int(len(model()) * share)]


def named(*before):
    return lambda name: [*before, str(name)]


def told(**record):
    """A change: the model says that it was trained on this."""
    whole = {"script": "mnist_gan/train.py", "options": {"data": "synthetic"},
             "data": {"fingerprint": "0", "name": "synthetic"}, **record}  # fmt: skip
    return lambda file: file.attrs.update(trained_on=json.dumps(whole))


def many_layers(file):
    """A change: the model has 500 layers more, each of a few bytes."""
    described = json.loads(file.attrs["model_config"])
    layer = {"module": "keras.layers", "class_name": "Identity", "config": {}}
    described["config"]["layers"] += [layer] * 500
    file.attrs["model_config"] = json.dumps(described)


def points(array):
    return lambda: np.save("p.npy", array)


def graph_that_writes():
    """A .pb whose graph would write a file."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file("code_ran", "code")
    return graph.as_graph_def().SerializeToString()


# ---- Runs


@cache
def options():
    """The options of a dry run of MNIST, as a run folder keeps them."""
    from common.options.training_options import training_options
    from mnist_gan.train import ARCHITECTURES, DATA, PRESETS, SCRIPT, TUTORIAL, __doc__

    typed = training_options(
        ["--dry-run", "--seed", "1"], __doc__, SCRIPT, DATA, TUTORIAL, PRESETS,
        architectures=ARCHITECTURES,
    )  # fmt: skip
    return vars(typed)


@cache
def fingerprint():
    from common.data.datasets import load_images

    return load_images("synthetic").describe()


HISTORY = "epoch,step,d_loss,g_loss\n1,2,0.5,0.7\n"


def a_run(name="run", record=None, state=None, history=HISTORY, within=False, **changed):
    """A run folder, of which something is wrong."""
    whole = {"script": "mnist_gan/train.py", "options": {**options(), **changed},
             "data": fingerprint(), "device": "device: CPU"}  # fmt: skip
    whole.update(record or {})
    write(f"{name}/options.json", json.dumps(whole))
    write(f"{name}/history.csv", history)
    write(
        f"{name}/state.npz",
        saved(**STATE) if state is None else state,
    )
    if within:
        write(
            f"{name}/state_within.npz",
            saved(**{**STATE, "step": np.array(1), "row step": np.array(1)}),
        )
    else:
        write(f"{name}/training.gif", b"")  # its last act


def resume(text=None, words=("--epochs", "3"), beside=None, link=None, **keywords):
    """A maker: a run folder, with this as its options.json, to go on with.

    And with another file, a name and what is in it, or a link of this name.
    """

    def make():
        a_run(**keywords)
        if beside:
            write(f"run/{beside[0]}", beside[1])
        if link:
            Path("run", link).symlink_to(write("precious", "the user's"))
        if text is not None:
            write("run/options.json", text)
        return ["--resume", "run", *words]

    return make


def compared(file=None, text="", **keywords):
    """A maker: two runs, and a file in the second."""

    def make():
        a_run("one")
        a_run("two", **keywords)
        if file:
            write(f"two/{file}", text)
        return ["one", "two"]

    return make


def scores(**entry):
    whole = {"epoch": 1, "scores": {"fid": 3.0}, "protocol": {}, **entry}
    return json.dumps(whole) + "\n"


def odd(name):
    return lambda: data(name)


MNIST, CIFAR = "mnist_gan/load_data.py", "cifar10_gan/load_data.py"
FACE, PACK = "celeba_gan/load_data.py", "celeba_gan/pack_hdf5.py"
TRAIN, DRAW = "mnist_gan/train.py", "common/generate.py"
SCORE, LOOK, SIDE = "common/evaluate.py", "common/explore.py", "common/compare.py"
ALONE = {"alone": True}
FILES = {
    # .npz
    "a .npz of 0 bytes": (MNIST, with_file("set.npz", b""), "cannot be read", ALONE),
    **{f"a .npz cut off at {share:.1%}": (MNIST, npz(share, x_train=GREY), "cannot be re")
       for share in (0.01, 0.3, 0.6, 0.9, 0.999)},
    "a .npz of 29x29 pixels": (MNIST, npz(x_train=np.zeros((9, 29, 29), "u1")), "(n, 28"),
    "a .npz without images": (MNIST, npz(x_train=np.zeros((0, 28, 28), "u1")), "no imag"),
    "a .npz of texts": (MNIST, npz(x_train=np.full((2, 28, 28), "a")), "not numbers"),
    "a .npz of complex numbers": (MNIST, npz(x_train=GREY * 1j), "not numbers"),
    "a .npz of NaN": (MNIST, npz(x_train=np.full((2, 28, 28), np.nan)), "from nan"),
    "a .npz of values up to 1e30": (MNIST, npz(x_train=GREY * 1e30), "not from 0 to 255"),
    "a .npz of pickles": (
        MNIST, npz(x_train=np.array([Hostile()], object)), "Python objects"),
    "a .npz of a single number": (MNIST, npz(x_train=np.uint8(3)), "(n, 28, 28)"),
    "a .npz of other names": (MNIST, npz(a=GREY, b=GREY), "not an array named x_train"),
    "a .npz with too few labels": (
        MNIST, npz(x_train=GREY, y_train=np.arange(3)), "labels of shape (3,)"),
    "a .npz that declares 10**12 numbers": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header((10**12,))})),
        "declares an array of (1000000000000,)"),
    "a .npz of a negative shape": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header((-1, 28))})),
        "cannot be read"),
    "a .npz whose header nests without end": (
        MNIST, with_file("set.npz", lambda: zipped({"x_train.npy": header("(" * 90)})),
        "cannot be read"),
    "a .npz that declares 4 GB unpacked": (
        MNIST, with_file("set.npz", lambda: declared(
            saved(x_train=GREY), "x_train.npy", 2**32 - 2)), "are the most"),
    "a .npz that is a folder": (MNIST, folder("set.npz"), "no set.npz"),
    "a .npz that is a pipe": (MNIST, pipe("set.npz"), "no plain file"),
    "a .npz of 1 TB, all holes": (MNIST, sparse("set.npz", 2**40), "smaller"),
    "a name with a newline": (MNIST, odd("no\nsuch.npz"), "no\\nsuch.npz", ALONE),
    "a name with spaces": (MNIST, odd("my own set.npz"), "my own set.npz: there is no"),
    "a name in Greek": (MNIST, odd("σύνολο.npz"), "σύνολο.npz"),
    "a name that colours the terminal": (MNIST, odd("\x1b[31mred.csv"), "\\x1b[31mred"),
    "a name of bytes that are no characters": (MNIST, odd("\udcff.npz"), "\\udcff.npz"),
    "a name of 5000 characters": (MNIST, odd("x" * 5000), "too long", ALONE),
    "a damaged file of a name with newline and spaces": (
        MNIST, with_file("my\n own.npz", b"x"), "my\\n own.npz cannot be read", ALONE),
    "a damaged file of a name in Chinese": (
        MNIST, with_file("数据.csv", "1,2\n"), "数据.csv has 2 columns"),
    "a damaged model of a name that rings": (
        DRAW, with_file("\a.h5", b"x", named()), "\\x07.h5 is not a Keras model"),
    "a zip of a name with a tab, cut off": (
        PACK, with_file("a\tb.zip", b"PK", named()), "a\\tb.zip is a zip that was cut"),
    "a run of a name with a newline": (
        TRAIN, lambda: [write("r\nn/options.json", "{"), ["--resume", "r\nn"]][1],
        "r\\nn is not a run folder"),
    "a link to itself": (
        MNIST, lambda: [Path("a.npz").symlink_to("a.npz"), data("a.npz")][1], "no such"),
    "a picture for a set of images": (
        MNIST, with_file("a.png", picture), "neither an .npz nor a .csv"),
    "GAN_DATA_DIR names no folder": (
        TRAIN, list, "GAN_DATA_DIR names 'nowhere'",
        {"settings": {"GAN_DATA_DIR": "nowhere"}, "alone": True}),
    # IDX
    "an IDX file of 0 bytes": (MNIST, idx_folder(b""), "cannot be read"),
    "an IDX file cut off in its header": (MNIST, idx_folder(b"\0\0\x08\3\0\0"), "cannot"),
    "an IDX file cut off in its pixels": (
        MNIST, idx_folder(idx((70, 28, 28), 1000)), "1000 bytes instead of 54880"),
    "an IDX file that declares 2**31 images": (
        MNIST, idx_folder(idx((2**31, 28, 28), 784)), "784 bytes instead of"),
    "an IDX file of 255 dimensions": (
        MNIST, idx_folder(b"\0\0\x08\xff" + bytes(2000)), "cannot be read"),
    "an IDX file of no images": (MNIST, idx_folder(idx((0, 28, 28), 0)), "no images"),
    "an IDX file of floats": (MNIST, idx_folder(idx((1, 28, 28), 784, 13)), "not start"),
    "an IDX file of larger images": (
        MNIST, idx_folder(idx((2, 32, 32), 2048)), "not (n, 28, 28)"),
    "an IDX file that is a folder": (
        MNIST, lambda: [Path("set/train-images-idx3-ubyte").mkdir(parents=True),
                        data("set")][1], "no plain file"),
    "IDX images whose labels are images": (
        MNIST, idx_folder(idx((2, 28, 28), 1568),
                          train_labels_idx1_ubyte=idx((2, 28, 28), 1568)), "labels of"),
    "a .gz that is none": (
        MNIST, idx_folder(b"text", "train-images-idx3-ubyte.gz"), "cannot be read"),
    "a .gz cut off": (
        MNIST, idx_folder(gzip.compress(idx((70, 28, 28), 54880))[:-20],
                          "train-images-idx3-ubyte.gz"), "cannot be read"),
    "a folder of nothing": (MNIST, folder("set"), "no set.npz and no train-images"),
    # CSV
    "a .csv of 0 bytes": (MNIST, with_file("set.csv", b""), "no images in it"),
    "a .csv of names alone": (MNIST, with_file("set.csv", "label,1,2\n"), "no images"),
    "a .csv of three columns": (MNIST, with_file("set.csv", "1,2,3\n"), "3 columns"),
    "a .csv cut off in a row": (MNIST, with_file("set.csv", lambda: csv(3)[:-900]), "co"),
    "a .csv of words": (
        MNIST, with_file("set.csv", lambda: csv(2) + csv(1, "cat")), "cannot be read"),
    "a .csv of values above 255": (
        MNIST, with_file("set.csv", lambda: csv(2).replace("7", "700")), "not from 0 to"),
    "a .csv of a line without end": (
        MNIST, with_file("set.csv", lambda: "1," * 200_000), "a line of more than"),
    "a .csv of bytes that are no text": (
        MNIST, with_file("set.csv", bytes(range(256)) * 9), "cannot be read"),
    "a .csv of labels that are no classes": (
        MNIST, with_file("set.csv", lambda: csv(2, "nan") + csv(2, "1e30")), "whole num"),
    "a .csv that is /dev/zero": (
        MNIST, lambda: [Path("a.csv").symlink_to("/dev/zero"), data("a.csv")][1],
        "no plain file"),
    "a .csv as test set": (
        "mnist_gan/train_discriminator.py", with_file("a.csv", "1\n"), "1 columns"),
    # CIFAR-10
    "a batch of 0 bytes": (CIFAR, batches(b""), "not a whole CIFAR-10 batch"),
    **{f"a batch cut off at {share:.0%}": (
        CIFAR, batches(batch()[: int(len(batch()) * share)]), "not a whole CIFAR-10")
       for share in (0.001, 0.5, 0.99)},
    "a batch that would run code": (
        CIFAR, batches(pickle.dumps(Hostile())), "would run 'posix.system'", ALONE),
    "a batch of lists in lists without end": (
        CIFAR, batches(batch(labels=laughs(60))), "no list of whole numbers"),
    "a batch whose key is tuples in tuples without end": (
        CIFAR, batches(TUPLES), "keys are no texts"),
    "a batch that is a set": (CIFAR, batches(pickle.dumps({1}, 4)), "not a whole"),
    "a batch that remembers 2**31 values": (CIFAR, batches(MEMO), "lacks data or labels"),
    "a batch of a list": (CIFAR, batches(pickle.dumps([1])), "not a whole CIFAR-10"),
    "a batch without labels": (CIFAR, batches(batch(labels=None)), "no list of whole"),
    "a batch of labels up to 99": (CIFAR, batches(batch(labels=[99] * 4)), "0 to 9"),
    "a batch of other pixels": (
        CIFAR, batches(batch(data=np.zeros((4, 100), "u1"))), "of shape (4, 100)"),
    "a batch of floats": (CIFAR, batches(batch(data=np.zeros((4, 3072)))), "not bytes"),
    "a batch that is missing": (CIFAR, batches(batch(), n=4), "has no data_batch_4"),
    "an archive of 0 bytes": (CIFAR, with_file("c.tar.gz", b""), "not a whole tar"),
    "an archive cut off": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 2**20)[:200]), "cannot"),
    "an archive that unpacks to 1 GB": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 2**30)), "more than"),
    "an archive of a name of 1 GB": (
        CIFAR, with_file("c.tar.gz", lambda: tar("x", 2**30, b"L")), "more than"),
    "an archive of a link": (
        CIFAR, with_file("c.tar.gz", lambda: tar("data_batch_1", 0, b"2")), "has no"),
    "an .xz that is none": (
        CIFAR, with_file("c.tar.xz", lambda: lzma.compress(b"text")), "tar archive"),
    "a file for a folder of batches": (
        "cifar10_gan/train_discriminator.py", with_file("c", "text"), "tar archive"),
    # Pictures
    "a folder of no pictures": (FACE, folder("pictures"), "no files in it"),
    "a folder of texts": (FACE, pictures("text"), "none of its 70 files"),
    "too few pictures": (FACE, pictures(picture(), n=9), "9 pictures: too few"),
    "pictures of 0 bytes": (FACE, pictures(b""), "not a picture"),
    "pictures cut off": (FACE, pictures(picture()[:60]), "none of its 70 files"),
    "pictures of 60000x60000 pixels": (FACE, pictures(huge_png(), 64), "decompression"),
    "PostScript, which is a program": (
        FACE, pictures(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n",
                       ending="eps"), "not a picture"),
    "pictures of 1 TB, all holes": (
        FACE, lambda: [pictures("x", 63)(), sparse("pictures/a.png", 2**40)(),
                       data("pictures")][2], "none of its 64 files"),
    "folders that link in a circle": (FACE, loops, "no files in it"),
    "folders in folders without end": (FACE, deep_folders, "nested too deep"),
    "a pipe for a folder": (FACE, pipe("a.zip"), "no plain file"),
    "a zip of 0 bytes": (FACE, with_file("a.zip", b""), "neither a folder nor a .zip"),
    "a zip cut off": (
        FACE, with_file("a.zip", lambda: zipped({"a.png": picture()})[:-30]), "cut off"),
    "a zip of nothing": (FACE, with_file("a.zip", lambda: zipped({})), "no files in it"),
    "a web page for a zip": (
        FACE, with_file("a.zip", "<!doctype html><html>"), "is a web page"),
    "a zip with absolute paths": (
        PACK, pictures_zip(["/tmp/a.png"], named()), "lies outside of it"),
    "a zip with .. in paths": (
        PACK, pictures_zip(["a/../../b.png"], named()), "lies outside of it", ALONE),
    "a zip of links": (FACE, with_file("a.zip", link_zip), "none of its 70 files"),
    "a zip in a zip in a zip": (FACE, with_file("a.zip", quine_zip), "too few"),
    "the same, packed": (PACK, with_file("a.zip", quine_zip, named()), "not a picture"),
    "a zip that unpacks to 6 GB": (
        PACK, with_file("a.zip", bomb_zip, named()), "as no pictures do"),
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
        "33554432 are read"),
    "a list of attributes of 0 bytes": (PACK, listed(""), "not like list_attr_celeba"),
    "a list of attributes cut off": (PACK, listed(FACES[:-4]), "not like list_attr"),
    "a list of one line": (PACK, listed("1\n"), "not like list_attr_celeba"),
    "a list of other values": (PACK, listed(FACES.replace("-1", "5")), "not like"),
    "a list of another count": (PACK, listed("9" * 99 + FACES), "not like list_attr"),
    "a list without names": (PACK, listed("2\n\n\n1.png"), "not like list_attr_celeba"),
    "a list without this picture": (
        PACK, listed(FACES.replace("1.png", "2.png")), "no line for the picture 1.png"),
    "a list of bytes that are no text": (PACK, listed(b"\xff\xfe\x00"), "not like"),
    "a list that is a pipe": (
        PACK, lambda: [write("f/1.png", picture()), os.mkfifo("l"),
                       ["f", "new.hdf5", "--attributes", "l"]][2], "no plain file"),
    # Packed files
    "a packed file of 0 bytes": (FACE, with_file("set.hdf5", b""), "not an HDF5 file"),
    "a packed file cut off": (
        FACE, lambda: [words := packed(lambda file: None)(),
                       os.truncate("set.hdf5", 5000), words][2], "cut off"),
    "a packed file that is a folder": (FACE, folder("set.hdf5"), "no such file"),
    "a packed file not packed to its end": (
        FACE, packed(lambda file: file.attrs.update(complete=False)), "not packed to"),
    "a packed file of another checksum": (FACE, packed(lambda f: None), "its checksum"),
    "a packed file without images": (
        FACE, packed(lambda file: file.pop("images")), "no dataset `images`"),
    "a packed file of floats": (
        FACE, packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 64, 3)))),
        "of bytes"),
    "a packed file of oblong images": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((9, 64, 32, 3), "u1"))),
        "(n, size, size, c)"),
    "a packed file that declares 10**9 images": (
        FACE, packed(lambda f: replaced(f, "images", shape=(10**9, 64, 64, 3), dtype="u1",
                                        chunks=(1, 64, 64, 3))), "holds 0"),
    "a packed file that is a bomb": (
        FACE,
        packed(lambda f: replaced(f, "images", data=np.zeros((999, 64, 64, 3), "u1"),
                                  compression="gzip")), "packed otherwise"),
    "a packed file of a link to another": (
        FACE, packed(lambda f: linked(f, "images", h5py.ExternalLink("/etc/x", "a"))),
        "a link to elsewhere"),
    "a packed file of a link in itself": (
        FACE, packed(lambda f: linked(f, "labels", h5py.SoftLink("/labels"))),
        "a link to elsewhere"),
    "a packed file with pixels elsewhere": (FACE, packed(outside), "lies in other files"),
    "a packed file of a virtual set": (FACE, packed(virtual), "lies in other files"),
    "a packed file of groups": (
        FACE, packed(lambda f: [f.pop("labels"), f.create_group("labels")]), "is no da"),
    "a packed file of labels that are texts": (
        FACE, packed(lambda f: replaced(f, "labels", data=["a"] * 64)), "no label"),
    "a packed file of labels without a name": (
        FACE, packed(lambda f: replaced(f, "labels", data=np.arange(64))), "none of its"),
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
        "has attributes int8 (2, 1), not whole numbers (64, 1)"),
    "a packed file that is cropped again": (
        "celeba_gan/train.py",
        packed(lambda file: None, lambda name: [*data(name), "--crop", "1"]),
        "was cropped when it was packed"),
    "a model for a packed file": (
        "celeba_gan/train_discriminator.py", modelled("--data", "m.h5"),
        "is a saved Keras model"),
    # Models
    "a place for images that cannot be": (
        DRAW, modelled("m.h5", "--out", "g.png", "--images", "/proc/x/y"), "x/y: No"),
    "a model of 0 bytes": (DRAW, with_file("m.h5", b"", named()), "is empty"),
    **{f"a model cut off at {share:.0%}": (
        DRAW, with_file("m.h5", cut_model(share), named()), "damaged or not a Keras")
       for share in (0.01, 0.5, 0.99)},
    "a model that is a folder": (DRAW, folder("m.h5", named()), "is no file"),
    "a model that is a pipe": (DRAW, pipe("m.h5", named()), "is no file"),
    "a model that is a text": (DRAW, with_file("m.h5", "text", named()), "neither an"),
    "a pickle for a model": (
        DRAW, with_file("m.h5", pickle.dumps(Hostile()), named()), "neither an .h5"),
    "a packed file for a model": (DRAW, packed(lambda f: None, named()), "not numbers"),
    "a discriminator for a generator": (
        DRAW, modelled("m.h5", kind="discriminator"), "is a discriminator"),
    "a .keras file cut off": (
        DRAW, with_file("m.keras", lambda: model(ending="keras")[:900], named()),
        "damaged or not"),
    "a .keras file that points outside": (
        DRAW, with_file("m.keras", zipped({"../x": b""}), named()), "nothing else"),
    "a .keras file that is a bomb": (
        DRAW, with_file("m.keras", lambda: zipped({"config.json": bytes(10**7)},
                                                  zipfile.ZIP_DEFLATED), named()),
        "packed or encrypted"),
    "a class of a model that has none": (
        DRAW, modelled("m.h5", "--label", "3"), "cannot be told a class"),
    "points of another size": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.zeros((2, 6)))),
        "takes points of 5 numbers"),
    "points that are NaN": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), np.nan))),
        "not numbers"),
    "points of 1e300": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=points(np.full((1, 5), 1e300))),
        "not numbers"),
    "points that are pickles": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.array([Hostile()], object))), "Python objects"),
    "points that are declared and not there": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=lambda: write("p.npy", header((10**11, 5), "<f4"))),
        "it declares an array"),
    "more points than are drawn": (
        DRAW, modelled("m.h5", "--latent", "p.npy",
                       make=points(np.zeros((100_001, 5), "f4"))), "100001 points"),
    "a --latent of 0 bytes": (
        DRAW, modelled("m.h5", "--latent", "p.npy", make=lambda: write("p.npy", b"")),
        "cannot be read"),
    "a picture in no folder": (
        DRAW, modelled("m.h5", "--out", "no/such/a.png"), "no folder no/such"),
    "a picture of another kind": (
        DRAW, modelled("m.h5", "--out", "a.jpg"), "must end in .png"),
    "a picture that is there": (
        DRAW, modelled("m.h5", "--out", "a.png", make=lambda: write("a.png", b"mine")),
        "exists already"),
    "a model of 500 layers": (
        DRAW, modelled("m.h5", change=many_layers), "200 are the most"),
    "a generator for --verdict": (
        DRAW, modelled("m.h5", "--verdict", "m.h5"), "is not a discriminator"),
    # Scores
    "scores of a folder that is no run": (SCORE, folder("run", named()), "not a run"),
    "scores of a run without models": (
        SCORE, lambda: [a_run(), ["run"]][1], "no generator_model"),
    "scores of a model cut off": (
        SCORE, with_file("m.h5", cut_model(0.5), named()), "damaged or not"),
    "scores against other images": (
        SCORE, modelled("m.h5", "--data", "cifar", make=batches(batch(50))),
        "has no cifar.npz"),
    "scores against a damaged set": (
        SCORE, modelled("m.h5", "--data", "a.npz", make=lambda: write("a.npz", b"x")),
        "cannot be read"),
    "scores of held-out images without any": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--split", "test"), "no held-"),
    "features of another kind": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.txt"), "wanted"),
    "features that are not here": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "keras-inception"),
        "is missing: download"),
    "features of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.h5",
                        make=lambda: write("x.h5", b"")), "not an HDF5 file"),
    "a graph of 0 bytes": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", b"")), "not the Inception graph"),
    "a graph that writes files": (
        SCORE, modelled("m.h5", "--data", "synthetic", "--features", "x.pb",
                        make=lambda: write("x.pb", graph_that_writes())),
        "it would run"),
    "a folder of texts to score": (
        SCORE, pictures("text", 3, words=named("--images")), "no pictures in it"),
    "results into a folder in use": (
        SCORE, modelled("m.h5", "--run-dir", ".", "--data", "synthetic"), "not empty"),
    # Looking inside
    "no real images named": (LOOK, modelled("diversity", "m.h5"), "does not say which"),
    "a model that names another script": (
        LOOK, modelled("diversity", "m.h5", change=told(script="toy_gan/train.py")),
        "makes no images"),
    "a model that names its images by a number": (
        LOOK, modelled("diversity", "m.h5", change=told(options={"data": 5})),
        "tells in a wrong way"),
    "a model that names images of another size": (
        LOOK, modelled("diversity", "m.h5", change=told(
            script="celeba_gan/train.py", options={"data": "/", "size": 10**9})),
        "tells in a wrong way"),
    "a model whose images' name is damaged": (
        LOOK, modelled("diversity", "m.h5",
                       change=lambda f: f.attrs.update(trained_on="[" * 9000)),
        "the name of its images is damaged"),
    "a picture that is none": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: write("a.png", "text")),
        "is not a picture"),
    "a picture of 60000x60000 pixels": (
        LOOK, modelled("project", "m.h5", "a.png",
                       make=lambda: write("a.png", huge_png())), "is not a picture"),
    "a picture that is a pipe": (
        LOOK, modelled("project", "m.h5", "a.png", make=lambda: os.mkfifo("a.png")),
        "no plain file"),
    "the number of a picture, 5000 digits": (
        LOOK, modelled("project", "m.h5", "9" * 5000), "too long"),
    "one point to walk from": (
        LOOK, modelled("interpolate", "m.h5", "--seeds", "3"), "at least two"),
    "masks that are none": (
        LOOK, modelled("dissect", "m.h5", "--masks", "masks",
                       make=lambda: write("masks/a.png", "text")), "is not a picture"),
    "a generator without maps": (
        LOOK, modelled("dissect", "m.h5", "--layer", "x", "--data", "synthetic"), "no l"),
    "a file for the results' folder": (
        LOOK, modelled("interpolate", "m.h5", "--run-dir", "m.h5"), "not an empty"),
    # Runs to go on with
    "options.json of 0 bytes": (TRAIN, resume(""), "no readable options.json"),
    "options.json cut off": (TRAIN, resume('{"script": "mnist_gan/tr'), "no readable"),
    "options.json of a list": (TRAIN, resume("[1, 2]"), "no readable options.json"),
    "options.json nested without end": (TRAIN, resume("[" * 10**5), "no readable", ALONE),
    "options.json of bytes": (TRAIN, resume(b"\xff\xfe"), "no readable options.json"),
    "options.json of 2 MB": (TRAIN, resume(" " * 2**21 + "{}"), "smaller one in its"),
    "options.json without data": (TRAIN, resume(record={"data": {}}), "no readable"),
    "options.json whose script is a number": (TRAIN, resume(record={"script": 5}), "no"),
    "options.json of another script": (
        TRAIN, resume(record={"script": "cifar10_gan/train.py"}), "is a run of cifar10"),
    "options.json with epochs in words": (
        TRAIN, resume(words=(), epochs="ten"), "not 'ten'"),
    "options.json with batch_size 3": (TRAIN, resume(batch_size=3), "an even number"),
    "options.json with batch_size of a list": (TRAIN, resume(batch_size=[16]), "even"),
    "options.json with null for a number": (TRAIN, resume(latent_dim=None), "latent"),
    "options.json with a text for a number": (
        TRAIN, resume(learning_rate="0.1"), "of another type"),
    "options.json with NaN": (TRAIN, resume(learning_rate=float("nan")), "finite"),
    "options.json with a made-up objective": (TRAIN, resume(objective="x"), "objective"),
    "options.json with an object for a flag": (TRAIN, resume(augment={}), "another type"),
    "options.json that contradicts itself": (
        TRAIN, resume(wrong_labels=True), "needs --conditional"),
    "options.json of other images": (
        TRAIN, resume(record={"data": {"fingerprint": "0", "source": "elsewhere"}}),
        "came from elsewhere"),
    "another option than the run's": (
        TRAIN, resume(words=("--seed", "9")), "--seed 9 (the run's: 1)"),
    "metrics.jsonl that is a pipe": (
        TRAIN, lambda: [resume()(), os.mkfifo("run/metrics.jsonl")][0], "is a pipe"),
    "no more epochs than the run's, and steps": (
        TRAIN, resume(words=("--epochs", "1"), within=True), "has finished 1 epochs"),
    "no more epochs than the run's": (
        TRAIN, resume(words=("--epochs", "1")), "has finished 1 epochs"),
    "a state.npz of 0 bytes": (TRAIN, resume(state=b""), "state.npz is damaged"),
    "a state.npz cut off": (TRAIN, resume(state=saved(epoch=1)[:80]), "is damaged"),
    "a state.npz that declares 10**12 numbers": (
        TRAIN, resume(state=zipped({"epoch.npy": header((10**12,))})), "it declares"),
    "a state.npz that is compressed": (
        TRAIN, resume(state=zipped({"epoch.npy": bytes(9999)}, zipfile.ZIP_DEFLATED)),
        "is compressed"),
    "history.csv of words": (TRAIN, resume(history=HISTORY + "1,2,x,0\n"), "line 3 is"),
    "history.csv with a row too short": (TRAIN, resume(history=HISTORY + "1,2\n"), "li"),
    "history.csv of a row without end": (
        TRAIN, resume(history=HISTORY + "9" * 200_000 + "\n"), "is damaged"),
    "history.csv without epochs": (TRAIN, resume(history="a\n1\n"), "other columns"),
    "history.csv without losses": (
        TRAIN, resume(history="epoch,step\n1,2\n"), "other columns"),
    "history.csv without steps": (
        TRAIN, resume(history="epoch,g_loss\n1,2\n"), "other columns"),
    "history.csv of quoted numbers": (
        TRAIN, resume(history=HISTORY + '"1",2,1,1\n'), "other columns"),
    "events.csv of other columns": (
        TRAIN, resume(beside=("events.csv", "epoch,x\n1,2\n")), "other columns"),
    "events.csv that is a folder": (
        TRAIN, resume(beside=("events.csv/x", "")), "is a folder"),
    "a folder in place of a picture": (
        TRAIN, resume(beside=("generated_plot_e003.png/x", "")), "is a folder"),
    "tensorboard that is a file": (
        TRAIN, resume(beside=("tensorboard", "x")), "is no folder"),
    "a run folder with a link": (
        TRAIN, resume(link=".state.npz"), "is a link"),
    "options.json without a seed": (TRAIN, resume(seed=None), "no whole number as seed"),
    "a state.npz of texts": (
        TRAIN, resume(state=saved(**STATE, variable=np.array("x"))), "no numbers"),
    "a state.npz of epoch -5": (
        TRAIN, resume(state=saved(**{**STATE, "epoch": -5})), "no numbers"),
    "a state.npz of epoch 1.5": (
        TRAIN, resume(state=saved(**{**STATE, "epoch": 1.5})), "no numbers"),
    "a state.npz whose generator is out of its range": (
        TRAIN, resume(state=saved(**{**STATE, "numpy 1": 10**9})), "generators"),
    "a state.npz of half a generator": (
        TRAIN, resume(state=saved(**{**STATE, "numpy 0": np.zeros(3)})), "generators"),
    "history.csv of epoch NaN": (
        TRAIN, resume(history=HISTORY + "nan,2,1,1\n"), "no whole numbers"),
    # Runs to compare
    "a run without history": (SIDE, compared(history=""), "has no history"),
    "a run with a damaged history": (SIDE, compared(history="epoch\nx\n"), "line 2 is"),
    "a run without losses": (SIDE, compared(history="epoch\n1\n"), "has no column"),
    "a history of half the losses": (
        SIDE, compared(history="epoch,step,g_loss,d1\n1,1,1,1\n"), "has no column d2"),
    "a history of a field without end": (
        SIDE, compared(history="epoch\n" + "1" * 200_000 + "\n"), "is damaged"),
    "damaged times": (SIDE, compared("times.csv", "epoch,seconds\n1,x\n"), "line 2"),
    "scores that are no JSON": (SIDE, compared("metrics.jsonl", "fid 3\n"), "line 1"),
    "scores nested without end": (
        SIDE, compared("metrics.jsonl", "[" * 10**5 + "\n"), "line 1 is damaged"),
    "scores of a number without end": (
        SIDE, compared("metrics.jsonl", scores(scores={"fid": 10**400})), "line 1 is"),
    "scores of texts": (
        SIDE, compared("metrics.jsonl", scores(scores={"fid": "good"})), "line 1 is"),
    "a run that is a link to itself": (
        SIDE, lambda: [a_run("one"), Path("two").symlink_to("two"), ["one", "two"]][2],
        "not a run folder"),
    "a run whose history is a folder": (
        SIDE, lambda: [compared()(), Path("two/history.csv").unlink(),
                       Path("two/history.csv").mkdir(), ["one", "two"]][3], "no plain"),
    "results into a folder that is not empty": (
        SIDE, lambda: [*compared()(), "--run-dir", "one"], "is not empty"),
    "a table gone on with in a damaged run": (
        "mnist_gan/compare.py",
        lambda: [write("t/bce/state.npz", b""), write("t/bce/options.json", ""),
                 ["objectives", "--only", "bce", *data("synthetic"), "--resume", "t"]][2],
        "no readable options.json"),
    "a run folder that is a file": (
        "toy_gan/train_1010.py", with_file("r", "x", named("--run-dir")), "run folder"),
    "a run folder in a file": (
        "toy_gan/divergences.py", with_file("r", "x", lambda x: ["--run-dir", "r/s"]),
        "cannot make the run folder"),
    "a run folder that is not empty": (
        "cifar10_gan/define_gan.py", with_file("r/x", "x", lambda x: ["--run-dir", "r"]),
        "is not empty"),
    "TF_CONFIG that is no JSON": (
        TRAIN, partial(str.split, "--devices all --data synthetic"), "TF_CONFIG must be",
        {"settings": {"TF_CONFIG": "machines"}}),
}  # fmt: skip
