"""Words and looks: certificates, pages and console. Stands on nothing; shipped as package data."""
