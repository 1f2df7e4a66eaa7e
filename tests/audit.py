"""Check the installed packages for known vulnerabilities with pip-audit.

Exits with 1 and a list if there are any. Without access to the advisory database it
prints that the audit was skipped, and the reason.
"""

import json
import subprocess
import sys


def run_pip_audit():
    """Run pip-audit on the packages of this Python.

    Returns:
        its report, a dict of `dependencies`; or a text, why there is none.
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


def summarize(report):
    """Return the text to print and the exit status, of what `run_pip_audit` returns."""
    if isinstance(report, str):
        return f"audit skipped: no access to advisories ({report[:200]})", 0
    packages = report["dependencies"]
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        reason = packages[0]["skip_reason"] if packages else "no packages"
        return f"audit skipped: no access to advisories ({reason})", 0
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, fixed in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for package in known
        for fault in package["vulns"]
    ]
    unknown = len(packages) - len(known)
    checked = f"{len(known)} packages" + f", {unknown} unknown" * (unknown > 0)
    found = f"{checked}: {len(faults) or 'no'} known vulnerabilities"
    return "\n".join([*faults, found]), int(bool(faults))


if __name__ == "__main__":
    text, status = summarize(run_pip_audit())
    print(text)
    sys.exit(status)
