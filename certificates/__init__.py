"""Turns a recorded certificate into a signed QR code and an accessible PDF, and judges a scanned code.

Importing this package never loads the PDF drawer: checking a code must stay light.
"""
