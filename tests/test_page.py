"""The page, as a person uses it, in a browser; the articles' annotation is known, so that what is shown can be compared with it."""

import json
import shutil
import time
from pathlib import Path

import pytest
import tiny
from served import Oracle, serving

from govorit.article import Article, Quote, Span
from govorit.formats import jsonl

selenium = pytest.importorskip("selenium")
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium is not installed")

PLAIN = tiny.article(1)
ATTACK = '👍🏽 <img src=x onerror="document.title=1"> <script>document.title=2</script> «<b>Да</b> & «нет»», — сказал Иван &lt;Петров&gt;.'


def mark(text: str, piece: str, label: str) -> Span:
    start = text.index(piece)
    return Span(start, start + len(piece), label, 0.9)


MARKUP = Article(
    "Статья",
    ATTACK,
    (mark(ATTACK, "Да", "ORG"), mark(ATTACK, "Иван &lt;Петров&gt;", "<i>PER</i>")),
    (
        Quote(
            "direct",
            (mark(ATTACK, "«<b>Да</b> & «нет»»", "DIRECT"),),
            mark(ATTACK, "сказал", "CUE"),
            mark(ATTACK, "Иван &lt;Петров&gt;", "SPEAKER"),
            "=cmd|'/c calc'!A0",
            0.987,
        ),
    ),
)
SILENT = Article("Статья", "Снег выпал рано.")
ORACLE = Oracle(*tiny.articles(12), MARKUP, SILENT)


@pytest.fixture(scope="module")
def url():
    with serving(ORACLE) as url:
        yield url


@pytest.fixture(scope="module")
def browser(tmp_path_factory, url):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    quiet = ("background-networking", "component-update", "sync", "gpu")
    folder = tmp_path_factory.mktemp("profile")
    for argument in ("--headless=new", "--no-sandbox", *(f"--disable-{name}" for name in quiet), f"--user-data-dir={folder}"):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"intl.accept_languages": "ru", "download.default_directory": str(folder / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    browser.downloads = folder / "downloads"
    origin = {"origin": url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", origin)
    browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})  # the clipboard is for a page in focus alone
    yield browser
    browser.quit()


@pytest.fixture
def page(browser, url):
    """The page on a desk, in Russian; whatever the browser complains of fails the test."""
    narrow(browser, 1280)
    browser.get(url)
    browser.execute_script("localStorage.clear()")
    browser.get(url)
    yield Page(browser)
    assert browser.get_log("browser") == []
    assert browser.title == "говорит"


class Page:
    def __init__(self, browser) -> None:
        self.browser = browser

    def __getitem__(self, id: str):
        return self.browser.find_element(By.ID, id)

    def all(self, selector: str):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments):
        return self.browser.execute_script(script, *arguments)

    def until(self, condition):
        deadline = time.monotonic() + 15
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def paste(self, text: str) -> None:
        """Put text in as the clipboard does: `send_keys` has no emoji."""
        self.run("navigator.clipboard.writeText(arguments[0])", text)
        self["text"].send_keys(Keys.CONTROL, "a")
        self["text"].send_keys(Keys.CONTROL, "v")

    def read(self, text: str) -> None:
        self.paste(text)
        self["text"].send_keys(Keys.CONTROL, Keys.ENTER)
        self.until(lambda: self.shown() == [text])

    def drop(self, files: dict[str, bytes | int]) -> None:
        """Drop files with these bytes, or with so many."""
        self.run(
            """const data = new DataTransfer();
            for (const [name, bytes] of arguments[0]) data.items.add(new File([new Uint8Array(bytes)], name));
            for (const type of ["dragover", "drop"])
              document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));""",
            [[name, content if isinstance(content, int) else list(content)] for name, content in files.items()],
        )

    def shown(self) -> list[str]:
        return self.run("return [...document.querySelectorAll('.text')].map((text) => text.textContent)")

    def rows(self) -> list[list[str]]:
        cells = "[...row.cells].map((cell) => cell.textContent)"
        return self.run(f"return [...document.querySelectorAll('tbody tr')].map((row) => {cells})")

    def downloaded(self, button: str, name: str) -> bytes:
        self[button].click()
        path: Path = self.browser.downloads / name
        self.until(lambda: path.exists() and path.stat().st_size > 0)
        content = path.read_bytes()
        path.unlink()
        return content


def narrow(browser, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    )


def expected(article: Article) -> list[list[str]]:
    def cut(span: Span | None) -> str:
        return article.text[span.start : span.end] if span else ""

    kinds = {"direct": "прямая"}
    rows = []
    for number, quote in enumerate(article.quotes, 1):
        surface = "" if cut(quote.speaker) == quote.name else cut(quote.speaker)
        score = f"{int(100 * quote.score)} %" if quote.score else ""
        rows.append([str(number), quote.name, surface, cut(quote.cue), kinds[quote.kind], " … ".join(map(cut, quote.content)), score])
    return rows


