"""Packing pictures into one file, reading it, and every way both can go wrong."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import ROOT, refused, slow
from PIL import Image

from celeba_gan import pack_hdf5
from common.basics.errors import UserError
from common.data import packed, packing
from common.data.packed import PackedImages, open_packed
from common.data.packing import pack, pack_into_cache

SCRIPT = ROOT / "celeba_gan" / "pack_hdf5.py"
RNG = np.random.default_rng(0)


def noise(height=40, width=40, channels=3):
    pixels = RNG.integers(0, 256, (height, width, channels)).astype(np.uint8)
    return Image.fromarray(pixels if channels > 1 else pixels[..., 0])


def save(path, image=None, **keywords):
    """Save a picture (of noise), with the folders that it needs, and return its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or noise()).save(path, **keywords)
    return path


def packed_pixels(*args, **keywords):
    """Pack into a new file and return the pixels."""
    target = Path("new.hdf5")
    target.unlink(missing_ok=True)
    return open_packed(pack(*args, target=target, **keywords)).pixels


def pixels_of(image, name="one.png", **keywords):
    """The pixels (size, size, c) of one picture after saving and packing it."""
    path = save(Path("single") / name, image, **keywords)
    pixels = packed_pixels("single", size=32)
    path.unlink()
    return pixels[0]


