"""The Inception graph of 2015: its download, its checks, and what it computes."""

import hashlib
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers import refused
from old_graph import N_PIXELS, archive_of, old_graph, serving, weights

from common import evaluate
from common.basics.errors import UserError, exit_code
from common.plotting import save_each
from common.scores import inception
from common.scores.features import choose_features, extract_all

CLOSED = "http://127.0.0.1:9/inception-2015-12-05.tgz"  # no server


@cache
def graph_bytes(**changes):
    return old_graph(**changes).SerializeToString()


@pytest.fixture
def cache_folder(tmp_path):
    return tmp_path / "keras/models"


def expect(monkeypatch, url, archive, graph):
    """Make the stand-in the expected file."""
    monkeypatch.setattr(inception, "URL", url)
    monkeypatch.setattr(inception, "ARCHIVE_BYTES", len(archive))
    monkeypatch.setattr(inception, "GRAPH_BYTES", len(graph))


def test_it_is_downloaded_once_and_read_from_the_cache(monkeypatch, cache_folder, capsys):
    graph = graph_bytes()
    archive = archive_of(graph)
    with serving(archive) as (url, requests):
        expect(monkeypatch, url, archive, graph)
        first = choose_features("inception", None, None)
        assert requests == ["/inception-2015-12-05.tgz"]
        output = capsys.readouterr().out
        assert f"Downloading data from {url}" in output
        digest = hashlib.sha256(graph).hexdigest()
        path = cache_folder / inception.GRAPH
        assert f"{path}: SHA-256 {digest}\n" in output
        assert (first.name, first.digest) == ("inception-2015", digest[:12])
        assert path.read_bytes() == graph
        assert sorted(cache_folder.rglob("*")) == [path]  # no archive, no LICENSE
        again = choose_features("inception", None, None)
        assert len(requests) == 1 and "Downloading" not in capsys.readouterr().out
    assert again == first._replace(extract=again.extract)  # without a server
    again = choose_features("inception", None, None)
    by_path = choose_features(str(path), None, None)
    assert by_path == again._replace(extract=by_path.extract)


def test_an_archive_that_was_copied_into_the_cache_needs_no_server(
    monkeypatch, cache_folder
):
    graph = graph_bytes()
    archive = archive_of(graph)
    expect(monkeypatch, CLOSED, archive, graph)
    cache_folder.mkdir(parents=True)
    (cache_folder / "inception-2015-12-05.tgz").write_bytes(archive)
    assert choose_features("inception", None, None).name == "inception-2015"
    assert [path.name for path in cache_folder.iterdir()] == [inception.GRAPH]


def test_what_a_killed_download_left_is_downloaded_again(monkeypatch, cache_folder):
    graph = graph_bytes()
    archive = archive_of(graph)
    cache_folder.mkdir(parents=True)
    (cache_folder / "inception-2015-12-05.tgz").write_bytes(archive[:1000])
    (cache_folder / f".{inception.GRAPH}").write_bytes(graph[:1000])
    with serving(archive) as (url, requests):
        expect(monkeypatch, url, archive, graph)
        choose_features("inception", None, None)
    assert len(requests) == 1
    assert [path.name for path in cache_folder.iterdir()] == [inception.GRAPH]


