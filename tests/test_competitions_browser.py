"""Public results and the page behind an award in a real browser at phone width: axe-core, and no sideways scrolling."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from api import limits
from certificates import token
from skills_registry.competitions import results
from skills_registry.foundation.storage import database, migrate, open_database
from tests import competing
from tests.test_pages_browser import LANGUAGES, PHONE, Phone, driver, phone
from tests.world import World, application

__all__ = ["driver", "phone"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The list, a competition with results, and the page behind its first award."""
    folder: Path = tmp_path_factory.mktemp("competitions")
    open_database(f"sqlite:///{folder}/registry.db")
    migrate()
    world = World.founded(f"sqlite:///{folder}/registry.db", folder)
    event = competing.final(world)
    award = results.awards_of([event])[0]
    app = application(world)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    limits.limiter.enabled = False
    code = token.encode(award.statement, award.signature)
    paths = ("/competitions", f"/competitions/{event.competition_id}", f"/v/{code}")
    yield [f"http://127.0.0.1:{server.server_port}{path}" for path in paths]
    limits.limiter.enabled = True
    server.shutdown()
    thread.join(10)
    server.server_close()
    database.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing_wrong_and_nothing_scrolls_sideways(
    phone: Phone, pages: list[str], scheme: str, lang: str
) -> None:
    phone.show(scheme=scheme)
    for address in pages:
        phone.open(address, lang)
        assert phone.violations() == [], address
        assert phone.page_width() <= PHONE[0], address
