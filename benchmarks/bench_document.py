"""Certificates a second on one core: plate and imprint beside plain WeasyPrint, in the same run.

A class of 200 with ordinary names, the QR code included, from the record to the bytes of the PDF. The plate
is typeset anew in every round, as for a class that is drawn for the first time.

    python benchmarks/bench_document.py [size of the class]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from certificates import document, qr
from certificates.document import plate
from skills_registry.certification.printed import Printed

SURNAMES, GIVEN = "马李韩王张赵祁保雷文冶绽", ["海英", "建国", "秀兰", "玉花", "永福", "得祥", "晓梅", "生辉"]
FIRST = Printed(
    template="training_completion/1",
    kind="training_completion",
    number="630202-2025-000000-0",
    name="马海英",
    base_name="海东市乐都区阳光职业技能培训学校",
    subject="保健按摩师",
    occupation_code="4-10-04-02",
    level="五级/初级工",
    class_hours=120,
    starts_on=date(2025, 3, 3),
    ends_on=date(2025, 4, 11),
    issued_on=date(2025, 4, 18),
    expires_on=None,
    registered_with="海东市职业技能培训登记平台",
)
#: Plain typesetting is measured on a part of the class.
PLAIN = 20
ROUNDS = 3


def a_class(size: int) -> list[tuple[Printed, str]]:
    names = [surname + given for surname in SURNAMES for given in GIVEN]
    return [
        (
            replace(FIRST, name=names[serial % len(names)], number=f"630202-2025-{serial:06d}-0"),
            f"https://skills-registry.haidong.example/v/1{pow(7, 1000 + serial, 10**306):0306d}",
        )
        for serial in range(size)
    ]


def seconds(work: Callable[[], object]) -> float:
    """Processor time, so that a neighbour on the machine does not count; the best of a few rounds."""
    taken = []
    for _ in range(ROUNDS):
        plate.forget()
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def main() -> None:
    prints = a_class(int(sys.argv[1]) if sys.argv[1:] else 200)
    document.draw(*prints[0])  # libraries and fonts are loaded
    size, plain_size = len(prints), min(PLAIN, len(prints))
    imprinted = seconds(lambda: list(document.draw_all(prints))) / size
    gathered = seconds(lambda: document.gather(prints)) / size
    plain = seconds(lambda: [document.draw_whole(*one) for one in prints[:plain_size]]) / plain_size
    a_plate = seconds(lambda: document.plate_for(FIRST, "skills-registry.haidong.example"))
    a_code = seconds(lambda: [qr.draw(url) for _, url in prints]) / size
    print(f"a class of {size}, QR code included, one core")
    for name, each in (
        ("plate and imprint", imprinted),
        ("one file of all", gathered),
        ("plain WeasyPrint", plain),
    ):
        print(f"  {name:18} {each * 1000:7.2f} ms a certificate  {1 / each:6.0f} a second")
    print(f"  plate and imprint is {plain / imprinted:.0f} times as fast as plain WeasyPrint")
    print(f"  of it: the plate {a_plate * 1000:.0f} ms once, the QR code {a_code * 1000:.2f} ms each")


if __name__ == "__main__":
    main()
