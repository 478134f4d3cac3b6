"""The three faces in a real browser at phone width: axe-core, keyboard, no scripts, large targets, no sideways scrolling."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys
from werkzeug.serving import make_server

from api import limits
from api.app import create_app
from skills_registry.foundation.storage import database, migrate, open_database
from skills_registry.training import satisfaction
from skills_registry.training.satisfaction import SatisfactionAnswer
from tests.test_pages_browser import LANGUAGES, PHONE, Phone, driver, phone
from tests.test_satisfaction import QUESTIONS
from tests.world import World

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser


@dataclass
class Classroom:
    """A service over a class of six on its last day; ``codes`` are those that nobody has used."""

    url: str
    world: World
    codes: list[str]

    def at(self, path: str) -> str:
        return self.url + path


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    folder: Path = tmp_path_factory.mktemp("satisfaction")
    open_database(f"sqlite:///{folder}/registry.db")
    migrate()
    world = World.founded(f"sqlite:///{folder}/registry.db", folder)
    training_class = world.open_class()
    world.enrol(training_class, 6)
    survey = satisfaction.ask_trainees(world.act("base_clerk"), training_class)
    codes = satisfaction.codes_of(world.service.vault, survey)
    app = create_app(world.on(2025, 4, 11).service.settings, clock=world.service.clock)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    limits.limiter.enabled = False
    yield Classroom(f"http://127.0.0.1:{server.server_port}", world, codes)
    limits.limiter.enabled = True
    server.shutdown()
    thread.join(10)
    server.server_close()
    database.close()


def choose(phone: Phone, face: str, *questions: str) -> None:
    for question in questions:
        phone.find(f"[name={question}][value={face}]").click()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_the_questions(
    phone: Phone, classroom: Classroom, scheme: str, lang: str
) -> None:
    phone.show(scheme=scheme)
    for path in (f"/s/{classroom.codes[0]}", "/s", "/s/unknown"):
        phone.open(classroom.at(path), lang)
        assert phone.violations() == [], path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_before_the_time_and_after_it(
    phone: Phone, classroom: Classroom, lang: str
) -> None:
    today = classroom.world.now
    for day in ((2025, 4, 1), (2025, 6, 1)):
        classroom.world.on(*day)
        phone.open(classroom.at(f"/s/{classroom.codes[0]}"), lang)
        classroom.world.now = today
        assert phone.find(".answer-problem").is_displayed()
        assert phone.violations() == []


@pytest.mark.parametrize(
    ("allowed", "place"), [(True, 1), (False, 2)], ids=["with scripts", "without scripts"]
)
def test_a_trainee_leaves_a_question_open_is_shown_which_and_then_sends(
    phone: Phone, classroom: Classroom, place: int, *, allowed: bool
) -> None:
    count = SatisfactionAnswer.select().count()
    phone.open(classroom.at(f"/s/{classroom.codes[place]}"))
    phone.ask("document.querySelector('form').noValidate = true")
    phone.run_scripts(allowed=allowed)
    choose(phone, "good", *QUESTIONS[:-1])
    phone.leave(phone.find("button").click)
    assert phone.status().startswith("还有题没有选")
    assert phone.find(".question-left legend").text == "5. 整个培训班怎么样？"
    phone.run_scripts(allowed=True)
    assert phone.violations() == []
    choose(phone, "so_so", QUESTIONS[-1])
    phone.leave(phone.find("button").click)
    assert phone.status().startswith("收到了，谢谢你")
    assert phone.violations() == []
    phone.driver.refresh()
    assert SatisfactionAnswer.select().count() == count + 1


def test_every_target_is_large_enough_for_an_unsteady_finger(phone: Phone, classroom: Classroom) -> None:
    phone.open(classroom.at(f"/s/{classroom.codes[0]}"))
    sizes = phone.ask(
        "return [...document.querySelectorAll('.face, button')].map(e => e.getBoundingClientRect())"
        ".map(r => [r.width, r.height])"
    )
    assert len(sizes) == 3 * len(QUESTIONS) + 2
    assert all(width >= 44 and height >= 44 for width, height in sizes)


def test_a_keyboard_goes_through_the_questions_in_order_and_says_what_each_face_means(
    phone: Phone, classroom: Classroom
) -> None:
    phone.open(classroom.at(f"/s/{classroom.codes[0]}"))
    reached = []
    for _ in range(9):
        phone.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = phone.driver.switch_to.active_element
        reached.append((focused.get_attribute("name"), focused.accessible_name))
    start = reached.index(("teaching", "好"))
    assert reached[start:] == [
        *((code, "好") for code in QUESTIONS),
        ("helped", "有人帮我答"),
        ("", "交上去"),
    ]


@pytest.mark.parametrize("width", [PHONE[0], 320, 180], ids=["phone", "narrow", "phone at 200 %"])
def test_the_questions_never_scroll_sideways(phone: Phone, classroom: Classroom, width: int) -> None:
    for path in (f"/s/{classroom.codes[0]}", "/s"):
        for lang in LANGUAGES:
            phone.show(width)
            phone.open(classroom.at(path), lang)
            assert phone.page_width() == width, (path, lang)
