"""The records of the drive 人人持证、人人技能 (everyone certified, everyone skilled).

Who was trained, by which listed base (挂牌认证), with what result, and holding which
certificate. This package knows neither Flask nor PDF nor signing keys: see
``docs/architecture.md`` for the floors and rooms.
"""

__version__ = "0.1.0"
