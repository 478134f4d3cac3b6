"""The journey of the README, through HTTP on a running service: from an Excel roster to a scanned certificate."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pikepdf
import requests
import zxingcpp
from PIL import Image

from tests.conftest import SAMPLES, LiveServer
from tests.world import PEOPLE


class Desk:
    """One person at a desk with a key."""

    def __init__(self, server: LiveServer, role: str) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {server.keys[role]}"}

    def call(self, method: str, path: str, expect: int, **more: Any) -> Any:
        answer = requests.request(
            method, f"{self.server.url}/api/v1{path}", headers=self.headers, timeout=60, **more
        )
        assert answer.status_code == expect, answer.text
        return (
            answer.json() if answer.headers["Content-Type"].startswith("application/json") else answer.content
        )

    def get(self, path: str) -> Any:
        return self.call("GET", path, 200)

    def post(self, path: str, expect: int = 200, **more: Any) -> Any:
        return self.call("POST", path, expect, **more)

    def upload(self, path: str, sample: str) -> Any:
        return self.post(path, 201, files={"file": (sample, (SAMPLES / sample).read_bytes())})


FILING = {
    "title": "2025年保健按摩师五级旅程班",
    "occupation": {"edition": "2015", "code": "4-10-04-02", "name": "保健按摩师"},
    "level": "level5_junior",
    "training_type": "employment_skills",
    "starts_on": "2025-03-03",
    "ends_on": "2025-04-11",
    "class_hours": 120,
    "capacity": 30,
}


def opened_class(server: LiveServer, **changes: Any) -> str:
    filed = Desk(server, "base_clerk").post("/classes", 201, json=FILING | changes)
    assert filed["status"] == "filed"
    Desk(server, "county_officer").post(f"/classes/{filed['id']}/opening")
    return str(filed["id"])


def enrolled_class(server: LiveServer, sample: str = "roster-clean.xlsx", **changes: Any) -> str:
    class_id = opened_class(server, **changes)
    clerk = Desk(server, "base_clerk")
    staged = clerk.upload(f"/classes/{class_id}/roster", sample)
    assert (staged["kind"], staged["status"], staged["rejected"]) == ("roster", "staged", 0)
    assert clerk.get(f"/classes/{class_id}")["counts"]["enrolled"] == 0
    confirmed = clerk.post(f"/uploads/{staged['id']}/confirmation")
    assert confirmed["status"] == "confirmed"
    return class_id


def test_from_an_excel_roster_to_a_scanned_certificate(live_server: LiveServer, tmp_path: Path) -> None:
    clerk, city = Desk(live_server, "base_clerk"), Desk(live_server, "city_officer")
    class_id = enrolled_class(live_server)
    assert clerk.get(f"/classes/{class_id}")["counts"]["enrolled"] == 30

    staged = clerk.upload(f"/classes/{class_id}/results", "results-clean.xlsx")
    assert (staged["accepted"], staged["rejected"]) == (30, 0)
    clerk.post(f"/uploads/{staged['id']}/confirmation")
    submitted = clerk.post(f"/classes/{class_id}/submission")
    assert (submitted["counts"]["passed"], submitted["counts"]["failed"]) == (28, 2)

    numbers = city.post(f"/classes/{class_id}/approval")["certificates"]
    assert len(set(numbers)) == 28
    assert city.post(f"/classes/{class_id}/approval")["certificates"] == numbers

    certificate = clerk.get(f"/certificates/{numbers[0]}")
    document = clerk.get(f"/certificates/{numbers[0]}/document")
    scanned = scan(document, tmp_path)
    assert scanned == certificate["verify_url"]
    seen = requests.get(scanned, headers={"Accept": "application/json"}, timeout=20).json()
    assert seen["verdict"] == "valid"
    assert [step["outcome"] for step in seen["steps"]] == ["passed"] * 6
    assert seen["facts"]["masked_name"] == certificate["name"][0] + "*" * (len(certificate["name"]) - 1)

    checks = [{"name": certificate["name"]}, {"name": "某某某"}]
    answers = [requests.post(f"{scanned}/name-check", json=check, timeout=20).json() for check in checks]
    assert answers == [{"match": True}, {"match": False}]

    city.post(f"/certificates/{numbers[0]}/revocation", json={"reason": "抽查发现出勤不实"})
    page = requests.get(scanned, headers={"Accept": "text/html"}, timeout=20)
    assert page.status_code == 200
    assert "已撤销" in page.text
    assert certificate["name"] not in page.text


def scan(document: bytes, folder: Path) -> str:
    """Print at 100 dpi, as an old office printer does, and read the code from the paper."""
    (folder / "certificate.pdf").write_bytes(document)
    subprocess.run(
        ["pdftoppm", "-r", "100", "-png", "-singlefile", "certificate.pdf", "page"], cwd=folder, check=True
    )
    codes = zxingcpp.read_barcodes(Image.open(folder / "page.png"), formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(codes) == 1
    return str(codes[0].text)


def test_a_gb18030_roster_enrols_thirty(live_server: LiveServer) -> None:
    class_id = enrolled_class(live_server, "roster-gbk.csv", title="国标编码班")
    assert Desk(live_server, "base_clerk").get(f"/classes/{class_id}")["counts"]["enrolled"] == 30


def test_the_same_roster_sent_twice_changes_nothing(live_server: LiveServer) -> None:
    class_id = enrolled_class(live_server, title="重复上传班")
    clerk = Desk(live_server, "base_clerk")
    again = clerk.upload(f"/classes/{class_id}/roster", "roster-clean.xlsx")
    assert {problem["code"] for row in again["rows"] for problem in row["problems"]} >= {"already_enrolled"}
    clerk.post(f"/uploads/{again['id']}/confirmation")
    assert clerk.get(f"/classes/{class_id}")["counts"]["enrolled"] == 30


def test_a_class_comes_as_one_zip_and_as_one_print_ready_pdf(live_server: LiveServer) -> None:
    clerk = Desk(live_server, "base_clerk")
    count = len(clerk.get(f"/certificates?class_id={live_server.class_id}")["items"])
    archive = zipfile.ZipFile(io.BytesIO(clerk.get(f"/classes/{live_server.class_id}/certificates.zip")))
    assert archive.testzip() is None
    assert len(archive.namelist()) == count
    gathered = pikepdf.open(io.BytesIO(clerk.get(f"/classes/{live_server.class_id}/certificates.pdf")))
    assert len(gathered.pages) == count


def test_a_stranger_learns_nothing_from_the_number_and_a_wrong_name(live_server: LiveServer) -> None:
    wrong_name = requests.post(
        f"{live_server.url}/verify", json={"number": live_server.number, "name": "某某某"}, timeout=20
    )
    wrong_number = requests.post(
        f"{live_server.url}/verify", json={"number": "630200-2030-000001-0", "name": PEOPLE[0][0]}, timeout=20
    )
    assert wrong_name.json() == wrong_number.json() == {"match": False}
    right = requests.post(
        f"{live_server.url}/verify", json={"number": live_server.number, "name": live_server.name}, timeout=20
    )
    assert (right.json()["match"], right.json()["verdict"]) == (True, "valid")
