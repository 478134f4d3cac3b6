"""Floor 0: what every room stands on — errors, storage, acts, lifecycles, identifiers, privacy, policy."""
