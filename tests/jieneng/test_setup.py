"""`jieneng setup` as an operator uses it, over a stub of InfluxDB's documented HTTP API."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from jieneng.__main__ import jieneng
from tests.influx import stub_of_influx


def test_what_would_be_made_is_told_then_made_and_then_there(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text("a-token-for-tests")
    with stub_of_influx() as stub:
        # The gateway's own token may not make buckets, nor need it.
        address = stub.address(name="jieneng", bucket="campus")
        stub.token_file.write_text("may-read-and-write")
        wanted = ["setup", "--store", address, "--keep-days", "90", "--admin-token-file", str(tmp_path / "admin")]
        would, done, again = (
            CliRunner().invoke(jieneng, [*wanted, *more], catch_exceptions=False) for more in (["--dry-run"], [], [])
        )
        made = [bucket["name"] for bucket in stub.buckets]

    assert "would make bucket campus, kept for 90 days\nwould make bucket campus_hourly, kept for ever" in would.output
    assert "make task 'jieneng of campus by the hour', into campus_hourly" in done.output
    assert again.output == "all is as it should be\n"
    assert made == ["readings", "campus", "campus_hourly"]


def test_a_store_that_needs_no_setting_up_is_told(tmp_path: Path) -> None:
    shown = CliRunner().invoke(jieneng, ["setup", "--data", str(tmp_path)])

    assert shown.exit_code != 0
    assert "only a store in InfluxDB needs to be set up" in str(shown.output) + str(shown.exception)
