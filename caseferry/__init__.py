"""What the stages share: the vocabulary, the reading of files, the mapping of values, the services."""

__version__ = "0.3.0.dev0"
