"""What a picture becomes when it is packed: pixels, channels, classes, attributes."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import refused
from made_pictures import noise, packed_pixels, pixels_of, save, zip_folder
from PIL import Image

from celeba_gan import pack_hdf5
from common.data import packing
from common.data.packed import open_packed
from common.data.packing import pack


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
    video = pixels_of(red, "a.gif", save_all=True, append_images=[green]).astype(int)
    assert np.abs(video - [200, 10, 10]).max() < 5
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
    printed = capsys.readouterr().out
    assert printed.count("no classes") == 1 and "not in a subfolder" in printed


ATTRIBUTES = "3\nBald  Young\n1.png  -1  1\n2.png   1 -1\n3.png   1  1\n"


def test_attributes():
    for name in ("faces/2.png", "faces/1.png"):
        save(name)
    Path("faces/list.txt").write_text(ATTRIBUTES)  # skipped, and has no line itself
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
    printed = refused(capsys, pack_hdf5.main, "faces", "--attributes", "list.txt")
    assert "list.txt is not in the format of list_attr" in printed
    assert not list(Path().glob("faces_64*"))


def test_a_picture_without_a_line_is_refused(capsys):
    Path("list.txt").write_text(ATTRIBUTES)
    save("faces/1.png")
    save("faces/7.png").rename("faces/late")  # a picture, recognized by its content only
    for missing in ("faces/late", "faces/9.png"):
        Path("faces/late").rename(missing)
        printed = refused(capsys, pack_hdf5.main, "faces", "--attributes", "list.txt")
        assert f"no line for {Path(missing).name}" in printed
        Path(missing).rename("faces/late")
    assert "list.gone" in refused(
        capsys, pack_hdf5.main, "faces", "--attributes", "list.gone"
    )
    assert not list(Path().glob("faces_64*"))
