"""Fetching from a server of our own: resumed, checked, whole, and never twice."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fakes import Blobs
from typer.testing import CliRunner, Result

import otae
from otae.cli.app import app
from otae.errors import ConfigError, DataError
from otae.fetching import entries, entry, fetch
from otae.interfaces import Download, Source

CONTENT = bytes(range(256)) * 4000
SUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    """Creates the answers of a server that may know ranges, and may break off."""

    ranges, breaks, asked = True, 0, []

    def do_GET(self) -> None:
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted and self.ranges else 0
        self.asked.append(start)
        if self.path != "/x.bin" or start >= len(CONTENT):
            self.send_error(404 if self.path != "/x.bin" else 416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.breaks or len(CONTENT)])

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Handler, "asked", [])
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/x.bin"
    running.shutdown()
    running.server_close()


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *(str(each) for each in arguments)])


def test_a_file_arrives_whole_and_is_not_fetched_again(tmp_path, server) -> None:
    told: list[tuple[int, int | None]] = []
    file = Download(server, "a/b/x.bin", SUM, len(CONTENT))
    path = fetch(file, tmp_path, lambda done, total: told.append((done, total)))
    assert path == tmp_path / "a/b/x.bin"
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert fetch(file, tmp_path) == path
    assert Handler.asked == [0]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ranges", [True, False], ids=["by a range", "from the start"])
def test_what_was_broken_off_is_continued(tmp_path, server, monkeypatch, ranges) -> None:
    monkeypatch.setattr(Handler, "ranges", ranges)
    monkeypatch.setattr(Handler, "breaks", 300_000)
    file = Download(server, "x.bin", SUM)
    with pytest.raises(DataError, match=r"cannot be fetched to '.*x\.bin'.*What has arrived is kept: fetch again"):
        fetch(file, tmp_path)
    assert (tmp_path / "x.bin.part").read_bytes() == CONTENT[:300_000]
    assert not (tmp_path / "x.bin").exists()
    monkeypatch.setattr(Handler, "breaks", 0)
    assert fetch(file, tmp_path).read_bytes() == CONTENT
    assert Handler.asked == [0, 300_000 if ranges else 0]


def test_a_complete_part_is_only_checked(tmp_path, server) -> None:
    (tmp_path / "x.bin.part").write_bytes(CONTENT)
    fetch(Download(server, "x.bin", SUM, len(CONTENT)), tmp_path)
    assert Handler.asked == []


def test_a_part_that_is_too_long_is_removed(tmp_path, server) -> None:
    (tmp_path / "x.bin.part").write_bytes(CONTENT + b"more")
    with pytest.raises(DataError, match="does not fit the file, and is removed"):
        fetch(Download(server, "x.bin", SUM), tmp_path)
    assert fetch(Download(server, "x.bin", SUM), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("digest", "size"),
    [("sha256:" + "0" * 64, None), ("md5:" + "0" * 32, None), (SUM, 7), (None, 7)],
    ids=["sha256", "md5", "size", "size alone"],
)
def test_a_file_that_is_not_the_one_expected_is_removed(tmp_path, server, digest, size) -> None:
    with pytest.raises(DataError, match=r"is not the file that was expected.*It is removed"):
        fetch(Download(server, "x.bin", digest, size), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_on_this_machine_is_fetched_too(tmp_path) -> None:
    (tmp_path / "from.bin").write_bytes(CONTENT)
    md5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    path = fetch(Download((tmp_path / "from.bin").as_uri(), "to/x.bin", md5), tmp_path)
    assert path.read_bytes() == CONTENT


def test_an_address_without_a_file_is_told(tmp_path, server) -> None:
    with pytest.raises(DataError, match=r"none cannot be fetched.*Not Found.*Try again later"):
        fetch(Download(server.replace("x.bin", "none"), "x.bin"), tmp_path)
    with pytest.raises(DataError, match=r"cannot be fetched.*Connection refused"):
        fetch(Download("http://127.0.0.1:9/x", "x.bin"), tmp_path)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x"])
def test_a_plugin_cannot_write_outside_the_data_folder(tmp_path, path) -> None:
    with pytest.raises(ConfigError, match="would leave the data folder"):
        fetch(Download("file:///etc/hosts", path), tmp_path)
    with pytest.raises(ConfigError, match="of no known kind"):
        fetch(Download("ftp://host/x", "x"), tmp_path)


def plugin(*sources: Source) -> type[Blobs]:
    return type("Fetched", (Blobs,), {"sources": sources, "__doc__": "Creates blobs.", "__module__": __name__})


@pytest.fixture
def offered(server: str) -> Iterator[None]:
    file = Download(server, "mine/x.bin", SUM, len(CONTENT))
    open_, closed = Source("mine", "bytes", "https://page", (file,)), Source("yours", "faces", "https://p", (), "Ask.")
    unsure = Source("unsure", "bytes", "https://page", (Download(server, "unsure/x.bin"),))
    otae.datasets.register("fetched", plugin(open_, closed, unsure))
    yield
    otae.datasets.unregister("fetched")


def test_the_command_fetches_for_any_plugin(tmp_path, offered) -> None:
    def told() -> dict[str, Any]:
        rows = json.loads(run("list", "--root", tmp_path, "--json").stdout)
        return {row["name"]: (row["dataset"], row["size"], row["there"]) for row in rows}

    assert told()["mine"] == ("fetched", "1.0 MB", "no")
    assert told()["yours"] == ("fetched", "by hand", "by hand")
    first = run("fetch", "mine", "--root", tmp_path)
    assert (first.exit_code, first.stdout) == (0, f"{tmp_path}/mine/x.bin  checksum right\n")
    assert run("fetch", "mine", "--root", tmp_path).stdout.endswith("there already\n")
    assert told()["mine"][2] == "yes"
    assert run("fetch", "unsure", "--root", tmp_path).stdout.endswith(f"no checksum known; {SUM}\n")
    assert "mine" in run("list").stdout


def test_the_data_folder_is_that_of_the_environment(tmp_path, offered, monkeypatch) -> None:
    monkeypatch.setenv("OTAE_DATA", str(tmp_path))
    assert run("fetch", "mine").exit_code == 0
    assert (tmp_path / "mine/x.bin").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [("yours", "must be fetched by hand, from https://p. Ask."), ("mein", "No source of data named 'mein'.")],
)
def test_what_cannot_be_fetched_is_told_with_status_2(offered, name, message) -> None:
    result = run("fetch", name)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_one_name_for_two_sources_is_refused(offered) -> None:
    otae.datasets.register("rival", plugin(Source("mine", "other", "https://page", by_hand="Ask.")))
    with pytest.raises(ConfigError, match="named differently by several datasets: fetched, rival"):
        entry("mine")
    otae.datasets.unregister("rival")


def test_a_dataset_that_cannot_be_used_is_left_out(install, offered) -> None:
    install("sick", "[otae.datasets]\nbroken = my_broken:Mine\n", {"my_broken.py": "import no_such_package"})
    with pytest.warns(UserWarning, match="The dataset 'broken' is skipped"):
        assert "mine" in {each.source.name for each in entries()}


def test_every_file_on_offer_has_a_checksum_and_a_page() -> None:
    for each in entries():
        assert each.source.page.startswith("https://")
        assert all(
            re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.digest or "") for file in each.source.files
        )
