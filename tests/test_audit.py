"""The audit of the packages: found, nothing found, and nobody to ask."""

from audit import verdict

FINE = {"name": "numpy", "version": "2.1.0", "vulns": []}
BAD = {
    "name": "pillow",
    "version": "11.0.0",
    "vulns": [
        {"id": "CVE-1", "fix_versions": ["11.1"]},
        {"id": "X-2", "fix_versions": []},
    ],
}
UNKNOWN = {"name": "ours", "skip_reason": "not found"}


def test_known_faults_end_with_1_and_a_list():
    text, status = verdict({"dependencies": [FINE, BAD, UNKNOWN]})
    assert status == 1
    assert text.splitlines() == [
        "pillow 11.0.0: CVE-1, mended in 11.1",
        "pillow 11.0.0: X-2, mended in no version yet",
        "2 packages, 1 unknown: 2 known faults",
    ]


def test_without_faults_it_ends_with_0():
    assert verdict({"dependencies": [FINE]}) == ("1 packages: no known faults", 0)


def test_an_audit_that_could_not_ask_says_so_and_is_no_failure():
    for report in ("no such host", {"dependencies": [UNKNOWN]}):
        text, status = verdict(report)
        assert status == 0 and text.startswith("audit skipped") and text.count("\n") == 0
