"""The certificate on paper: a PDF drawn from the record, by plate and imprint (套打).

Drawing writes nothing and can be repeated for ever. Only this package loads the typesetter.
"""

from certificates.document.draw import draw, draw_all, draw_whole, gather
from certificates.document.fonts import uncovered
from certificates.document.installation import check_installation
from certificates.document.plate import Plate, plate_for
from certificates.document.wording import UnknownTemplate, fixed_texts, refuse_forbidden_words
