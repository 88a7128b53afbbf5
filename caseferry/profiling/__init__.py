"""An export no profile explains: what its columns hold, what points at what, and a profile proposed for a person to edit."""
