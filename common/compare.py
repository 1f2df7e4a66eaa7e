"""Compare runs: different options, scores, curves and image grids."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.comparing.plots import save_curves, save_grids
from common.comparing.read import read_runs
from common.comparing.tables import different_settings, legend, report
from common.options.table import OPTIONS
from common.runs.folder import new_run

NOT_HYPERPARAMETERS = {row.flag for row in OPTIONS.values() if row.resume or row.local}


@cli.command
def main(argv=None):
    """Print and save the tables, plot the curves, and join the image grids."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] RUN RUN..."
    parser.add_argument("runs", nargs="*", metavar="RUN", help="two or more run folders")
    text = "new folder for the results (default: runs/compare/NNNN)"
    parser.add_argument("--run-dir", metavar="DIR", help=text)
    options = parser.parse_args(argv)
    runs = read_runs(options.runs)
    folder = new_run("compare", options.run_dir)
    rows = different_settings(runs)
    text = report(runs, rows)
    print(text)
    pictures = "![Curves](curves.png)\n\n![Pictures](grids.png)"
    (folder / "comparison.md").write_text(f"# Comparison\n\n{text}\n\n{pictures}\n")
    lines = legend(runs, rows, NOT_HYPERPARAMETERS)
    save_curves(runs, lines, folder / "curves.png")
    save_grids(runs, folder / "grids.png")
    print(f"\nsaved comparison.md, curves.png and grids.png in {folder}")


if __name__ == "__main__":
    main()
