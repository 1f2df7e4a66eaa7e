"""Damaged and hostile files of images: functions that make them, and their words."""

import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from common.runs.state import global_generators

MNIST, CIFAR = "mnist_gan/load_data.py", "cifar10_gan/load_data.py"
FACE, PACK = "celeba_gan/load_data.py", "celeba_gan/pack_hdf5.py"
TRAIN, DRAW = "mnist_gan/train.py", "common/generate.py"
SCORE, LOOK, SIDE = "common/evaluate.py", "common/explore.py", "common/compare.py"
ALONE = {"alone": True}
GREY = np.arange(70 * 784, dtype=np.uint32).reshape(70, 28, 28).astype(np.uint8)
DEEP = 400  # folders, one in the other
RNG = np.random.default_rng(0)
STATE = {"epoch": np.array(1), **global_generators()}


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


def named(*before):
    return lambda name: [*before, str(name)]


def odd(name):
    return lambda: data(name)


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
    """A zip whose directory declares another unpacked size of a file."""
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
    """A packed archive that declares more than it holds."""
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