def test_paste_and_read(page):
    page.read(PLAIN.text)
    assert page.rows() == expected(PLAIN) != []
    marks = [(mark.text, mark.get_attribute("data-label")) for mark in page.all(".text mark")]
    assert marks == [(PLAIN.text[span.start : span.end], span.label) for span in PLAIN.entities]
    for number, quote in enumerate(PLAIN.quotes, 1):
        said, speaker = (page.all(f".text {tag}[data-badge='{number}']") for tag in ("span.said", "b.speaker"))
        assert [part.text for part in said] == [PLAIN.text[span.start : span.end] for span in quote.content]
        assert [part.text for part in speaker] == [PLAIN.text[quote.speaker.start : quote.speaker.end]]
    assert f"Цитат: {len(PLAIN.quotes)}." in page["status"].text
    page.all("tbody a")[0].send_keys("")  # the focus, from the keyboard
    page.run("document.querySelector('tbody a').focus()")
    assert {part.get_attribute("data-quote") for part in page.all(".lit")} == {"1"} and len(page.all(".lit")) == 4


def test_markup_in_an_article_is_text(page):
    page.read(MARKUP.text)
    assert page.rows() == expected(MARKUP)
    assert not page.all("main img, main script, .text i:not(.cue), .text b:not(.speaker)")
    assert page.all("mark")[1].get_attribute("data-label") == "<i>PER</i>" and page.all("dt")[-1].text == "<i>PER</i>"


def test_nothing_to_read_and_nobody_quoted(page):
    page["read"].click()
    assert "читать нечего" in page["status"].text and not page["results"].is_displayed()
    page.read(SILENT.text)
    assert page.rows() == [] and "Никто не цитируется" in page["articles"].text


def test_dropped_files_of_every_kind(page):
    one, two, three, four, five = tiny.articles(5, first=2)
    lines = f"{jsonl.dump(two)}\n{jsonl.dump(three)}\n".encode()
    page.drop({
        "один.txt": one.text.encode(), "два.jsonl": lines, "три.json": json.dumps(jsonl.record(four)).encode(),
        "старый.txt": five.text.encode("windows-1251"), "битый.jsonl": b'{"text": 1}\n', "огромный.txt": 2 * 2**20 + 1,
    })  # fmt: skip
    page.until(lambda: page.shown() == [article.text for article in (one, two, three, four, five)])
    assert [heading.text for heading in page.all("h3")] == ["один", two.id, three.id, four.id, "старый"]
    problems = page["problems"].text
    assert (
        "битый.jsonl: body:1: text: found a number" in problems and "огромный.txt: больше 2 МБ" in problems and "windows-1251" in problems
    )
    page.browser.get_log("browser")  # which tells of the answer 400 as well
    page.drop({"a.txt": SILENT.text.encode()})
    page.until(lambda: page.shown() == [SILENT.text])
    assert page["text"].get_attribute("value") == SILENT.text and page["problems"].text == ""


def test_copy_and_download(page):
    page.read(MARKUP.text)
    page["copy"].click()
    page.until(lambda: page["status"].text == "Скопировано.")
    pasted = page.run("return navigator.clipboard.readText()")
    head, row = pasted.rstrip("\n").split("\n")
    assert head.split("\t")[:3] == ["Статья", "№", "Кто"]
    assert row.split("\t") == [
        "Статья",
        "1",
        "'=cmd|'/c calc'!A0",
        "Иван &lt;Петров&gt;",
        "сказал",
        "прямая",
        "«<b>Да</b> & «нет»»",
        "0.987",
    ]
    page["markdown"].click()
    page.until(lambda: "| --- |" in page.run("return navigator.clipboard.readText()"))
    assert r"«\<b\>Да\</b\> \& «нет»»" in page.run("return navigator.clipboard.readText()")
    csv = page.downloaded("csv", "govorit.csv")
    assert csv.startswith(b"\xef\xbb\xbf") and csv.endswith(b"\r\n") and b"\"'=cmd|'/c calc'!A0\";" in csv
    assert json.loads(page.downloaded("json", "govorit.json")) == jsonl.record(MARKUP)


def test_without_a_clipboard_copying_works_all_the_same(page):
    page.read(PLAIN.text)
    page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    page["copy"].click()
    page.until(lambda: page["status"].text == "Скопировано.")
    page["text"].clear()
    page["text"].send_keys(Keys.CONTROL, "v")
    assert PLAIN.quotes[0].name in page["text"].get_attribute("value")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_screen_has_nothing_beside_it(page, width):
    narrow(page.browser, width)
    page.read(MARKUP.text)
    assert page.run("return document.documentElement.scrollWidth") <= width
    for button in page.all("button"):
        assert not button.is_displayed() or (button.rect["x"] >= 0 and button.rect["x"] + button.rect["width"] <= width)
    if width < 600:
        assert page["read"].rect["height"] >= 40, "wide enough for a thumb"


def test_english_is_a_switch_away_and_remembered(page):
    page.read(PLAIN.text)
    page["language"].click()
    assert page["read"].text == "Read" and page.rows()[0][4] == "direct" and page.all("th")[1].text == "Who"
    page.browser.refresh()
    assert page["read"].text == "Read" and page.run("return document.documentElement.lang") == "en"


def test_the_example_and_stopping(page):
    ORACLE.open.clear()
    page["example"].click()
    page.until(lambda: page["stop"].is_displayed())
    assert "Читаю" in page["status"].text and not page["read"].is_enabled()
    page["stop"].click()
    page.until(lambda: page["status"].text == "Остановлено." and page["read"].is_enabled())
    ORACLE.open.set()
    page["read"].click()
    page.until(lambda: page["results"].is_displayed())
    assert "Хатангу" in page.shown()[0]
