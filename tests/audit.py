"""Are there known faults in the installed packages? Asks pip-audit, where it can ask.

Ends with 1 and a list where there are some. Where the network does not let it ask, it
says that it was skipped, and why.
"""

import json
import subprocess
import sys


def asked():
    """What pip-audit says of the packages of this Python.

    Returns:
        its report, a dict of `dependencies`, or a text: why there is none.
    """
    words = ["--local", "--format", "json", "--progress-spinner", "off"]
    answer = subprocess.run(
        [sys.executable, "-m", "pip_audit", *words], capture_output=True, text=True
    )
    try:
        return json.loads(answer.stdout)
    except ValueError:
        lines = answer.stderr.strip().splitlines()
        return lines[-1] if lines else f"pip-audit ended with {answer.returncode}"


def verdict(report):
    """The text to print and the exit status, of what `asked` returns."""
    if isinstance(report, str):
        return f"audit skipped: no advisories could be asked for ({report[:200]})", 0
    packages = report["dependencies"]
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        reason = packages[0]["skip_reason"] if packages else "no packages"
        return f"audit skipped: no advisories could be asked for ({reason})", 0
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in known
        for fault in package["vulns"]
    ]
    unknown = len(packages) - len(known)
    asked_of = f"{len(known)} packages" + f", {unknown} unknown" * (unknown > 0)
    found = f"{asked_of}: {len(faults) or 'no'} known faults"
    return "\n".join([*faults, found]), int(bool(faults))


if __name__ == "__main__":
    text, status = verdict(asked())
    print(text)
    sys.exit(status)
