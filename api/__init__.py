"""The service over the registry: endpoints, pages and commands. One file per room of the core."""
