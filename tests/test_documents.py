"""Documents: kept by what they are and under their hash, given only to those entitled, never run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from api import limits
from skills_registry import documents
from skills_registry.documents import (
    Document,
    DocumentAltered,
    DocumentLost,
    DocumentsFull,
    DocumentTooLarge,
    DocumentTypeRefused,
    FolderShelf,
    real_type,
)
from skills_registry.foundation.errors import FieldRefused
from skills_registry.foundation.lifecycle import Step
from skills_registry.foundation.privacy import Vault
from skills_registry.foundation.shelves import MARK
from skills_registry.foundation.storage import database, new_id
from tests import admission
from tests.base_files import PDF, PNG, kept_photo
from tests.world import World, application


def office(*members: str) -> bytes:
    """A ZIP with these members, as office programs write them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in members:
            archive.writestr(name, "<x/>")
    return file.getvalue()


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (120, 90, 60)).save(file, kind)
    return file.getvalue()


XLSX = office("[Content_Types].xml", "xl/workbook.xml")
DOCX = office("[Content_Types].xml", "word/document.xml")
TAKEN = {
    "application/pdf": PDF,
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": XLSX,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": DOCX,
}
REFUSED = {
    "nothing": b"",
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a picture that can hold scripts": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "a program": b"MZ\x90\x00" + bytes(200),
    "a script": b"#!/bin/sh\necho",
    "a PDF broken off": PDF[:-8],
    "a PDF after other bytes": b"GIF89a" + PDF,
    "a JPEG broken off": TAKEN["image/jpeg"][:-2],
    "a PNG broken off": TAKEN["image/png"][:-12],
    "an archive": office("a.txt"),
    "an archive broken off": XLSX[:-20],
    "a workbook with macros": office("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
    "a text with macros": office("[Content_Types].xml", "word/document.xml", "word/VBAPROJECT.BIN"),
    "an archive of too many members": office(
        "[Content_Types].xml", "xl/workbook.xml", *(f"{number}" for number in range(2000))
    ),
    "an archive with a huge directory": office(
        "[Content_Types].xml", "xl/workbook.xml", *(f"{number:0>3000}" for number in range(200))
    ),
    "two things in one": office("[Content_Types].xml", "word/document.xml", "xl/workbook.xml"),
    "an old or encrypted office file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "a picture of another kind": picture("GIF"),
}


def keep(world: World, content: bytes = PDF, kind: str = "licence", by: str = "base_clerk") -> Document:
    return documents.keep(world.act(by), "base", world.base.id, kind, content, world.service.shelf())


def path_of(world: World, digest: str) -> Path:
    return world.service.shelf().path_of(digest)


def shelf_at(folder: Path) -> FolderShelf:
    return FolderShelf(folder, Vault({1: b"1" * 32, 2: b"2" * 32}, 2, b"i" * 32, b"c" * 32, b""))


@pytest.fixture
def client(small_world: World) -> Iterator[FlaskClient]:
    app = application(small_world)
    limits.limiter.reset()
    with app.test_client() as made:
        yield made


def bearer(world: World, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.key(name)}"}


def send(client: FlaskClient, world: World, by: str = "base_clerk", **changes: Any) -> Any:
    form = {
        "owner": "base",
        "owner_id": str(world.base.id),
        "kind": "licence",
        "file": (io.BytesIO(PDF), "马启明的执照.exe"),
    }
    return client.post("/api/v1/documents", data=form | changes, headers=bearer(world, by))


@pytest.mark.parametrize(("media_type", "content"), TAKEN.items(), ids=[t[-12:] for t in TAKEN])
def test_a_document_is_what_its_content_is(small_world: World, media_type: str, content: bytes) -> None:
    kept = keep(small_world, content)
    assert (kept.media_type, kept.size, kept.digest) == (
        media_type,
        len(content),
        sha256(content).hexdigest(),
    )
    assert documents.content_of(kept, small_world.service.shelf()) == content


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_of_no_taken_type_is_refused_and_leaves_nothing(small_world: World, content: bytes) -> None:
    with pytest.raises(DocumentTypeRefused):
        keep(small_world, content)
    assert Document.select().count() == 0
    assert not small_world.service.settings.documents_directory.exists()


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"]),
)
def test_no_bytes_upset_the_look_at_their_type(content: bytes, start: bytes) -> None:
    assert real_type(start + content) in {None, *TAKEN}


def test_a_document_larger_than_the_policy_allows_is_refused(small_world: World) -> None:
    limit = 10 * 1024 * 1024
    assert keep(small_world, PDF.ljust(limit - 6) + b"\n%%EOF").size == limit
    with pytest.raises(DocumentTooLarge):
        keep(small_world, PDF.ljust(limit - 5) + b"\n%%EOF")
    assert Document.select().count() == 1


def test_a_kind_that_nobody_files_is_refused(small_world: World) -> None:
    with pytest.raises(FieldRefused):
        keep(small_world, kind="selfie")


