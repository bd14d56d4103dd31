"""Products that stand in front of a zone's workers and origin: each decides by pure rules and carries it out."""
