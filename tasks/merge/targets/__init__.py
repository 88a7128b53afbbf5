"""The files of mapped targets: neutral records become cells, cells lines, lines files; and the field map a person approves."""