def test_the_same_content_sent_twice_is_one_document_and_one_step(world: World) -> None:
    assert keep(world) == keep(world)
    assert keep(world, kind="site_title") != keep(world)
    assert Document.select().count() == 2
    assert Step.select().where(Step.action == "keep_document").count() == 2


def test_a_record_has_room_for_the_policys_number_of_documents(small_world: World) -> None:
    most = small_world.service.policy.rule("documents", small_world.act("auditor").today)[
        "most_of_one_record"
    ]
    first = keep(small_world)
    row = {name: value for name, value in first.__data__.items() if name != "id"}
    Document.insert_many(
        [row | {"id": new_id(), "digest": f"{number:064x}"} for number in range(most - 1)]
    ).execute()
    with pytest.raises(DocumentsFull):
        keep(small_world, TAKEN["image/png"])
    assert keep(small_world) == first
    documents.take_out(small_world.act("base_clerk"), first)
    keep(small_world, TAKEN["image/png"])


def test_taken_out_a_document_leaves_its_file_but_not_the_shelf(world: World) -> None:
    kept = keep(world)
    for _ in range(2):
        documents.take_out(world.act("base_clerk"), kept)
    assert list(documents.documents_of("base", world.base.id)) == []
    assert documents.content_of(Document.get_by_id(kept.id), world.service.shelf()) == PDF
    assert Step.select().where(Step.action == "take_out_document").count() == 1
    assert keep(world).id != kept.id


def test_content_that_was_altered_or_lost_is_an_error_and_never_shown(world: World) -> None:
    kept = keep(world)
    path = path_of(world, kept.digest)
    path.write_bytes(PDF + b" ")
    with pytest.raises(DocumentAltered):
        documents.content_of(kept, world.service.shelf())
    path.unlink()
    with pytest.raises(DocumentLost):
        documents.content_of(kept, world.service.shelf())
    keep(world)
    assert documents.content_of(kept, world.service.shelf()) == PDF


def test_a_file_altered_on_the_shelf_is_mended_when_the_content_is_sent_again(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    digest = shelf.put(PDF)
    shelf.path_of(digest).write_bytes(b"other")
    assert shelf.put(PDF) == digest
    assert shelf.get(digest) == PDF


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n"])
def test_the_shelf_reads_nothing_but_its_own_files(tmp_path: Path, digest: str) -> None:
    with pytest.raises(DocumentLost):
        shelf_at(tmp_path).get(digest)


def test_files_on_the_shelf_are_for_their_owner_only_and_none_is_left_half_written(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path / "documents")
    shelf.put(PDF)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_neither_the_name_nor_the_bytes_of_a_file_on_the_shelf_tell_what_it_is(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    digest = shelf.put(PDF)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert digest not in str(file)
    assert file.read_bytes().startswith(MARK)
    assert b"%PDF" not in file.read_bytes()
    file.write_bytes(file.read_bytes()[:-1] + bytes([file.read_bytes()[-1] ^ 1]))
    with pytest.raises(DocumentAltered):
        shelf.get(digest)


def test_a_file_put_in_anothers_place_does_not_open(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    one, two = shelf.put(PDF), shelf.put(PNG)
    shelf.path_of(one).write_bytes(shelf.path_of(two).read_bytes())
    with pytest.raises(DocumentAltered):
        shelf.get(one)


def test_a_plain_file_of_before_is_read_and_sealed_when_the_data_key_is_exchanged(tmp_path: Path) -> None:
    shelf = shelf_at(tmp_path)
    digest = sha256(PDF).hexdigest()
    plain = tmp_path / digest[:2] / digest[2:4] / digest
    plain.parent.mkdir(parents=True)
    plain.write_bytes(PDF)
    assert (shelf.get(digest), shelf.files_by_key()) == (PDF, {0: 1})
    older = FolderShelf(tmp_path, Vault(shelf.vault.field_keys, 1, b"i" * 32, b"c" * 32, b""))
    assert list(older.reseal()) == [True]
    assert (shelf.get(digest), shelf.files_by_key(), plain.exists()) == (PDF, {1: 1}, False)
    assert list(shelf.reseal()) == [True]
    assert (shelf.get(digest), shelf.files_by_key(), list(shelf.reseal())) == (PDF, {2: 1}, [])


# Through the API


def test_a_document_comes_back_as_an_attachment_that_nothing_runs(
    client: FlaskClient, small_world: World
) -> None:
    sent = send(client, small_world)
    assert sent.status_code == 201
    got = client.get(sent.json["content_url"], headers=bearer(small_world, "county_officer"))
    assert (got.status_code, got.data, got.content_type) == (200, PDF, "application/pdf")
    disposition = got.headers["Content-Disposition"]
    assert disposition == f'attachment; filename="licence-{sent.json["digest"][:12]}.pdf"'
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert got.headers["Cache-Control"] == "no-store"


def test_the_name_of_an_uploaded_file_is_kept_nowhere(client: FlaskClient, small_world: World) -> None:
    sent = send(client, small_world)
    stored = (
        database.execute_sql("SELECT * FROM document").fetchall()
        + database.execute_sql("SELECT * FROM step").fetchall()
    )
    assert sent.status_code == 201 and len(stored) > 1
    for told in (sent.text, str(stored)):
        assert "马启明" not in told and ".exe" not in told


def test_an_altered_document_answers_with_an_error(client: FlaskClient, small_world: World) -> None:
    sent = send(client, small_world).json
    path_of(small_world, sent["digest"]).write_bytes(b"%PDF-other")
    got = client.get(sent["content_url"], headers=bearer(small_world, "base_clerk"))
    assert (got.status_code, got.json["code"]) == (503, "document_altered")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"file": (io.BytesIO(b"<html>"), "a.pdf")}, 422, "document_type"),
        ({"kind": "selfie"}, 422, "invalid_input"),
        ({"owner": "person"}, 422, "invalid_input"),
        ({"owner_id": "01a203f0-acbc-767f-82bd-f38f1bb513ab"}, 404, "not_found"),
        ({"owner": "application"}, 403, "not_allowed"),
    ],
    ids=["wrong content", "unknown kind", "unknown owner", "foreign record", "not the base's to add"],
)
def test_an_upload_that_does_not_fit_is_refused(
    client: FlaskClient, small_world: World, changes: dict[str, Any], status: int, code: str
) -> None:
    if "file" in changes:
        changes = {"file": (io.BytesIO(b"<html>"), "a.pdf")}
    answer = send(client, small_world, **changes)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert Document.select().count() == 0


