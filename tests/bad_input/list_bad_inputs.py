"""List the wrong inputs with their exit codes and messages in `docs/bad_inputs.md`.

Run as `python tests/bad_input/list_bad_inputs.py`; the list is the same on every machine.
"""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

import bad_files  # noqa: E402
from bad_inputs import cases, observe, shortened  # noqa: E402

HEAD = """# Wrong inputs

The message of each script for a wrong input, and its exit code: 2. (3 is for faults of
the machine, such as a full disk: `tests/test_faults.py` makes these.) No file changes.
`tests/bad_input/test_bad_input.py` tries them all; this list is written by
`python tests/bad_input/list_bad_inputs.py`.

| script | input | exit code | message |
|---|---|---|---|
"""


def row(name, case):
    """A line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KERAS_HOME"] = str(Path(folder, "keras"))
        os.chdir(folder)
        seen = observe(case)
        bad_files.flatten()
        os.chdir(ROOT)
        message = shortened(seen.printed, folder)
    what = name.removeprefix(case.script).removeprefix(":").strip() or "nothing"
    what = what if name.startswith(f"{case.script}:") else f"`{what}`"
    cells = (f"`{case.script}`", what, seen.code, message)
    return "| " + " | ".join(str(x).replace("|", "\\|") for x in cells) + " |\n"


def main():
    """Write the file."""
    os.environ.update(https_proxy="http://127.0.0.1:9", CUDA_VISIBLE_DEVICES="-1")
    os.environ.pop("GAN_DATA_DIR", None)
    rows = [row(name, case) for name, case in cases().items()]
    (ROOT / "docs" / "bad_inputs.md").write_text(HEAD + "".join(rows))


if __name__ == "__main__":
    main()