def zip_folder(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in Path(folder).rglob("*"):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return Path(path)


def messy_folder():
    """Three pictures, and five files that are none."""
    whole = save("messy/b.png").read_bytes()
    save("messy/deep/er/a.jpg")
    save("messy/c.webp")
    Path("messy/cut.png").write_bytes(whole[: len(whole) // 2])
    jpeg = save("messy/damaged.jpg").read_bytes()
    Path("messy/damaged.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    Path("messy/empty.jpg").touch()
    Path("messy/text.jpg").write_text("hello")
    Path("messy/bomb.ppm").write_bytes(b"P6 60000 60000 255\n")
    for hidden in (".hidden/a.png", "__MACOSX/b.png", "deep/.c.png"):
        save(f"messy/{hidden}")
    return "messy"


SKIPPED = ["bomb.ppm", "cut.png", "damaged.jpg", "empty.jpg", "text.jpg"]


def test_folder_with_files_that_are_no_pictures(capsys):
    target = pack(messy_folder(), "new.hdf5")
    out = capsys.readouterr().out
    assert "skipped 5 files" in out and "packed 3 images" in out
    with h5py.File(target) as file:
        assert file["names"].asstr()[:].tolist() == ["b.png", "c.webp", "deep/er/a.jpg"]
        assert file["skipped"].asstr()[:].tolist() == SKIPPED
        assert all(name in out for name in SKIPPED)
        assert file["images"].shape == (3, 64, 64, 3)
        assert file["images"].dtype == np.uint8
        assert file.attrs["complete"] and file.attrs["size"] == 64
        assert file.attrs["source"] == str(Path("messy").absolute())
    assert [p.name for p in Path().glob("new*")] == ["new.hdf5"]
    images = open_packed(target)
    assert images.labels is None and len(images.checksum) == 64


def test_only_ten_skipped_files_are_listed(capsys):
    save("many/a.png")
    for i in range(14):
        Path(f"many/{i:02}.txt").touch()
    pack("many", "new.hdf5")
    out = capsys.readouterr().out
    assert "... and 4 more" in out and "09.txt" in out and "10.txt" not in out


def test_zip_gives_the_same_pixels_and_is_not_unpacked():
    path = zip_folder(messy_folder(), "mine.zip", prefix="folder/")
    before = set(Path().rglob("*"))
    from_zip = packed_pixels(path)
    assert set(Path().rglob("*")) - before == {Path("new.hdf5")}
    assert np.array_equal(from_zip, packed_pixels("messy"))


def test_packing_twice_gives_the_same(monkeypatch):
    for i in range(40):
        save(f"many/{i}.png")
    one = packed_pixels("many", size=32)
    assert len(one) == 40 and np.array_equal(packed_pixels("many", size=32), one)
    monkeypatch.setattr(packing, "BLOCK", 7)
    monkeypatch.setattr(packing, "PART", 3)
    assert np.array_equal(packed_pixels("many", size=32), one)


def test_one_picture():
    save("one/a.png")
    assert packed_pixels("one").shape == (1, 64, 64, 3)


def test_compression_keeps_the_pixels():
    save("one/a.png")
    plain = packed_pixels("one")
    assert np.array_equal(packed_pixels("one", compression="lzf"), plain)
    with h5py.File("new.hdf5") as file:
        assert file["images"].compression == "lzf"


# ---- What one picture becomes


def test_transparent_becomes_white():
    pixels = np.full((32, 32, 4), 255, np.uint8)
    pixels[:, :16] = 0  # black, if transparency were dropped
    pixels[:, 16:, 1:3] = 0
    found = pixels_of(Image.fromarray(pixels))
    assert (found[:, :15] == 255).all()
    assert (found[:, 17:] == [255, 0, 0]).all()
    palette = Image.fromarray(pixels).convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    assert (pixels_of(palette, transparency=palette.getpixel((0, 0)))[:, :15] > 250).all()


def test_exif_orientation_is_applied():
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:16] = 200  # the upper half, which "rotate by 90 degrees" brings to the right
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("turned.png", "turned.jpg"):
        found = pixels_of(Image.fromarray(pixels), name, exif=exif).astype(int)
        assert found[:, 20:].min() > 180 and found[:, :12].max() < 20


def test_16_bits_are_scaled_and_not_clipped():
    ramp = np.tile(np.linspace(0, 65535, 32).astype(np.uint16), (32, 1))
    for name in ("deep.png", "deep.tif"):
        found = pixels_of(Image.fromarray(ramp), name)
        assert found.shape == (32, 32, 1)
        assert np.abs(found[3, :, 0] - np.linspace(0, 255, 32)).max() <= 1


def test_other_modes_and_the_first_frame():
    red = Image.new("RGB", (40, 40), (200, 10, 10))
    green = Image.new("RGB", (40, 40), (10, 200, 10))
    cmyk = pixels_of(red.convert("CMYK"), "a.jpg").astype(int)
    assert np.abs(cmyk - [200, 10, 10]).max() < 25
    film = pixels_of(red, "a.gif", save_all=True, append_images=[green]).astype(int)
    assert np.abs(film - [200, 10, 10]).max() < 5
    assert pixels_of(Image.new("1", (40, 40), 1)).tolist() == [[[255]] * 32] * 32


def centre_square(height, width, side):
    """Black, with a red square of this side in the middle."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = (height - side) // 2, (width - side) // 2
    pixels[top : top + side, left : left + side] = [255, 0, 0]
    return Image.fromarray(pixels)


@pytest.mark.parametrize("height, width", [(100, 100), (100, 180), (240, 100)])
def test_crop_keeps_the_centre(height, width):
    save("one/a.png", centre_square(height, width, 50))
    cut = packed_pixels("one", size=32, crop=0.5)[0].astype(int)
    assert np.abs(cut[3:-3, 3:-3] - [255, 0, 0]).max() < 5
    assert cut[..., 0].min() > 150  # the filter sees a little beyond the edge
    whole = packed_pixels("one", size=32)[0].astype(int)
    assert (whole[9:23, 9:23, 0] > 240).all()
    assert whole[:6].max() < 20 and whole[:, 26:].max() < 20


def test_large_jpegs_are_decoded_small_but_right():
    save("one/a.jpg", centre_square(1200, 1600, 600), quality=95)
    whole = packed_pixels("one", size=32)[0].astype(int)
    assert (whole[9:23, 9:23, 0] > 235).all() and whole[:6].max() < 20
    assert whole[7:9, 16, 0].mean() == pytest.approx(127, abs=15)  # the edge


def test_jpegs_are_never_decoded_smaller_than_they_are_used():
    """Stripes of 2 pixels, which a JPEG decoded at an eighth has lost."""
    stripes = np.zeros((200, 200, 3), np.uint8)
    stripes[:, np.arange(200) // 4 % 2 == 1] = 255
    save("one/a.jpg", Image.fromarray(stripes), quality=95)
    assert np.ptp(packed_pixels("one", size=64, crop=0.64)[0].astype(int)) > 150


def test_resizing_is_antialiased():
    board = (np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)
    found = pixels_of(Image.fromarray(board)).astype(int)
    assert np.abs(found - 127.5).max() < 8


def test_small_pictures_are_enlarged():
    assert (pixels_of(Image.new("RGB", (3, 5), (9, 8, 7))) == [9, 8, 7]).all()


# ---- Grey and colour


def test_grey_pictures_give_one_channel():
    save("grey/a.png", noise(channels=1))
    save("grey/b.png", noise(channels=1).convert("RGB"))
    save("grey/c.jpg", noise(channels=1).convert("RGB"))
    assert packed_pixels("grey").shape == (3, 64, 64, 1)
    assert packed_pixels("grey", channels=3).shape == (3, 64, 64, 3)


def test_a_late_coloured_picture_keeps_the_grey_ones(monkeypatch):
    for i in range(20):
        save(f"mixed/{i:02}.png", noise(channels=1))
    monkeypatch.setattr(packing, "BLOCK", 4)
    grey = packed_pixels("mixed", size=32)
    save("mixed/10x.png")
    mixed = packed_pixels("mixed", size=32)
    assert mixed.shape == (21, 32, 32, 3)
    assert np.array_equal(np.delete(mixed, 11, 0), np.repeat(grey, 3, -1))
    assert np.ptp(mixed[11].astype(int), axis=-1).max() > 50
    assert packed_pixels("mixed", size=32, channels=1).shape == (21, 32, 32, 1)


# ---- Classes and attributes


def test_subfolders_are_classes():
    for name in (
        "all/cats/1.png",
        "all/äpfel/x/2.png",
        "all/cats/3.png",
        "all/dogs/4.png",
    ):
        save(name)
    Path("all/readme.txt").write_text("no picture, no class")
    for source in ("all", zip_folder("all", "all.zip", prefix="outer/most/")):
        Path("new.hdf5").unlink(missing_ok=True)
        images = open_packed(pack(source, "new.hdf5"))
        assert images.labels.tolist() == [0, 0, 1, 2]
        with h5py.File("new.hdf5") as file:
            assert file["classes"].asstr()[:].tolist() == ["cats", "dogs", "äpfel"]


def test_where_subfolders_are_no_classes(capsys):
    save("same/img/1.png")
    save("same/img/2.png")
    assert open_packed(pack("same", "same.hdf5")).labels is None
    save("same/3.png")
    assert open_packed(pack("same", "some.hdf5")).labels is None
    said = capsys.readouterr().out
    assert said.count("no classes") == 1 and "beside the subfolders" in said


ATTRIBUTES = "3\nBald  Young\n1.png  -1  1\n2.png   1 -1\n3.png   1  1\n"


def test_attributes():
    for name in ("faces/2.png", "faces/1.png"):
        save(name)
    Path("faces/list.txt").write_text(ATTRIBUTES)  # skipped, and has no line of its own
    pack("faces", "new.hdf5", attributes="faces/list.txt")
    with h5py.File("new.hdf5") as file:
        assert file["attributes"][:].tolist() == [[-1, 1], [1, -1]]
        assert file["attributes"].dtype == np.int8
        assert file["attribute_names"].asstr()[:].tolist() == ["Bald", "Young"]
    bald, young = (open_packed("new.hdf5", name) for name in ("Bald", "Young"))
    assert (bald.labels.tolist(), young.labels.tolist()) == ([0, 1], [1, 0])
    sets = (bald, young, open_packed("new.hdf5"))  # other labels are other data
    assert len({images.describe()["fingerprint"] for images in sets}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3\n",
        "image_id,Bald,Young\n1.png,-1,1\n",
        ATTRIBUTES[:-8],
        ATTRIBUTES.replace("-1", "0"),
        ATTRIBUTES.replace("-1", "300"),
        ATTRIBUTES.replace("3\n", "4\n", 1),
    ],
)
def test_wrong_attributes_are_refused(capsys, text):
    save("faces/1.png")
    Path("list.txt").write_text(text)
    said = refused(capsys, pack_hdf5.main, "faces", "--attributes", "list.txt")
    assert "list.txt is not like list_attr_celeba.txt" in said
    assert not list(Path().glob("faces_64*"))


def test_a_picture_without_a_line_is_refused(capsys):
    Path("list.txt").write_text(ATTRIBUTES)
    save("faces/1.png")
    save("faces/7.png").rename("faces/late")  # a picture, as only its reading tells
    for missing in ("faces/late", "faces/9.png"):
        Path("faces/late").rename(missing)
        said = refused(capsys, pack_hdf5.main, "faces", "--attributes", "list.txt")
        assert f"no line for the picture {Path(missing).name}" in said
        Path(missing).rename("faces/late")
    assert "list.gone" in refused(
        capsys, pack_hdf5.main, "faces", "--attributes", "list.gone"
    )
    assert not list(Path().glob("faces_64*"))


# ---- Sources and targets that are wrong


def test_wrong_sources_are_refused(capsys):
    save("pictures/1.png")
    Path("page.zip").write_text("<!DOCTYPE html><html><title>Quota exceeded</title>")
    whole = zip_folder("pictures", "cut.zip").read_bytes()
    Path("cut.zip").write_bytes(whole[: len(whole) // 2])
    Path("empty.zip").touch()
    zipfile.ZipFile("nothing.zip", "w").close()
    encrypted = bytearray(whole)
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(mark) + place] |= 1
    Path("secret.zip").write_bytes(encrypted)
    Path("hollow").mkdir()
    save("picture.png")
    said = refused(capsys, pack_hdf5.main, "page.zip")
    assert "web page" in said and "1.4 GB" in said and "mmlab.ie.cuhk.edu.hk" in said
    assert "encrypted" in refused(capsys, pack_hdf5.main, "secret.zip")
    wrong = ("cut.zip", "empty.zip", "nothing.zip", "hollow", "picture.png", "missing")
    for name in wrong:
        assert name in refused(capsys, pack_hdf5.main, name)
    assert not list(Path().glob("*.hdf5*"))


def test_nothing_but_damaged_files_is_refused(capsys):
    Path("bad").mkdir()
    Path("bad/1.jpg").write_text("no")
    Path("bad/2.jpg").touch()
    said = refused(capsys, pack_hdf5.main, "bad")
    assert "none of its 2 files" in said and "1.jpg" in said
    assert not list(Path().glob("bad_64*"))


def test_an_existing_target_is_replaced_by_force_alone(capsys):
    save("one/a.png")
    Path("new.hdf5").write_text("mine")
    assert "--force" in refused(capsys, pack_hdf5.main, "one", "new.hdf5")
    assert Path("new.hdf5").read_text() == "mine"
    Path("one/a.png").rename("a.png")
    Path("one/b.png").touch()
    refused(capsys, pack_hdf5.main, "one", "new.hdf5", "--force")  # no picture
    assert Path("new.hdf5").read_text() == "mine"
    Path("a.png").rename("one/a.png")
    pack_hdf5.main(["one", "new.hdf5", "--force"])
    assert len(open_packed("new.hdf5").pixels) == 1


def test_wrong_targets_and_options_are_refused(capsys):
    save("one/a.png")
    Path("folder.hdf5").mkdir()
    for words in (
        ["folder.hdf5", "--force"],
        ["no/such/folder.hdf5"],
        ["photo.jpg"],
        ["a.hdf5", "--size", "65"],
        ["a.hdf5", "--crop", "1.2"],
        ["a.hdf5", "--crop", "0"],
        ["a.hdf5", "--channels", "2"],
    ):
        refused(capsys, pack_hdf5.main, "one", *words)


def test_the_script_names_the_target_after_the_source(capsys):
    save("photos.v2/a.png")
    zip_folder("photos.v2", "mine.zip")
    pack_hdf5.main(["photos.v2", "--size", "32"])
    pack_hdf5.main(["mine.zip"])
    assert open_packed("photos.v2_32.hdf5").pixels.shape == (1, 32, 32, 3)
    assert open_packed("mine_64.hdf5").pixels.shape == (1, 64, 64, 3)


def test_too_little_room_is_told_before_the_work(capsys, monkeypatch):
    save("one/a.png")
    usage = shutil.disk_usage(".")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    said = refused(capsys, pack_hdf5.main, "one", "new.hdf5", code=3)
    assert "0.0 MiB free" in said
    assert not list(Path().glob("new*"))


def test_links_to_folders_are_followed_once():
    save("real/a.png")
    Path("linked").mkdir()
    Path("linked/cats").symlink_to(Path("real").absolute())
    Path("linked/cats_again").symlink_to(Path("real").absolute())
    Path("real/loop").symlink_to(Path("real").absolute())
    assert packed_pixels("linked").shape[0] == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such limits there")
def test_a_full_disk_is_one_sentence_and_leaves_nothing():
    for i in range(60):
        save(f"many/{i}.png")
    words = f"ulimit -f 200; '{sys.executable}' '{SCRIPT}' many full.hdf5 --size 128"
    told = subprocess.run(words, shell=True, capture_output=True, text=True)
    assert told.returncode == 3 and "disk full?" in told.stderr
    assert told.stderr.count("\n") == 1 and not list(Path().glob("full*"))


# ---- Packings that are broken off


def start_packing():
    """Start a packing that takes some seconds, and return it when it is at work."""
    save("big.png", noise(1000, 1000))
    Path("many").mkdir()
    for i in range(600):
        os.link("big.png", f"many/{i}.png")
    words = [sys.executable, str(SCRIPT), "many", "new.hdf5"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 20
    while not any(p.stat().st_size for p in Path().glob("new*.part")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.3)
    assert process.poll() is None
    return process


def test_kill_leaves_nothing_that_loads():
    process = start_packing()
    process.kill()
    process.communicate()
    assert not Path("new.hdf5").exists()
    [part] = Path().glob("new*")
    part.rename("new.hdf5")
    with pytest.raises(UserError, match=r"new\.hdf5 .* pack it again"):
        open_packed("new.hdf5")


@pytest.mark.parametrize("stop, code", [(signal.SIGINT, 130), slow(signal.SIGTERM, 143)])
def test_ctrl_c_leaves_nothing(stop, code):
    process = start_packing()
    process.send_signal(stop)
    process.communicate(timeout=20)
    assert process.returncode == code
    assert not list(Path().glob("new*"))


# ---- Reading


def whole_file(n=50, **keywords):
    for i in range(n):
        save(f"whole/{i:02}.png", noise(32, 32))
    return pack("whole", "whole.hdf5", size=32, **keywords)


def test_packed_images_are_picked_as_arrays_are(monkeypatch):
    monkeypatch.setattr(packing, "CHUNK", 8 * 32 * 32 * 3)
    path = whole_file()
    array = open_packed(path).pixels
    assert isinstance(array, np.ndarray)
    monkeypatch.setattr(packed, "IN_MEMORY", 1)
    images = open_packed(path).pixels
    assert isinstance(images, PackedImages) and images.chunk_rows == 8
    assert images.shape == array.shape and images.dtype == np.uint8 and len(images) == 50
    for _ in range(20):
        picks = RNG.integers(-50, 50, RNG.integers(1, 90))
        assert np.array_equal(images[picks], array[picks])
    for picks in (slice(None), slice(40, 90), slice(9, 2, -3), slice(5, 5), np.arange(7)):
        assert np.array_equal(images[picks], array[picks])
    assert images[[]].shape == (0, 32, 32, 3) and images[np.uint8([3, 3])].shape[0] == 2
    for wrong in ([50], [-51], [0.5], [[1]], [True, False]):
        with pytest.raises(IndexError):
            images[wrong]


def test_a_large_file_whose_pixels_changed_is_another(monkeypatch):
    """Though its checksum is that of before, and is not asked: reading all takes long."""
    monkeypatch.setattr(packed, "IN_MEMORY", 1)
    path, found = whole_file(), []
    for change in (0, 0, 1):
        with h5py.File(path, "a") as file:
            file["images"][:] = file["images"][:] ^ np.uint8(change)
        found.append(open_packed(path).describe()["fingerprint"])
    assert found[0] == found[1] != found[2]


def test_packed_images_are_read_from_threads(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(packed, "IN_MEMORY", 1)
    images = open_packed(whole_file()).pixels
    picks = [RNG.permutation(50) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for pick, found in zip(picks, pool.map(images.__getitem__, picks), strict=True):
            assert np.array_equal(found, images[:][pick])


def test_damaged_pixels_are_noticed():
    path = whole_file()
    content, row = bytearray(path.read_bytes()), open_packed(path).pixels[30].tobytes()
    content[content.index(row) + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="checksum"):
        open_packed(path)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_cut_off_files_are_refused(share):
    content = whole_file().read_bytes()
    Path("whole.hdf5").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="pack it again"):
        open_packed("whole.hdf5")


def test_other_files_are_refused(tmp_path):
    from keras import Sequential, layers

    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.save("model.h5")
    model.save_weights("model.weights.h5")
    for name in ("model.h5", "model.weights.h5"):
        with pytest.raises(UserError, match="saved Keras model"):
            open_packed(name)
    for name, data in {
        "floats": np.zeros((2, 4, 4, 3)),
        "flat": np.zeros((2, 4), np.uint8),
        "oblong": np.zeros((2, 4, 8, 3), np.uint8),
        "four channels": np.zeros((2, 4, 4, 4), np.uint8),
        "none": np.zeros((0, 4, 4, 3), np.uint8),
        "unfinished": np.zeros((2, 4, 4, 3), np.uint8),
    }.items():
        with h5py.File(f"{name}.hdf5", "w") as file:
            file["images"] = data
        with pytest.raises(UserError, match="pack it again"):
            open_packed(f"{name}.hdf5")
    h5py.File("hollow.hdf5", "w").close()
    Path("text.hdf5").write_text("hello")
    for name in ("hollow.hdf5", "text.hdf5", "missing.hdf5", tmp_path):
        with pytest.raises(UserError):
            open_packed(name)


@pytest.mark.parametrize("wrong", ["no checksum", "no source", "labels", "group"])
def test_files_that_were_changed_are_refused(wrong):
    with h5py.File(whole_file(), "r+") as file:
        if wrong == "labels":
            file["labels"] = [1, 2]
        elif wrong == "group":
            file.create_group("labels")
        else:
            del file.attrs[wrong.split()[1]]
    with pytest.raises(UserError, match="pack it again"):
        open_packed("whole.hdf5")


# ---- The cache


def test_the_cache_packs_once_and_again_after_a_change(capsys, tmp_path):
    save("mine/a.png")
    zip_folder("mine", "mine.zip")
    first = pack_into_cache("mine", 32, 1.0)
    assert first.parent == tmp_path / "keras" / "datasets" / "packed"
    assert (
        first.name.startswith("mine-32-") and "packed 1 images" in capsys.readouterr().out
    )
    stamp = first.stat().st_mtime_ns
    assert pack_into_cache("mine", 32, 1.0) == first
    assert first.stat().st_mtime_ns == stamp
    assert "packed already" in capsys.readouterr().out
    others = {pack_into_cache(*words) for words in (
        ("mine", 64, 1.0), ("mine", 32, 0.5), ("mine.zip", 32, 1.0)
    )}  # fmt: skip
    assert len(others | {first}) == 4
    save("mine/a.png")
    changed = pack_into_cache("mine", 32, 1.0)
    zip_folder("mine", "mine.zip")
    changed_zip = pack_into_cache("mine.zip", 32, 1.0)
    assert not {changed, changed_zip} & {first, *others}
    assert not np.array_equal(open_packed(changed).pixels, open_packed(first).pixels)


def test_a_zip_of_odd_members_is_read():
    picture = io.BytesIO()
    noise().save(picture, "PNG")
    with zipfile.ZipFile("odd.zip", "w") as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/whole.png", picture.getvalue())
        archive.writestr("broken.png", picture.getvalue())
    content = bytearray(Path("odd.zip").read_bytes())
    content[content.index(b"broken.png") + 60] ^= 255
    Path("odd.zip").write_bytes(content)
    pack("odd.zip", "new.hdf5")
    with h5py.File("new.hdf5") as file:
        assert file["names"].asstr()[:].tolist() == ["folder/whole.png"]
        assert file["skipped"].asstr()[:].tolist() == ["broken.png"]
