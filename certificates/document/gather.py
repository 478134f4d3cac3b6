"""Leaves bound into one PDF/UA-1 file: a single certificate, or a whole class ready for the printer.

A leaf is a page taken apart: objects that all imprints of one plate share, objects of its own, and which
of them are its contents and its structure. Binding numbers them, writes the shared ones once, and
adds what belongs to the file: catalogue, metadata, structure root. No clock and no chance take part,
so the same leaves give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape  # nosec B406  # it writes, nothing is parsed

#: A piece of an object: bytes as they are, or the label of an object it refers to.
Body = tuple[bytes | int, ...]

# Labels are WeasyPrint's object numbers, or one of ours below zero.
PAGE, DOCUMENT, CODE, RESOURCES = -1, -2, -3, -4
NUMBER_FONT, NAME_FONT, CONTENT, IMPRINTED = -100, -200, -1000, -2000

LANGUAGE = "zh-CN"
PRODUCER = "Skills Registry, WeasyPrint"

_METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">\
<pdfuaid:part>1</pdfuaid:part><pdf:Producer>{producer}</pdf:Producer>\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True)
class Leaf:
    """One page, taken apart. ``parents`` are the structure elements by marked-content number."""

    title: str
    media_box: bytes
    shared: Mapping[int, Body]
    own: Mapping[int, Body]
    contents: tuple[int, ...]
    parents: tuple[int, ...]
    top: tuple[int, ...]


class _File:
    """A PDF being written: numbered objects, then the table that says where each begins."""

    def __init__(self) -> None:
        self._out = io.BytesIO(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._out.seek(0, io.SEEK_END)
        self._offsets: dict[int, int] = {}
        self._last = 0

    def reserve(self) -> int:
        self._last += 1
        return self._last

    def write(self, number: int, *pieces: bytes) -> None:
        self._offsets[number] = self._out.tell()
        self._out.writelines((b"%d 0 obj\n" % number, *pieces, b"\nendobj\n"))

    def close(self, catalogue: int, info: int) -> bytes:
        start, size = self._out.tell(), self._last + 1
        name = hashlib.sha256(self._out.getvalue()).hexdigest()[:32].encode()
        table = b"".join(b"%010d 00000 n \n" % self._offsets[number] for number in range(1, size))
        self._out.writelines(
            (
                b"xref\n0 %d\n0000000000 65535 f \n" % size,
                table,
                b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R" % (size, catalogue, info),
                b"/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n" % (name, name, start),
            )
        )
        return self._out.getvalue()


def bind(leaves: Sequence[Leaf], title: str) -> bytes:
    """The leaves as one tagged PDF with this title, one page each, in this order."""
    file = _File()
    catalogue, pages, info, metadata, root, parents, document = (file.reserve() for _ in range(7))
    shelves: dict[int, dict[int, int]] = {}
    kids, top, nums = [], [], []
    for index, leaf in enumerate(leaves):
        shelf = shelves.get(id(leaf.shared))
        if shelf is None:
            shelf = shelves[id(leaf.shared)] = {DOCUMENT: document} | {
                label: file.reserve() for label in leaf.shared
            }
            _write(file, leaf.shared, shelf)
        numbers = shelf | {PAGE: file.reserve()} | {label: file.reserve() for label in leaf.own}
        _write(file, leaf.own, numbers)
        file.write(numbers[PAGE], _page(leaf, numbers, pages, index))
        kids.append(numbers[PAGE])
        top += [numbers[label] for label in leaf.top]
        nums.append(b"%d[%s]" % (index, _references(numbers[label] for label in leaf.parents)))
    file.write(pages, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), _references(kids)))
    file.write(document, b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>" % (root, _references(top)))
    file.write(parents, b"<</Nums[%s]>>" % b" ".join(nums))
    file.write(
        root,
        b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
        % (document, parents, len(kids)),
    )
    _write_description(file, info, metadata, title)
    file.write(
        catalogue,
        b"<</Type/Catalog/Pages %d 0 R/Lang(%s)/StructTreeRoot %d 0 R/Metadata %d 0 R"
        b"/MarkInfo<</Marked true>>/ViewerPreferences<</DisplayDocTitle true>>>>"
        % (pages, LANGUAGE.encode(), root, metadata),
    )
    return file.close(catalogue, info)


def _page(leaf: Leaf, numbers: Mapping[int, int], pages: int, index: int) -> bytes:
    return (
        b"<</Type/Page/Parent %d 0 R/MediaBox %s/TrimBox %s/Resources %d 0 R/Contents[%s]/Tabs/S/StructParents %d>>"
        % (
            pages,
            leaf.media_box,
            leaf.media_box,
            numbers[RESOURCES],
            _references(numbers[label] for label in leaf.contents),
            index,
        )
    )


def _write(file: _File, objects: Mapping[int, Body], numbers: Mapping[int, int]) -> None:
    for label, body in objects.items():
        pieces = (b"%d 0 R" % numbers[piece] if isinstance(piece, int) else piece for piece in body)
        file.write(numbers[label], *pieces)


def _write_description(file: _File, info: int, metadata: int, title: str) -> None:
    file.write(info, b"<</Title %s/Producer %s>>" % (text(title), text(PRODUCER)))
    packet = _METADATA.format(producer=escape(PRODUCER), title=escape(title), language=LANGUAGE).encode()
    file.write(
        metadata, b"<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n" % len(packet), packet, b"\nendstream"
    )


def _references(numbers: Iterable[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def text(string: str) -> bytes:
    """A PDF text string, as hexadecimal UTF-16."""
    return b"<" + ("\ufeff" + string).encode("utf-16-be").hex().encode() + b">"
