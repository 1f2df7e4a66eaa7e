"""The audit of the packages: vulnerabilities, none, and no access to advisories."""

from audit import summarize

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


def test_known_vulnerabilities_end_with_1_and_a_list():
    text, status = summarize({"dependencies": [FINE, BAD, UNKNOWN]})
    assert status == 1
    assert text.splitlines() == [
        "pillow 11.0.0: CVE-1, fixed in 11.1",
        "pillow 11.0.0: X-2, fixed in no version yet",
        "2 packages, 1 unknown: 2 known vulnerabilities",
    ]


def test_without_vulnerabilities_it_ends_with_0():
    assert summarize({"dependencies": [FINE]}) == (
        "1 packages: no known vulnerabilities",
        0,
    )


def test_an_audit_without_access_reports_it_and_is_no_failure():
    for report in ("no such host", {"dependencies": [UNKNOWN]}):
        text, status = summarize(report)
        assert status == 0 and text.startswith("audit skipped") and text.count("\n") == 0
