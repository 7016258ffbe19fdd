"""A browser without a window. Needs Selenium, and Chromium with its driver."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# The names that Debian, others and Google give them.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
# It is to open the demo and nothing else.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def missing() -> str | None:
    """What is not installed, and is needed; `None` if all is there."""
    if not any(map(shutil.which, BROWSERS)):
        return f"none of {', '.join(BROWSERS)}"
    return None if shutil.which(DRIVER) else DRIVER


@contextmanager
def browser(width: int = 1280, height: int = 900, dark: bool = False) -> Iterator["Chrome"]:
    """
    # Parameters

    width, height : `int`, optional (default = `1280`, `900`)
        Of the page, in CSS pixels; also those of telephones, which are narrower than a window may be.
    dark : `bool`, optional (default = `False`)
        Whether the user prefers dark pages.
    """
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, BROWSERS)))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = Chrome(options=options, service=ChromeService(shutil.which(DRIVER)))
        try:
            resize(driver, width, height)
            scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
            yield driver
        finally:
            driver.quit()


def resize(driver: "Chrome", width: int, height: int) -> None:
    """Gives the page another size, in CSS pixels."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
