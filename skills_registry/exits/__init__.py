"""Exits (退出): sanctions and their cure, leaving the list with a teach-out, and appeals.

ladder      what the policy says of each step
sanctions   imposing, proposing, deciding
cures       put right, taken a step up, lifted, overturned
leaving     off the list: termination, voluntary exit, expiry
withdrawal  the voluntary exit, from asking to leaving
teach_out   what becomes of the classes, trainee by trainee
appeals     against a refusal, a sanction, a grade
"""

from skills_registry.exits.appeals import APPEAL, Appeal
from skills_registry.exits.leaving import EXIT, Exit, TaughtOut, delist, expire
from skills_registry.exits.sanctions import SANCTION, Sanction, impose

__all__ = [
    "APPEAL",
    "EXIT",
    "SANCTION",
    "Appeal",
    "Exit",
    "Sanction",
    "TaughtOut",
    "delist",
    "expire",
    "impose",
]
