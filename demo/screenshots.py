#!/usr/bin/env python
"""Writes the README's pictures of the page, on a run, to docs/images/. Needs Chromium and its driver."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from demo.browser import browser, missing, resize  # noqa: E402
from demo.process import server_process  # noqa: E402
from hmtl.cli import add_serialization_dir  # noqa: E402

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = REPOSITORY / "docs" / "images"
DESKTOP, PHONE = 1000, 390
# Of the pictures; a page that is longer is cut off.
LEAST_HEIGHT, MOST_HEIGHT = 400, 1300
TIMEOUT = 60
SECONDS_TO_SETTLE = 0.5
MOST_KB = 200


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_serialization_dir(parser, "the run to show")
    parser.add_argument(
        "--example", type=int, default=0, help="which of the page's examples, from 0"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    if lacking := missing():
        sys.exit(f"error: there is no browser to take pictures with: {lacking}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with server_process("-s", arguments.serialization_dir) as server:
        with browser(DESKTOP) as driver:
            show_example(driver, server.address, arguments.example)
            take(driver, DESKTOP, "demo.png")
            take(driver, PHONE, "demo-phone.png")
        with browser(DESKTOP, dark=True) as driver:
            show_example(driver, server.address, arguments.example)
            driver.execute_script("document.querySelector('.item.cluster')?.click()")
            take(driver, DESKTOP, "demo-dark.png")


def show_example(driver: "Chrome", address: str, number: int) -> None:
    """Opens the page, and shows an example once the first has been drawn."""
    driver.get(address)
    wait_for(driver, "return document.getElementById('status').textContent.includes('token')")
    driver.execute_script(
        "document.getElementById('status').textContent = '';"
        "document.querySelectorAll('#examples button')[arguments[0]].click()",
        number,
    )
    wait_for(driver, "return document.getElementById('status').textContent.includes('token')")


def wait_for(driver: "Chrome", script: str) -> None:
    """Returns when a script in the page says so."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, TIMEOUT).until(lambda _: driver.execute_script(script))


def take(driver: "Chrome", width: int, name: str) -> None:
    """Writes a picture of the whole page."""
    resize(driver, width, LEAST_HEIGHT)
    time.sleep(SECONDS_TO_SETTLE)
    height = driver.execute_script("return document.documentElement.scrollHeight")
    resize(driver, width, min(int(height), MOST_HEIGHT))
    time.sleep(SECONDS_TO_SETTLE)
    path = IMAGES / name
    driver.save_screenshot(str(path))
    size = path.stat().st_size // 1000
    print(f"{path.relative_to(REPOSITORY)}: {size} kB{' (too large)' if size > MOST_KB else ''}")


if __name__ == "__main__":
    main()