def test_only_the_bases_own_clerk_adds_to_its_file_and_takes_out(
    client: FlaskClient, small_world: World
) -> None:
    sibling = small_world.listed_base("乐都区邻家学校", 2)
    small_world.hire("sibling_clerk", sibling.organisation, "base_clerk")
    assert send(client, small_world, by="county_officer").status_code == 403
    assert send(client, small_world, by="sibling_clerk").status_code == 404
    sent = send(client, small_world).json
    address = f"/api/v1/documents/{sent['id']}"
    assert client.delete(address, headers=bearer(small_world, "county_officer")).status_code == 403
    assert client.delete(address, headers=bearer(small_world, "sibling_clerk")).status_code == 404
    assert client.delete(address, headers=bearer(small_world, "second_clerk")).status_code == 204
    listed = client.get("/api/v1/documents", headers=bearer(small_world, "base_clerk")).json
    assert listed["items"] == []
    assert client.get(f"{address}/content", headers=bearer(small_world, "auditor")).status_code == 200


def test_what_inspectors_keep_stays_with_the_federation(client: FlaskClient, small_world: World) -> None:
    application = admission.inspected(small_world, admission.applicant(small_world))
    photo = kept_photo(small_world, application)
    address = f"/api/v1/documents/{photo}/content"
    seen = {
        name: client.get(address, headers=bearer(small_world, name)).status_code
        for name in (
            "county_officer",
            "city_officer",
            "auditor",
            "applicant",
            "base_clerk",
            "other_county_officer",
        )
    }
    assert seen == {
        "county_officer": 200,
        "city_officer": 200,
        "auditor": 200,
        "applicant": 404,
        "base_clerk": 404,
        "other_county_officer": 404,
    }


def test_an_expert_reads_what_the_snapshot_of_the_own_panels_application_names(
    client: FlaskClient, small_world: World
) -> None:
    application = admission.inspected(small_world, admission.applicant(small_world))
    named = documents.documents_of("base", application.base_id)[0]
    address = f"/api/v1/documents/{named.id}/content"
    photo = f"/api/v1/documents/{kept_photo(small_world, application)}/content"
    foreign = keep(small_world)
    expert = bearer(small_world, "expert_1")
    assert {client.get(path, headers=expert).status_code for path in (address, photo)} == {404}
    admission.appoint(small_world, application, "expert_1", "expert_2", "expert_3")
    documents.take_out(small_world.act("applicant"), named)
    assert {client.get(path, headers=expert).status_code for path in (address, photo)} == {200}
    assert client.get(address, headers=bearer(small_world, "expert_4")).status_code == 404
    assert client.get(f"/api/v1/documents/{foreign.id}/content", headers=expert).status_code == 404


@pytest.mark.parametrize(
    "spoil",
    [
        lambda png: png[:-12],
        lambda png: png[:40] + b"?" + png[41:],
        lambda png: png + b"<script>",
        lambda png: png[:8] + png[-12:],
        lambda _: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR<script>alert(1)</script>IEND",
    ],
)
def test_a_picture_is_whole_or_no_picture(spoil: Callable[[bytes], bytes]) -> None:
    assert documents.real_type(PNG) == "image/png"
    assert documents.real_type(spoil(PNG)) is None


def test_an_office_file_that_declares_macros_is_refused_whatever_its_parts_are_called() -> None:
    parts = {
        "[Content_Types].xml": '<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>',
        "word/document.xml": "<document/>",
        "word/notes.bin": "x",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    assert documents.real_type(file.getvalue()) is None
