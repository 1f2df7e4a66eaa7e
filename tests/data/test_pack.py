"""Packing pictures into one file: sources, targets, what breaks it off, the cache."""

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
from made_pictures import noise, packed_pixels, save, zip_folder

from celeba_gan import pack_hdf5
from common.basics.errors import UserError
from common.data import celeba, packing
from common.data.celeba import pack_into_cache
from common.data.packed import open_packed
from common.data.packing import pack

SCRIPT = ROOT / "celeba_gan" / "pack_hdf5.py"


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
    assert "skipped files: 5" in out and "packed 3 images" in out
    with h5py.File(target) as file:
        assert file["names"].asstr()[:].tolist() == ["b.png", "c.webp", "deep/er/a.jpg"]
        assert file["skipped"].asstr()[:].tolist() == SKIPPED
        assert all(name in out for name in SKIPPED)
        assert file["images"].shape == (3, 64, 64, 3)
        assert file["images"].dtype == np.uint8
        assert file.attrs["complete"] and file.attrs["size"] == 64
        assert file.attrs["source"] == str(Path("messy").absolute())
    assert [p.name for p in Path().glob("*new*")] == ["new.hdf5"]
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
    printed = refused(capsys, pack_hdf5.main, "page.zip")
    assert all(text in printed for text in ("web page", "1.4 GB", "mmlab.ie.cuhk.edu.hk"))
    assert "encrypted" in refused(capsys, pack_hdf5.main, "secret.zip")
    wrong = ("cut.zip", "empty.zip", "nothing.zip", "hollow", "picture.png", "missing")
    for name in wrong:
        assert name in refused(capsys, pack_hdf5.main, name)
    assert not list(Path().glob("*.hdf5*"))


def test_nothing_but_damaged_files_is_refused(capsys):
    Path("bad").mkdir()
    Path("bad/1.jpg").write_text("no")
    Path("bad/2.jpg").touch()
    printed = refused(capsys, pack_hdf5.main, "bad")
    assert "has 0 readable pictures" in printed and "1.jpg" in printed
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
    printed = refused(capsys, pack_hdf5.main, "one", "new.hdf5", code=3)
    assert "0.0 MiB free" in printed
    assert not list(Path().glob("*new*"))


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
    done = subprocess.run(words, shell=True, capture_output=True, text=True)
    assert done.returncode == 3 and "the disk is full" in done.stderr
    assert done.stderr.count("\n") == 1 and not list(Path().glob("*full*"))


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
    while not any(p.stat().st_size for p in Path().glob(".new*")):
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
    [part] = Path().glob("*new*")
    part.rename("new.hdf5")
    with pytest.raises(UserError, match=r"new\.hdf5 .* pack the pictures again"):
        open_packed("new.hdf5")


@pytest.mark.parametrize("stop, code", [(signal.SIGINT, 130), slow(signal.SIGTERM, 143)])
def test_ctrl_c_leaves_nothing(stop, code):
    process = start_packing()
    process.send_signal(stop)
    process.communicate(timeout=20)
    assert process.returncode == code
    assert not list(Path().glob("*new*"))


# ---- The cache


def test_the_cache_packs_once_and_again_after_a_change(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(celeba, "MIN_IMAGES", 1)
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


def test_who_comes_second_to_the_cache_waits_and_packs_nothing(capsys, monkeypatch):
    monkeypatch.setattr(celeba, "MIN_IMAGES", 40)
    from concurrent.futures import ThreadPoolExecutor

    for i in range(40):
        save(f"mine/{i}.png")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(pack_into_cache, ["mine"] * 2, [32] * 2, [1.0] * 2)
    assert first == second and len(open_packed(first).pixels) == 40
    printed = capsys.readouterr().out
    assert printed.count("packed 40 images") == printed.count("packed already") == 1
