"""What the page draws, in a real browser."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmtl.prediction.predictor import Predictor
from hmtl.serving.app import Served
from tests.serving.browser import browser, missing, resize
from tests.serving.fake_predictor import FAILS_ON, FakePredictor
from tests.serving.serving import Client, serving

if missing():
    pytest.skip(f"there is no browser to test the page in: {missing()}", allow_module_level=True)

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

TIMEOUT = 30
POLL = 0.05
# Four mentions of three things in two sentences; the second sentence takes up two of them again.
TEXT = "Ann Lee met Zoe near Rome. She liked Zoe."
PHONE, WIDE = 360, 1000
DESKTOP = 1100


@pytest.fixture(scope="module")
def server() -> Iterator[Client]:
    with serving(FakePredictor()) as client:
        yield client


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with browser(DESKTOP) as driver:
        yield driver


class Page:
    """The page, as a user sees it."""

    def __init__(self, driver: Chrome, address: str) -> None:
        self.driver = driver
        resize(driver, DESKTOP, 900)
        driver.get(address)
        # It begins with an example.
        self.wait_for("#status", "token")

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((element) =>"
            " (element.innerText ?? element.textContent).replace(/\\s+/g, ' '))",
            selector,
        )

    def boxes(self, selector: str) -> list[dict[str, float]]:
        """`left`, `top`, `right` and `bottom` of what is drawn, in CSS pixels."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((element) =>"
            " element.getBoundingClientRect().toJSON())",
            selector,
        )

    def wait_for(self, selector: str, text: str) -> None:
        WebDriverWait(self.driver, TIMEOUT, POLL).until(
            lambda _: any(text in found for found in self.texts(selector)), f"{text} in {selector}"
        )

    def paste(self, text: str) -> None:
        """Puts a text in place of the one that is there."""
        self.driver.execute_script(
            "const area = document.getElementById('text'); area.value = arguments[0];"
            " area.dispatchEvent(new Event('input'))",
            text,
        )

    def analyse(self, text: str) -> None:
        """Pastes a text, and waits for its drawing or for a message."""
        self.driver.execute_script(
            "for (const id of ['status', 'message']) document.getElementById(id).textContent = ''"
        )
        self.paste(text)
        self.one(".primary").click()
        WebDriverWait(self.driver, TIMEOUT, POLL).until(
            lambda _: "token" in self.texts("#status")[0] or self.texts("#message")[0]
        )

    def hover(self, element: WebElement) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).perform()

    def wait_for_number(self, selector: str, number: int) -> list[WebElement]:
        """Waits until there are so many: what the mouse brings about comes a moment after it."""
        found = self.all(selector)
        deadline = time.monotonic() + TIMEOUT
        while len(found) != number and time.monotonic() < deadline:
            time.sleep(POLL)
            found = self.all(selector)
        assert len(found) == number, f"{len(found)} of {selector}"
        return found

    def token(self, text: str, number: int = 0) -> WebElement:
        return [each for each in self.all(".token") if each.text == text][number]

    def press(self, *keys: str) -> WebElement:
        """Presses a key where the focus is; the element that has it then."""
        ActionChains(self.driver).send_keys(*keys).perform()
        return self.driver.switch_to.active_element

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def complaints(self) -> list[str]:
        """What the browser wrote to its console."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture
def page(chrome: Chrome, server: Client) -> Page:
    page = Page(chrome, server.address)
    page.analyse(TEXT)
    return page


def test_page_begins_with_an_example_and_loads_nothing_from_elsewhere(
    chrome: Chrome, server: Client
) -> None:
    page = Page(chrome, server.address)
    assert page.one("#text").get_attribute("value")
    assert page.all(".mark") and page.all(".arc path") and page.all(".mention")
    assert "a run" in page.one("#run").text
    loaded = chrome.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert loaded and all(address.startswith(server.address) for address in loaded)
    assert page.complaints() == []


def test_words_stand_as_they_were_typed(page: Page) -> None:
    assert page.texts(".sentence") == ["Ann Lee met Zoe near Rome.", "She liked Zoe."]


def test_mentions_of_both_tasks_stand_under_their_words(page: Page) -> None:
    assert page.texts(".mark[data-task=ner]") == ["PERSON", "PLACE", "PLACE", "PLACE"]
    assert page.texts(".mark[data-task=emd]") == ["PER", "LOC", "LOC", "PRO", "LOC"]
    ann, lee = page.boxes(".token")[:2]
    for task in ("ner", "emd"):
        mark = page.boxes(f".mark[data-task={task}]")[0]
        assert mark["left"] == pytest.approx(ann["left"], abs=2)
        assert mark["right"] == pytest.approx(lee["right"], abs=2)
        assert mark["top"] > ann["bottom"] - 2


def test_labels_do_not_lie_on_each_other(page: Page) -> None:
    page.analyse("A B met Q R. Q A, Q A, Q A, Q A, Q A, Q A, she he it it it " * 3)
    for task in ("ner", "emd"):
        boxes = page.boxes(f".mark[data-task={task}]")
        assert len(boxes) > 20
        for one, other in zip(boxes, boxes[1:]):
            assert other["top"] >= one["bottom"] or other["left"] >= one["right"] - 1


def test_relation_is_an_arc_between_its_mentions(page: Page) -> None:
    assert page.texts(".arc text") == ["near", "near"]
    first, second = page.boxes(".arc path:not(.head)")
    ann, lee, _, zoe, _, rome = page.boxes(".token")[:6]
    assert ann["left"] < first["left"] < lee["right"]
    assert zoe["left"] < first["right"] < second["left"] < zoe["right"]
    assert rome["left"] < second["right"] < rome["right"]
    assert first["top"] < first["bottom"] < ann["top"] + 2
    heads = page.boxes(".arc .head")
    assert [(head["left"] + head["right"]) / 2 for head in heads] == [
        pytest.approx(first["right"], abs=1),
        pytest.approx(second["right"], abs=1),
    ]


def test_clusters_are_numbered(page: Page) -> None:
    # Zoe, Zoe; Rome, She.
    assert page.texts(".mention b") == ["1", "2", "2", "1"]
    mentions, words = page.boxes(".mention"), page.boxes(".token")
    for mention, word in zip(mentions, [words[3], words[5], words[7], words[9]]):
        assert mention["left"] < (word["left"] + word["right"]) / 2 < mention["right"]


@pytest.mark.parametrize("where", ["mention", "word", "list"])
def test_cluster_lights_up_under_the_mouse(page: Page, where: str) -> None:
    target = {
        "mention": lambda: page.all(".mention[data-cluster='1']")[0],
        "word": lambda: page.token("She"),
        "list": lambda: page.all(".item.cluster")[1],
    }[where]()
    page.hover(page.one("h1"))
    page.wait_for_number(".mention.active", 0)
    page.hover(target)
    active = page.wait_for_number(".mention.active", 2)
    assert [mention.get_attribute("data-cluster") for mention in active] == ["1", "1"]
    assert len(page.all("#links path")) == 1
    page.hover(page.one("h1"))
    page.wait_for_number(".mention.active, #links path", 0)


def test_cluster_lights_up_when_the_keyboard_comes_to_it(page: Page) -> None:
    page.all("#switches input")[-1].send_keys("")
    focused = page.press(Keys.TAB)
    assert focused.get_attribute("aria-label") == "Zoe: cluster 1, mention 1 of 2"
    assert {m.get_attribute("data-cluster") for m in page.all(".mention.active")} == {"0"}
    focused = page.press(Keys.ARROW_RIGHT)
    assert focused.get_attribute("aria-label") == "Rome: cluster 2, mention 1 of 2"
    assert {m.get_attribute("data-cluster") for m in page.all(".mention.active")} == {"1"}
    # All mentions are one stop: next come the legend and two buttons, then the lists.
    focused = page.press(*[Keys.TAB] * 4)
    assert "relation" in (focused.get_attribute("class") or "")
    page.wait_for_number("g.arc.active path", 2)


def test_click_keeps_a_relation_lit_and_escape_ends_it(page: Page) -> None:
    item = page.all(".item.relation")[0]
    item.click()
    page.hover(page.one("h1"))
    page.driver.execute_script("document.activeElement.blur()")
    assert len(page.all(".item.relation.active")) == 1
    assert item.get_attribute("aria-pressed") == "true"
    page.press(Keys.ESCAPE)
    assert not page.all(".active")
    assert item.get_attribute("aria-pressed") == "false"


def test_relation_lights_up_under_the_mouse(page: Page) -> None:
    page.hover(page.one("h1"))
    page.hover(page.all(".arc text")[1])
    page.wait_for_number("g.arc.active path:not(.head)", 1)
    (item,) = page.wait_for_number(".item.active", 1)
    assert " ".join(item.text.split()) == "Zoe near → Rome"


@pytest.mark.parametrize(
    "task, drawn",
    [
        ("ner", ".mark[data-task=ner]"),
        ("emd", ".mark[data-task=emd]"),
        ("relation", ".arc path"),
        ("coref", ".mention"),
    ],
)
def test_switch_takes_its_task_off_the_page_and_brings_it_back(
    page: Page, task: str, drawn: str
) -> None:
    before, lists = len(page.all(drawn)), len(page.all(".lists .card"))
    everything = len(page.all(".mark, .arc path, .mention"))
    switch = page.one(f"#switches input[data-task={task}]")
    switch.click()
    assert not page.all(drawn)
    assert len(page.all(".mark, .arc path, .mention")) == everything - before
    assert len(page.all(".lists .card")) == lists - 1
    # It stays off for the next text.
    page.analyse(TEXT)
    assert not page.all(drawn)
    page.one(f"#switches input[data-task={task}]").click()
    assert len(page.all(drawn)) == before


def test_control_and_enter_analyse(page: Page) -> None:
    area = page.one("#text")
    area.clear()
    area.send_keys("Bo left.")
    area.send_keys(Keys.CONTROL, Keys.ENTER)
    page.wait_for(".sentence", "Bo left.")


def test_time_taken_is_told(page: Page) -> None:
    told = page.one("#status").text
    assert told.startswith("2 sentences, 11 tokens · ")
    assert " ms, of which the model " in told


def test_markup_in_a_text_is_text(page: Page) -> None:
    attempts = [
        "<script>document.title = 'hacked'</script>",
        "<img src=x onerror=\"document.title='hacked'\">",
        "<svg/onload=document.title='hacked'> &lt;b&gt; </p></textarea>",
        "javascript:document.title='hacked' {{7*7}} ${7*7}",
    ]
    for attempt in attempts:
        page.analyse(f"Ann said {attempt} to Ann.")
        shown = "".join(page.texts(".sentence"))
        assert "".join(attempt.split()) in "".join(shown.split())
        assert not page.all("#result script, #result img, #result b:not(.mention b)")
    assert page.driver.title == "HMTL"
    assert page.complaints() == []


def test_characters_beyond_the_basic_plane_move_nothing(page: Page) -> None:
    page.analyse("😀😀😀 𠀀 Ann met Zoe. She 😀 left.")
    assert "Ann" in page.texts(".lists .card")[0]
    assert page.texts(".mark[data-task=ner]") == ["PERSON", "PLACE"]
    zoe = page.boxes(".token")[page.texts(".token").index("Zoe")]
    mark = page.boxes(".mark[data-task=ner]")[-1]
    assert zoe["left"] < (mark["left"] + mark["right"]) / 2 < zoe["right"]


def test_text_without_a_word_is_said_to_be_one(page: Page) -> None:
    page.analyse("")
    assert "no word" in page.one("#sentences").text
    assert not page.all(".mark, .arc, .mention")


def test_error_of_the_server_is_shown_and_goes_with_the_next_answer(page: Page) -> None:
    page.analyse(FAILS_ON)
    assert "the server's log says why" in page.one("#message").text
    assert not page.one("#result").is_displayed()
    page.analyse(TEXT)
    assert not page.one("#message").is_displayed()
    assert page.one("#result").is_displayed()
    page.complaints()


def test_text_that_is_too_long_is_refused_in_words(page: Page) -> None:
    page.paste("a" * 5_001)
    assert page.one("#count").text == "5,001 of 5,000 characters"
    page.one(".primary").click()
    page.wait_for("#message", "This text has 5,001 characters; the limit is 5,000. Shorten it")
    assert page.complaints() == []


def test_link_carries_its_text_and_model(chrome: Chrome) -> None:
    other = (FakePredictor(names={"emd": "people"}), Served("other", note="A toy."))
    with serving(FakePredictor(), others=[other]) as client:
        page = Page(chrome, f"{client.address}/?model=other#text=Bo+met+Zoe.")
        assert page.texts(".sentence") == ["Bo met Zoe."]
        assert page.texts("#switches label") == ["people 2"]
        assert page.texts("#models option") == ["a run", "other"]
        assert page.one("#note").text == "A toy."
        link = chrome.execute_script(
            "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
            "document.getElementById('copy-link').click(); return window.copied"
        )
        assert link == f"{client.address}/?model=other#text=Bo+met+Zoe."


def test_examples_card_and_legend_are_the_models(chrome: Chrome) -> None:
    card = "# Card\n\nSome `words`.\n\n| a | b |\n| --- | --- |\n| 1 | 2\\|3 |"
    served = Served("r", card=card, examples=[("Bo", "Bo left."), ("Zoe", "Zoe came.")])
    with serving(FakePredictor(), served=served) as client:
        page = Page(chrome, client.address)
        assert page.texts(".sentence") == ["Bo left."]
        assert page.texts("#examples button") == ["Bo", "Zoe"]
        assert "known answers right" in page.one("#from").text
        page.one("#card summary").click()
        page.wait_for("#card", "Some words.")
        assert page.texts("#card td") == ["1", "2|3"]
        page.one("#legend summary").click()
        assert "People, including fictional" in page.one("#legend").text


def test_text_that_runs_from_the_right_is_drawn_so(page: Page) -> None:
    page.analyse("في Ann Lee مع Bo.")
    first, *_, last = page.boxes(".token")
    assert first["left"] > last["right"]
    ann, bo = page.boxes(".mark[data-task=ner]")
    assert ann["left"] > bo["right"]
    assert ann["left"] <= page.boxes(".token")[2]["left"] + 1


def test_line_does_not_end_inside_a_mention(page: Page) -> None:
    resize(page.driver, PHONE, 740)
    page.analyse("someone somewhere met Ann Lee Holm. " * 6)
    assert len(page.all(".mark[data-task=ner]")) == 6
    for mark in page.boxes(".mark[data-task=ner]"):
        assert mark["right"] - mark["left"] > 60


@pytest.mark.parametrize("width", [320, PHONE, WIDE])
def test_page_fits_the_window_and_arcs_go_on_in_the_next_line(page: Page, width: int) -> None:
    long = "Ann Lee of Rome met the old and very tired Zoe Zimmer near Paris. " * 3 + "x" * 300
    page.analyse(long)
    resize(page.driver, width, 740)
    WebDriverWait(page.driver, TIMEOUT, POLL).until(lambda _: edges(page)[1] <= width)
    assert page.overflow() == 0
    assert edges(page)[0] >= 0
    # Three arcs a sentence, and in a narrow window some of them over two lines.
    assert (len(page.all(".arc path:not(.head)")) > 9) == (width < WIDE)
    assert len(page.all(".arc .head")) == 9


def edges(page: Page) -> tuple[float, float]:
    """How far to the left and to the right anything is drawn."""
    boxes = page.boxes(".token, .mark, .mention, .arc path, .arc rect")
    return min(box["left"] for box in boxes), max(box["right"] for box in boxes)


def test_page_adapts_to_the_tasks_of_the_run(chrome: Chrome) -> None:
    with serving(
        FakePredictor(names={"emd": "people", "relation": "links", "coref": "who"})
    ) as client:
        page = Page(chrome, client.address)
        page.analyse(TEXT)
        assert page.texts("#switches label") == ["people 5", "links 2", "who 2"]
        assert page.texts(".mark") == ["PER", "LOC", "LOC", "PRO", "LOC"]
        assert page.texts(".mention b") == ["1", "2", "2", "1"]
        assert len(page.all(".arc path:not(.head)")) == 2
    with serving(FakePredictor(names={"ner": "ner"})) as client:
        page = Page(chrome, client.address)
        page.analyse(TEXT)
        assert page.texts("#switches label") == ["Named entities 4"]
        assert not page.all(".arc, .mention")


def test_what_is_less_probable_leaves_the_page(chrome: Chrome) -> None:
    with serving(FakePredictor(scores={"PERSON": 0.9, "PLACE": 0.35})) as client:
        page = Page(chrome, client.address)
        page.analyse(TEXT)
        marks = "#marks .mark[data-task=ner]"
        assert {"PERSON", "PLACE"} == set(page.texts(marks))
        titles = {each.get_attribute("title") for each in page.all(marks)}
        assert titles == {
            "ner: PERSON (People, including fictional), 90 %",
            "ner: PLACE (Place: country, city, building, river), 35 %",
        }
        chrome.execute_script(
            "const slider = document.querySelector('#least input'); slider.value = 50;"
            "slider.dispatchEvent(new Event('input', {bubbles: true}));"
        )
        assert set(page.texts(marks)) == {"PERSON"}
        assert "50 %" in page.one("#least").text


def test_server_that_is_gone_is_told(chrome: Chrome) -> None:
    with serving(FakePredictor()) as client:
        page = Page(chrome, client.address)
    page.analyse(TEXT)
    assert "cannot be reached" in page.one("#message").text
    page.complaints()


def test_page_draws_what_a_trained_model_finds(chrome: Chrome, tiny_run: Path) -> None:
    predictor = Predictor.from_serialization_dir(tiny_run)
    (found,) = predictor.predict_texts([TEXT])
    with serving(predictor, served=Served(tiny_run.name)) as client:
        page = Page(chrome, client.address)
        page.analyse(TEXT)
        for task in ("ner", "emd"):
            types = [mention.type for mention in found.mentions[task]]
            assert page.texts(f".mark[data-task={task}]") == types
        pairs = {(relation.arg1, relation.arg2) for relation in found.relations["relation"]}
        assert len(page.all(".item.relation")) == len(pairs)
        assert len(page.all(".mention.first")) == sum(map(len, found.clusters["coref"]))
        assert "tiny-run" in page.one("#run").text
        assert page.complaints() == []
