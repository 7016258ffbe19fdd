"""`script/data_setup.sh` against a server on this machine that does what networks do."""

import gzip
import hashlib
import http.server
import io
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy
import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "script" / "data_setup.sh"
MEMBER = "glove.6B.100d.txt"
VECTORS = b"".join(b"word%d 0.25 -1.5\n" % number for number in range(5000))
OPTIONS = b'{"lstm": {"projection_dim": 4}}\n'

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "unzip"))), reason="needs bash, curl and unzip"
)


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def hdf5(libver: str) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=libver) as file:
        file["weights"] = numpy.arange(5000.0)
    return buffer.getvalue()


ARCHIVE = zipped(**{MEMBER: VECTORS, "glove.6B.50d.txt": b"word 1\n"})


@dataclass
class Served:
    """
    What the server does with one path.

    `breaks_after` lists, a request each, how many bytes to send before the connection is dropped;
    `announces_length` is whether the client is told how many were to come. While `stalls` is not set, the
    connection stays open after that.
    """

    content: bytes
    breaks_after: list[int] = field(default_factory=list)
    announces_length: bool = True
    obeys_range: bool = True
    stalls: threading.Event | None = None
    errors: list[int] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Server:
    """Serves `files` on a free port."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        files = self.files

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self, files.get(self.path.strip("/")))

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(handler: http.server.BaseHTTPRequestHandler, served: Served | None) -> None:
    if served is None:
        handler.send_error(404)
        return
    wanted = handler.headers.get("Range", "")
    served.requests.append(wanted)
    if served.errors:
        handler.send_error(served.errors.pop(0))
        return
    start = 0
    if wanted and served.obeys_range:
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(served.content):
            handler.send_error(416)
            return
    body = served.content[start:]
    handler.send_response(206 if start else 200)
    if start:
        last = len(served.content) - 1
        handler.send_header("Content-Range", f"bytes {start}-{last}/{len(served.content)}")
    if served.announces_length:
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: served.breaks_after.pop(0)] if served.breaks_after else body)
    if served.stalls is not None:
        served.stalls.wait(30)


@dataclass
class Setup:
    """A list of files on the server, and where they go."""

    server: Server
    directory: Path
    lines: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def serve(
        self,
        name: str,
        path: str,
        kind: str,
        served: Served,
        bytes: int | str = "-",
        sha256: str = "-",
    ) -> Served:
        self.server.files[name] = served
        url = f"{self.server.address}/{name}"
        self.lines.append("\t".join([name, path, kind, str(bytes), sha256, url]))
        return served

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        return run_script(*self.arguments(), *arguments)

    def arguments(self) -> list[str]:
        listed = self.directory / "list.tsv"
        listed.write_text("# a comment\n\n" + "\n".join(self.lines) + "\n")
        return ["--list", str(listed), "--to", str(self.data), "--wait", "0"]

    def left(self) -> set[str]:
        """The files that are there, hidden ones too."""
        files = (file for file in self.data.rglob("*") if file.is_file())
        return {str(file.relative_to(self.data)) for file in files}


def environ() -> dict[str, str]:
    """Without a proxy between the script and the server."""
    return {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}


def run_script(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], capture_output=True, text=True, env=environ(), timeout=60
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    server = Server()
    yield Setup(server, tmp_path)
    server.stop()


def serve_archive(setup: Setup, **details: object) -> Served:
    served = Served(ARCHIVE, **details)  # type: ignore[arg-type]
    digest = hashlib.sha256(ARCHIVE).hexdigest()
    path = f"glove/{MEMBER}.gz"
    return setup.serve("glove", path, f"zip:{MEMBER}", served, len(ARCHIVE), digest)


def serve_weights(setup: Setup, content: bytes | None = None, **details: object) -> Served:
    served = Served(content or hdf5("earliest"), **details)  # type: ignore[arg-type]
    return setup.serve("weights", "elmo/weights.hdf5", "hdf5", served)


def check_archive(setup: Setup) -> None:
    """The wanted member is in place, and nothing else."""
    assert setup.left() == {f"glove/{MEMBER}.gz", "data_files.lock"}
    assert gzip.decompress((setup.data / "glove" / f"{MEMBER}.gz").read_bytes()) == VECTORS


# What goes well


def test_files_are_fetched_and_the_archive_is_unpacked(setup: Setup) -> None:
    serve_archive(setup)
    weights = serve_weights(setup)
    setup.serve("options", "elmo/options.json", "json", Served(OPTIONS))
    done = setup.run()
    assert done.returncode == 0, done.stderr
    assert setup.left() == {
        f"glove/{MEMBER}.gz",
        "elmo/weights.hdf5",
        "elmo/options.json",
        "data_files.lock",
    }
    packed = setup.data / "glove" / f"{MEMBER}.gz"
    assert gzip.decompress(packed.read_bytes()) == VECTORS
    assert (setup.data / "elmo/weights.hdf5").read_bytes() == weights.content
    assert (setup.data / "elmo/options.json").read_bytes() == OPTIONS


def test_member_is_not_compressed_where_its_path_is_plain(setup: Setup) -> None:
    setup.serve("glove", "vectors.txt", f"zip:{MEMBER}", Served(ARCHIVE))
    assert setup.run().returncode == 0
    assert (setup.data / "vectors.txt").read_bytes() == VECTORS


def test_only_what_is_named_is_fetched(setup: Setup) -> None:
    archive = serve_archive(setup)
    serve_weights(setup)
    assert setup.run("--only", "weights").returncode == 0
    assert setup.left() == {"elmo/weights.hdf5", "data_files.lock"}
    assert archive.requests == []


def test_what_is_there_is_not_fetched_again(setup: Setup) -> None:
    archive, weights = serve_archive(setup), serve_weights(setup)
    setup.run()
    done = setup.run()
    assert done.returncode == 0
    assert done.stdout.count("is there") == 2
    assert len(archive.requests) == len(weights.requests) == 1


def test_dry_run_writes_nothing(setup: Setup) -> None:
    archive = serve_archive(setup)
    done = setup.run("--dry-run")
    assert done.returncode == 0
    assert f"would fetch {setup.server.address}/glove ({len(ARCHIVE)} bytes)" in done.stdout
    assert not setup.data.exists() and archive.requests == []


# A network that fails


@pytest.mark.parametrize("breaks_after", [[1000], [1000, 500, 1], [0, 0]])
def test_dropped_connection_is_resumed(setup: Setup, breaks_after: list[int]) -> None:
    sent = [0]
    for number in breaks_after:
        sent.append(sent[-1] + number)
    archive = serve_archive(setup, breaks_after=list(breaks_after))
    done = setup.run()
    assert done.returncode == 0, done.stderr
    assert archive.requests == [f"bytes={start}-" if start else "" for start in sent]
    check_archive(setup)


def test_dropped_connection_to_a_server_without_ranges_begins_again(setup: Setup) -> None:
    archive = serve_archive(setup, breaks_after=[1000], obeys_range=False)
    done = setup.run()
    assert done.returncode == 0, done.stderr
    assert archive.requests == ["", "bytes=1000-", ""]
    check_archive(setup)


def test_busy_server_is_asked_again(setup: Setup) -> None:
    serve_archive(setup, errors=[503, 500])
    assert setup.run().returncode == 0
    check_archive(setup)


def test_download_goes_on_in_the_next_run(setup: Setup) -> None:
    archive = serve_archive(setup, breaks_after=[1000])
    done = setup.run("--attempts", "1")
    assert done.returncode == 1
    assert "run this again: it goes on where it stopped" in done.stderr
    assert not (setup.data / "glove" / f"{MEMBER}.gz").exists()
    assert setup.run().returncode == 0
    assert archive.requests == ["", "bytes=1000-"]
    check_archive(setup)


def test_run_that_was_killed_before_the_check_fetches_nothing_again(setup: Setup) -> None:
    archive = serve_archive(setup)
    (setup.data / "glove").mkdir(parents=True)
    (setup.data / "glove" / f".{MEMBER}.gz.download").write_bytes(ARCHIVE)
    done = setup.run()
    assert done.returncode == 0, done.stderr
    assert archive.requests == [f"bytes={len(ARCHIVE)}-"]
    check_archive(setup)


def test_rest_of_another_file_is_fetched_anew(setup: Setup) -> None:
    archive = serve_archive(setup)
    (setup.data / "glove").mkdir(parents=True)
    (setup.data / "glove" / f".{MEMBER}.gz.download").write_bytes(b"?" * 1000)
    done = setup.run()
    assert done.returncode == 0, done.stderr
    assert archive.requests == ["bytes=1000-", ""]
    check_archive(setup)


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_run_that_is_stopped_goes_on_in_the_next_one(setup: Setup, number: int) -> None:
    archive = serve_archive(setup, breaks_after=[10_000], stalls=threading.Event())
    part = setup.data / "glove" / f".{MEMBER}.gz.download"
    command = ["bash", str(SCRIPT), *setup.arguments()]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ()) as running:
        # curl gathers a few kilobytes before it writes them.
        wait_until(lambda: part.exists() and part.stat().st_size > 0)
        running.send_signal(number)
        _, said = running.communicate(timeout=20)
    assert running.returncode == 128 + number
    assert said == "data_setup: stopped; run this again, and it goes on where it was\n"
    assert setup.left() == {f"glove/.{MEMBER}.gz.download"}
    size = part.stat().st_size
    assert archive.stalls is not None
    archive.stalls.set()
    assert setup.run().returncode == 0
    assert archive.requests == ["", f"bytes={size}-"]
    check_archive(setup)


def test_second_run_at_the_same_time_is_refused(setup: Setup) -> None:
    archive = serve_archive(setup, breaks_after=[1000], stalls=threading.Event())
    command = ["bash", str(SCRIPT), *setup.arguments()]
    with subprocess.Popen(command, env=environ()) as running:
        wait_until(lambda: bool(archive.requests))
        second = setup.run()
        assert archive.stalls is not None
        archive.stalls.set()
        assert running.wait(timeout=20) == 0
    assert second.returncode == 1 and "another data_setup is at work" in second.stderr
    check_archive(setup)


def test_dead_network_is_told_in_one_message(setup: Setup) -> None:
    serve_archive(setup)
    serve_weights(setup)
    setup.server.stop()
    done = setup.run("--attempts", "2")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "could not fetch" in done.stderr and "(attempt 2 of 2)" in done.stderr
    assert setup.left() == set()


def test_missing_file_is_not_asked_for_again(setup: Setup) -> None:
    archive = serve_archive(setup, errors=[404, 404])
    done = setup.run()
    assert done.returncode == 1
    assert "error: 404 (attempt 1 of 5)" in done.stderr
    assert len(archive.requests) == 1 and setup.left() == set()


# Content that is not what it should be


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_weights_cut_short_in_silence_are_refused(setup: Setup, libver: str) -> None:
    content = hdf5(libver)
    serve_weights(setup, content, announces_length=False, breaks_after=[len(content) - 1])
    done = setup.run()
    assert done.returncode == 1
    assert f"is an HDF5 file cut short (of {len(content)} bytes)" in done.stderr
    assert setup.left() == set()


def test_archive_cut_short_in_silence_is_refused(setup: Setup) -> None:
    serve_archive(setup, announces_length=False, breaks_after=[1000])
    done = setup.run()
    assert done.returncode == 1
    assert "is no sound zip archive. It was thrown away" in done.stderr
    assert setup.left() == set()


@pytest.mark.parametrize("kind", ["hdf5", "json", f"zip:{MEMBER}"])
def test_page_in_place_of_the_file_is_refused(setup: Setup, kind: str) -> None:
    setup.serve("page", "file", kind, Served(b"<html>Please log in</html>"))
    done = setup.run()
    assert done.returncode == 1
    assert "Is there a page to log in to" in done.stderr
    assert setup.left() == set()


def test_archive_without_the_member_is_refused(setup: Setup) -> None:
    setup.serve("glove", "vectors.txt", f"zip:{MEMBER}", Served(zipped(other=b"")))
    done = setup.run()
    assert done.returncode == 1 and f"does not hold {MEMBER}" in done.stderr
    assert setup.left() == set()


def test_wrong_size_is_refused(setup: Setup) -> None:
    setup.serve("options", "options.json", "json", Served(OPTIONS), len(OPTIONS) + 1)
    done = setup.run()
    assert done.returncode == 1
    assert f"has {len(OPTIONS)} bytes; expected {len(OPTIONS) + 1}" in done.stderr
    assert setup.left() == set()


def test_wrong_checksum_is_refused(setup: Setup) -> None:
    listed = "0" * 64
    setup.serve("options", "options.json", "json", Served(OPTIONS), sha256=listed)
    done = setup.run()
    assert done.returncode == 1
    assert f"{hashlib.sha256(OPTIONS).hexdigest()}; the list says {listed}" in done.stderr
    assert setup.left() == set()


# Checksums that are not listed


def test_unlisted_checksum_is_printed_and_recorded(setup: Setup) -> None:
    setup.serve("options", "options.json", "json", Served(OPTIONS))
    done = setup.run()
    digest = hashlib.sha256(OPTIONS).hexdigest()
    assert f"SHA-256 {digest} (recorded in data_files.lock)" in done.stdout
    recorded = (setup.data / "data_files.lock").read_text().splitlines()
    assert recorded == [
        f"{setup.server.address}/options\t{len(OPTIONS)}\t{digest}",
        f"options.json\t{len(OPTIONS)}\t{digest}",
    ]


def test_file_that_changed_since_its_first_download_is_refused(setup: Setup) -> None:
    served = setup.serve("options", "options.json", "json", Served(OPTIONS))
    setup.run()
    (setup.data / "options.json").unlink()
    served.content = b'{"other": 1}'
    done = setup.run()
    assert done.returncode == 1
    assert f"data_files.lock says {hashlib.sha256(OPTIONS).hexdigest()}" in done.stderr
    assert setup.left() == {"data_files.lock"}


@pytest.mark.parametrize("spoilt", [b"", b'{"lstm": 1}'])
def test_file_in_place_that_is_another_is_neither_taken_nor_replaced(
    setup: Setup, spoilt: bytes
) -> None:
    setup.serve("options", "options.json", "json", Served(OPTIONS))
    setup.run()
    (setup.data / "options.json").write_bytes(spoilt)
    done = setup.run()
    assert done.returncode == 1
    assert "options.json is there, but" in done.stderr and "Move it away" in done.stderr
    assert (setup.data / "options.json").read_bytes() == spoilt


# Lists and arguments


@pytest.mark.parametrize(
    "line, message",
    [
        ("a\tb\tjson\t-\t-", "expected six columns"),
        ("a\t../b\tjson\t-\t-\thttp://x", "leaves the folder"),
        ("a\t/b\tjson\t-\t-\thttp://x", "leaves the folder"),
        ("a\tb\tpickle\t-\t-\thttp://x", "unknown format 'pickle'"),
        ("a\tb\tjson\tmany\t-\thttp://x", "the size 'many'"),
        ("a\tb\tjson\t-\tabc\thttp://x", "the checksum 'abc'"),
    ],
)
def test_malformed_list_is_refused(setup: Setup, line: str, message: str) -> None:
    setup.lines.append(line)
    done = setup.run()
    assert done.returncode == 1
    assert "list.tsv:3: " in done.stderr and message in done.stderr
    assert not setup.data.exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--only"], "--only needs a value"),
        (["--only", "word2vec"], "--only word2vec: .* has glove elmo-small"),
        (["--attempts", "0"], "--attempts 0"),
        (["--wait", "soon"], "--wait soon"),
        (["--list", "absent.tsv"], "absent.tsv: there is no such file"),
        (["now"], "unknown argument: now"),
    ],
)
def test_misuse_is_told_with_the_usage(arguments: list[str], message: str) -> None:
    done = run_script(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: data_setup.sh")
    last = done.stderr.splitlines()[-1]
    assert re.search(message, last)


def test_list_of_the_project_names_what_the_configs_read() -> None:
    done = run_script("--dry-run")
    assert done.returncode == 0
    configs = "".join(path.read_text() for path in (REPOSITORY / "configs").glob("*.json"))
    wanted = {
        word
        for word in configs.split('"')
        if word.startswith("data/") and word.endswith((".gz", ".json", ".hdf5"))
    }
    assert wanted and all(f"/{path}" in done.stdout for path in wanted)
