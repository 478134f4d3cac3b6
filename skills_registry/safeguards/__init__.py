"""Safeguards of personal data (个人信息保护): whole ID numbers shown by exception, data that has had its time, erasure.

What is kept why and how long is in the policy (``retention``); docs/privacy.md prints it for every field.
"""

from skills_registry.safeguards.erasures import (
    ASKED_BY,
    ERASURE,
    Erasure,
    carry_out,
    refuse,
    request,
)
from skills_registry.safeguards.retention import Due, Purpose, dues, purposes, remove
from skills_registry.safeguards.reveals import reveal

__all__ = [
    "ASKED_BY",
    "ERASURE",
    "Due",
    "Erasure",
    "Purpose",
    "carry_out",
    "dues",
    "purposes",
    "refuse",
    "remove",
    "request",
    "reveal",
]
