"""The application object that a WSGI server imports."""

from api.app import create_app

app = create_app()
