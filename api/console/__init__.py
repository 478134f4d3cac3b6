"""The console (工作台): the registry in a browser, for clerks, officers, administrators and auditors.

Plain forms and tables, no script. Every view makes the same one call down as its sibling of the API; a
mistake comes back on the page it was made on, beside the field, with what was typed still there.

frame         what every page stands on: the way around, refusals beside their form, words
home          what awaits the caller
classes       classes and their trainees: what is missing, what comes next
class_file    everything of a class: complete or not, and as one ZIP
filing        filing a class
decisions     opening, cancelling, submitting, returning, approving
trainees      one trainee of a class: the name corrected, out of the class and back
uploads       sheets: the report, row by row; confirming or discarding it
downloads     certificates, sheets and templates as files
sessions      the sessions of a class, their sign-in sheets, their closing
certificates  found by number; suspended, reinstated, revoked, reissued
accounts      opened, confirmed, invited, closed; keys of machines
own           one's own account and keys
audit         who did and read what
"""

from api.console import (
    accounts,
    audit,
    certificates,
    class_file,
    classes,
    decisions,
    downloads,
    filing,
    home,
    own,
    sessions,
    trainees,
    uploads,
)
from api.console.frame import blueprint

__all__ = ["blueprint"]
