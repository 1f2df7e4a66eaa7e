"""Pictures: they open, and have the right size and content."""

import shutil
from itertools import pairwise

import imageio.v2 as imageio
import numpy as np
import pytest
from PIL import Image

from common import plotting
from common.runs.layout import PLOT, files_of_epochs
from common.runs.video import save_video, video_frames
from mnist_gan.define_discriminator import define_discriminator


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.convert("RGB")


def test_save_plot_is_a_grid_named_after_the_epoch(tmp_path):
    images = np.random.default_rng(0).random((25, 28, 28, 1), "float32")
    path = plotting.save_plot(images, 10, n=5, run=tmp_path)
    assert path.name == "generated_plot_e010.png"
    side = 5 * (28 + plotting.GAP) + plotting.GAP
    assert opened(path).size == (4 * side, 4 * side)


def test_grey_is_shown_dark_on_white(tmp_path):
    images = np.zeros((4, 8, 8, 1), "float32")
    images[3] = 1
    plotting.save_grid(images, tmp_path / "grid.png", columns=2)
    picture = np.asarray(opened(tmp_path / "grid.png"))
    height, width = picture.shape[:2]
    assert (picture[: height // 2] == 255).all()
    assert (picture[height * 3 // 4, width * 3 // 4] == 0).all()


def test_colours_stay_as_they_are(tmp_path):
    images = np.zeros((1, 8, 8, 3), "float32") + np.array([1, 0.2, 0], "float32")
    plotting.save_grid(images, tmp_path / "grid.png", columns=1)
    picture = np.asarray(opened(tmp_path / "grid.png"))
    assert tuple(picture[picture.shape[0] // 2, picture.shape[1] // 2]) == (255, 51, 0)


def test_grid_with_an_unfinished_row_is_complete():
    sheet = plotting.tile(np.zeros((3, 4, 4, 1), np.uint8), columns=2)
    assert sheet.shape == (2 * (4 + plotting.GAP) + plotting.GAP,) * 2 + (1,)
    assert (sheet == 0).sum() == 3 * 16 and (sheet == 255).sum() == sheet.size - 3 * 16


def test_photographs_stay_as_they_are(tmp_path):
    """Grey images of a range from -1 are not inverted."""
    for channels in (1, 3):
        images = np.full((1, 8, 8, channels), 0.6, "float32")
        plotting.save_grid(images, tmp_path / "grid.png", columns=1, low=-1)
        picture = np.asarray(opened(tmp_path / "grid.png"))
        middle = picture[picture.shape[0] // 2, picture.shape[1] // 2]
        assert tuple(middle) == (204, 204, 204)


def test_curves_and_video(tmp_path):
    rows = ["epoch,step,d_loss,g_loss,acc_real,acc_fake,acc_adv"]
    rows += [f"{e},{s},0.6,0.8,0.5,0.6,0.4" for e in (1, 2) for s in (10, 20)]
    (tmp_path / "history.csv").write_text("\n".join(rows) + "\n")
    for epoch in (1, 2):
        image = np.full((1, 8, 8, 1), epoch / 2, "float32")
        plotting.save_plot(image, epoch, n=1, run=tmp_path)
    plotting.draw_run(tmp_path)
    assert opened(tmp_path / "loss_curves.png").size == (900, 700)
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 2


def video_of(folder, sizes):
    """Save grey pictures of these sizes as a video; return the frames of its MP4."""
    for epoch, size in enumerate(sizes, start=9):
        Image.new("RGB", size, "grey").save(folder / f"generated_plot_e{epoch:03d}.png")
    pictures = files_of_epochs(folder, PLOT)
    save_video(video_frames(pictures), folder / "training", 0.4, 2)
    with imageio.get_reader(folder / "training.mp4") as video:
        assert video.get_meta_data()["codec"] == "h264"
        assert video.get_meta_data()["pix_fmt"].startswith("yuv420p")
        return [np.asarray(frame).astype(int) for frame in video]


def test_the_video_shows_the_epoch_above_each_picture(tmp_path):
    frames = video_of(tmp_path, [(301, 201)] * 3)
    assert len(frames) == 3 + 4  # the last of 0.4 s stays for 2 s
    assert {frame.shape for frame in frames} == {(220, 302, 3)}  # 18 for the epoch
    for one, other in pairwise(frames[:3]):
        assert np.abs(one - other)[:18].max() > 100  # 9, 10 and 11
        assert np.abs(one - other)[26:].max() < 10
    assert np.abs(frames[2] - frames[6]).max() < 30
    assert frames[0][100, 150].mean() == pytest.approx(128, abs=4)
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 3 and gif.size == (302, 220)


def test_a_video_of_one_frame_and_of_frames_of_several_sizes(tmp_path):
    assert len(video_of(tmp_path, [(16, 16)])) == 5
    frames = video_of(tmp_path, [(16, 16), (40, 30)])
    assert len(frames) == 6 and frames[0].shape == (46, 40, 3)
    assert frames[0][44, 38].mean() > 240  # white beside the small picture


def test_captioned_grid_shows_each_image_and_its_caption(tmp_path):
    path = tmp_path / "grid.png"
    images = np.zeros((3, 8, 8, 1), "float32")
    images[1] = 1  # black on white
    plotting.save_captioned_grid(images, ["0.10", "0.20", "0.30"], path, columns=2)
    with_captions = np.asarray(opened(path).convert("L"))
    plotting.save_captioned_grid(images, ["", "", ""], path, columns=2)
    without = np.asarray(opened(path).convert("L"))
    assert (without < 10).mean() > 0.1  # the image
    assert (with_captions != without).mean() > 0.005


def test_model_plot(tmp_path, capsys):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    plotting.plot_model(define_discriminator(), tmp_path / "plot.png")
    assert min(opened(tmp_path / "plot.png").size) > 100


def test_without_graphviz_one_line_names_the_packages(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    plotting.plot_model(define_discriminator(), tmp_path / "plot.png")
    output = capsys.readouterr().out
    assert output.count("\n") == 1 and "apt install graphviz" in output
    assert not (tmp_path / "plot.png").exists()


def test_a_damaged_picture_is_reported_and_left_out_of_the_video(tmp_path, capsys):
    (tmp_path / "history.csv").write_text(
        "epoch,step,d_loss,g_loss,acc_real\n1,1,0.6,0.8,0.5\n"
    )
    images = np.random.default_rng(0).random((4, 8, 8, 1), "float32")
    for epoch in (1, 2):
        plotting.save_plot(images, epoch, n=2, run=tmp_path)
    path = tmp_path / "generated_plot_e001.png"
    path.write_bytes(path.read_bytes()[:500])
    plotting.draw_run(tmp_path)
    assert f"{path} is left out of the video" in capsys.readouterr().out
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 1
