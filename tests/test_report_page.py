"""The report as a browser shows it: whatever a run holds, nothing in it runs, nothing is loaded, and style and pictures are there."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from payloads import PAYLOADS
from test_report import fields, poisoned

from govorit import highlight
from govorit.article import Article
from govorit.evaluation import report

selenium = pytest.importorskip("selenium")
from selenium import webdriver  # noqa: E402
from selenium.common.exceptions import NoAlertPresentException  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
LOADED = "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith('data:'))"
RULES = "return [document.styleSheets.length, [...document.images].every(image => image.naturalWidth > 0), document.images.length]"
WIDE = "return document.documentElement.scrollWidth > window.innerWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_window_size(500, 900)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """A report in which every payload is an article, a note and a column of the history, and all together are everything else."""
    folder = tmp_path_factory.mktemp("report")
    each = [poisoned(payload) for payload in PAYLOADS]
    changes = poisoned("".join(PAYLOADS))
    changes["examples"] = [pair for one in each for pair in one["examples"]]
    changes["lasting"] = replace(changes["lasting"], pairs=changes["examples"])
    changes["history"] = [{"epoch": epoch, **{f"f1 {payload}": epoch / 2 for payload in PAYLOADS}} for epoch in (1, 2)]
    changes["title"] = PAYLOADS[0]
    changes["notes"], changes["corpus"] = [*PAYLOADS], {payload: {payload: 1} for payload in PAYLOADS}
    report.write(folder, report.Run(**{**fields(), **changes}))
    return folder / "report.html"


def visit(browser, page: Path) -> None:
    """Open a page and wait for all of it: on a busy machine `get` comes back before the last of a long one is read."""
    browser.get(page.as_uri())
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script("return document.readyState") == "complete")


def test_nothing_runs_and_nothing_is_loaded(browser, page):
    visit(browser, page)
    with pytest.raises(NoAlertPresentException):
        _ = browser.switch_to.alert
    assert browser.execute_script("return typeof hacked") == "undefined"
    assert browser.title == PAYLOADS[0]
    assert browser.execute_script(LOADED) == []
    assert browser.execute_script("return document.querySelectorAll('script, iframe, object, embed, base, form, link').length") == 0
    refused = [line["message"] for line in browser.get_log("browser")]
    assert not refused, refused


def test_style_and_pictures_pass_the_policy_and_a_phone_needs_no_sideways_scrolling(browser, page):
    visit(browser, page)
    sheets, loaded, pictures = browser.execute_script(RULES)
    assert sheets == 1 and loaded and pictures >= 1
    assert browser.execute_script("return getComputedStyle(document.querySelector('.tiles')).display") == "grid"
    assert not browser.execute_script(WIDE)


def test_the_page_of_articles_too(browser, tmp_path):
    hostile = [Article(payload, payload, meta={"title": payload}) for payload in PAYLOADS]
    (tmp_path / "page.html").write_bytes(highlight.page(hostile, PAYLOADS[0]).encode("utf-8", "replace"))
    visit(browser, tmp_path / "page.html")
    assert browser.title == PAYLOADS[0] and browser.execute_script("return typeof hacked") == "undefined"
    assert not browser.get_log("browser")
