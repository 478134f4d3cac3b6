"""Certificates on record: issued, corrected, revoked (培训合格证书)."""
