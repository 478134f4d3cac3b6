"""The application object that a WSGI server imports."""

from api import logs
from api.app import create_app

logs.configure()

app = create_app()
