"""Files are written whole or not at all, and one process at a time."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from helpers import ROOT

from common.basics.files import atomic_write, exclusive_lock

INSIDE = """
import sys
from pathlib import Path
from common.basics.files import exclusive_lock
with exclusive_lock(Path()):
    print("inside", flush=True)
    sys.stdin.read()
    Path("ready").touch()
"""


def test_who_is_second_waits_for_the_first_and_says_so(capsys):
    """As two processes do that want the same classifier."""
    first = subprocess.Popen(
        [sys.executable, "-c", INSIDE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert first.stdout.readline() == b"inside\n"
    Timer(0.5, first.stdin.close).start()
    with exclusive_lock(Path()):
        assert Path("ready").exists()
    assert "waiting for another process" in capsys.readouterr().out
    first.wait()


def test_a_file_is_written_whole_and_never_through_a_link():
    Path("precious").write_text("the user's")
    Path(".new").symlink_to("precious")
    with atomic_write(Path("new")) as part:
        part.write_text("ours")
    assert Path("precious").read_text() == "the user's"
    assert Path("new").read_text() == "ours" and not Path("new").is_symlink()
    with pytest.raises(KeyboardInterrupt), atomic_write(Path("new")) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert Path("new").read_text() == "ours" and not part.exists()


@pytest.mark.parametrize("links", [True, False])
def test_ctrl_c_between_two_renames_leaves_the_file_that_was_there(monkeypatch, links):
    """Also on a disk that gives no file a second name."""
    path, before = Path("new"), Path("before")
    path.write_text("first")
    rename = Path.replace

    def interrupted(old, new):
        if new == path and before.exists() and "second" in old.read_text():
            raise KeyboardInterrupt
        return rename(old, new)

    if not links:
        monkeypatch.setattr(os, "link", lambda *names: os.open("/nowhere", os.O_RDONLY))
    with monkeypatch.context() as change:
        change.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt), atomic_write(path, before) as part:
            part.write_text("second")
    assert path.read_text() == "first" and not part.exists()
    assert before.exists() == links
    for text, older in (("second", "first"), ("third", "second")):
        with atomic_write(path, before) as part:
            part.write_text(text)
        assert (path.read_text(), before.read_text()) == (text, older)
    assert sorted(Path().iterdir()) == [before, path]
