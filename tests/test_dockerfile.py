"""What can be known of the Dockerfile without building it."""

import re

from tests.running import REPOSITORY

LINES = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").splitlines()


def test_all_that_is_copied_exists() -> None:
    copied = [source for line in LINES if line.startswith("COPY ") for source in line.split()[1:-1]]
    assert "script/machine_setup.sh" in copied
    assert [source for source in copied if not (REPOSITORY / source).exists()] == []


def test_the_set_up_has_all_that_it_reads_before_the_rest_is_copied() -> None:
    # It takes minutes: were something missing of what its fingerprint is made of, the first command would
    # start it again.
    set_up = next(
        index for index, line in enumerate(LINES) if "RUN bash script/machine_setup.sh" in line
    )
    before = " ".join(line for line in LINES[:set_up] if line.startswith("COPY "))
    script = (REPOSITORY / "script" / "machine_setup.sh").read_text(encoding="utf-8")
    read = set(re.findall(r'"\$root/([\w/.-]+\.(?:txt|sh))"', script))
    assert read and all(name in before for name in read)


def test_the_project_itself_is_installed_once_it_is_copied() -> None:
    steps = [line for line in LINES if line.startswith(("COPY . .", "RUN bash script"))]
    assert [line.split()[0] for line in steps] == ["RUN", "COPY", "RUN"]


def test_python_is_one_that_the_set_up_takes() -> None:
    (version,) = re.findall(r"^FROM python:(3\.\d+)", "\n".join(LINES), re.MULTILINE)
    script = (REPOSITORY / "script" / "machine_setup.sh").read_text(encoding="utf-8")
    assert f"{version}.*" in script