def damaged(archive):
    return archive[: len(archive) // 2] + bytes(len(archive) - len(archive) // 2)


RENAMED = {"ExpandDims": "Expand", "pool_3": "pool", "softmax/logits/MatMul": "logits"}
BAD_DOWNLOADS = {  # archive, of what size the graph is expected -> what the message says
    "truncated": (lambda: archive_of(graph_bytes())[:-99], None, "bytes, not"),
    "damaged": (lambda: damaged(archive_of(graph_bytes())), None, "not the Inception"),
    "a page of a hotel": (lambda: b"<html>log in</html>", None, "not the Inception"),
    "without the graph": (lambda: archive_of(b"x" * 100, "a.pb"), 100, "has 0 bytes"),
    "a link": (lambda: archive_of(b"", kind=tarfile.SYMTYPE), 100, "has 0 bytes"),
    "another size": (lambda: archive_of(b"x" * 101), 100, "has 101 bytes, not 100"),
    "no graph": (lambda: archive_of(b"x" * 100), 100, "not the Inception"),
    **{
        f"without {old}": (
            lambda pair=(old, new): archive_of(graph_bytes(names=(pair,))),
            lambda pair=(old, new): len(graph_bytes(names=(pair,))),
            f"it has no node {old};",
        )
        for old, new in RENAMED.items()
    },
    "1000 classes": (
        lambda: archive_of(graph_bytes(n_classes=1000)),
        lambda: len(graph_bytes(n_classes=1000)),
        "[2048, 1000], not [2048, 1008]",
    ),
    "an operation that writes": (
        lambda: archive_of(graph_bytes(extra=("WriteFile",))),
        lambda: len(graph_bytes(extra=("WriteFile",))),
        "the operation WriteFile, which is not allowed",
    ),
}


@pytest.mark.parametrize("case", BAD_DOWNLOADS)
def test_a_wrong_download_leaves_nothing(monkeypatch, cache_folder, case):
    make, n_bytes, expected = BAD_DOWNLOADS[case]
    archive = make()
    n_bytes = n_bytes() if callable(n_bytes) else n_bytes
    with serving(archive) as (url, requests):
        monkeypatch.setattr(inception, "URL", url)
        if case != "truncated":
            monkeypatch.setattr(inception, "ARCHIVE_BYTES", len(archive))
        monkeypatch.setattr(inception, "GRAPH_BYTES", n_bytes or len(graph_bytes()))
        for n_requests in (1, 2):
            with pytest.raises(UserError) as error:
                choose_features("inception", None, None)
            assert len(requests) == n_requests
            message = str(error.value)
            for text in (expected, url, str(cache_folder / "inception-2015-12-05.tgz")):
                assert text in message
            assert "\n" not in message and exit_code(error.value) == 2
            assert list(cache_folder.iterdir()) == []


def test_a_connection_that_breaks_leaves_nothing(monkeypatch, cache_folder):
    archive = archive_of(graph_bytes())
    with serving(archive[:-99], announced=len(archive)) as (url, _):
        expect(monkeypatch, url, archive, graph_bytes())
        with pytest.raises(UserError, match=r"failed .retrieval incomplete") as error:
            choose_features("inception", None, None)
    assert exit_code(error.value) == 2
    assert list(cache_folder.iterdir()) == []


def test_without_a_network_one_message_names_the_file_and_its_place(
    monkeypatch, capsys, cache_folder
):
    monkeypatch.setattr(inception, "URL", CLOSED)
    words = ["--images", "shots", "--data", "digits", "--features", "inception"]
    make_pictures()
    message = refused(capsys, evaluate.main, *words)
    place = cache_folder / "inception-2015-12-05.tgz"
    assert message == (
        f"error: --features inception: the download of {CLOSED} (89 MB) failed "
        f"(connection refused): download it elsewhere and copy it to {place}\n"
    )
    assert list(cache_folder.iterdir()) == []


def make_pictures(n=20):
    pixels = np.random.default_rng(0).integers(0, 256, (n, 28, 28, 1), "uint8")
    save_each(pixels, Path("shots"))


def test_another_file_in_the_cache_is_named_and_kept(monkeypatch, cache_folder):
    cache_folder.mkdir(parents=True)
    path = cache_folder / inception.GRAPH
    path.write_bytes(b"x" * 100)
    with pytest.raises(UserError) as error:
        choose_features("inception", None, None)
    for text in (str(path), "has 100 bytes, not 95,673,916", "delete it"):
        assert text in str(error.value)
    assert path.exists()


def test_a_cache_that_cannot_be_written_is_named(monkeypatch, tmp_path):
    (tmp_path / "keras").write_text("a file")
    with pytest.raises(UserError, match=r"cannot be written.*set KERAS_HOME to another"):
        choose_features("inception", None, None)


def test_a_full_disk_is_a_fault_of_the_machine(monkeypatch, cache_folder):
    """A real limit of file size, in place of a small disk."""
    import resource

    archive = archive_of(graph_bytes())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving(archive) as (url, _):
        expect(monkeypatch, url, archive, graph_bytes())
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(archive) // 2, hard))
        try:
            with pytest.raises(UserError) as error:
                choose_features("inception", None, None)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "file too large" in str(error.value) and exit_code(error.value) == 3
    assert list(cache_folder.iterdir()) == []


# What the graph computes


@pytest.fixture
def features(tmp_path):
    (tmp_path / "graph.pb").write_bytes(graph_bytes())
    return choose_features(str(tmp_path / "graph.pb"), None, None)


def seen_pixels(features, pixels):
    """Return what the graph resized to, (n, 4, 4, 3); the rest of it is undone."""
    seen, _ = extract_all(features, pixels)
    return ((seen[:, :N_PIXELS] - 0.25) / 2).reshape(-1, 4, 4, 3) * 128


@pytest.mark.parametrize(("corners", "expected"), [
    # 2x2 -> 4x4: rows and columns 0, 0.5, 1 and 1.5, of which the last is clipped to 1
    ([[0, 64], [128, 192]],
     [[0, 32, 64, 64], [64, 96, 128, 128], [128, 160, 192, 192], [128, 160, 192, 192]]),
    # 2x8 -> 4x4: columns 0, 2, 4 and 6, without a filter against aliasing
    ([[0, 255, 10, 255, 20, 255, 30, 255]] * 2, [[0, 10, 20, 30]] * 4),
    # 3x3 -> 4x4: columns 0, 0.75, 1.5 and 2.25, rows the same
    ([[0, 100, 200]] * 3, [[0, 75, 150, 200]] * 4),
])  # fmt: skip
def test_the_graph_resizes_as_tensorflow_1_did(features, corners, expected):
    pixels = np.asarray(corners, "uint8")[np.newaxis, ..., np.newaxis]
    seen = seen_pixels(features, np.repeat(pixels, 51, axis=0))  # batches of 50 and 1
    for channel in range(3):
        want = np.broadcast_to(np.asarray(expected), (51, 4, 4))
        np.testing.assert_allclose(seen[..., channel], want, atol=1e-4)


def test_features_and_probabilities_of_an_old_graph(features):
    pixels = np.random.default_rng(1).integers(0, 256, (101, 4, 4, 3), "uint8")
    seen, probabilities = extract_all(features, pixels)
    assert (seen.shape, probabilities.shape) == ((101, 2048), (101, 1008))
    values = pixels.reshape(101, -1) / 128 * 2 + 0.25  # normalized, with its beta
    np.testing.assert_allclose(seen[:, :N_PIXELS], values, rtol=1e-5)
    np.testing.assert_allclose(seen[:, N_PIXELS:], 2.25, rtol=1e-5)  # of no pixel
    powers = np.exp(values @ weights()[:N_PIXELS].astype("float64"))  # without the bias
    expected = powers / powers.sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-9)


def test_scores_of_pictures(monkeypatch, capsys):
    graph = graph_bytes()
    archive = archive_of(graph)
    make_pictures()
    with serving(archive) as (url, _):
        expect(monkeypatch, url, archive, graph)
        words = ["--images", "shots", "--data", "digits", "--features", "inception"]
        evaluate.main(words)
    output = capsys.readouterr().out
    digest = hashlib.sha256(graph).hexdigest()
    assert f"inception-2015 {digest[:12]}" in output and digest in output
    assert "KID" in output and "Inception Score" in output
