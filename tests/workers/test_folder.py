"""A folder is listed as a bucket would be: by the beginning of a key, whatever else lies about in it."""

from pathlib import Path

import pytest

from caseferry.services.folder import FolderStore

KEYS = ("a/b/c", "a/b/d/e", "a/bb", "ab", "z/y")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "bucket")
    for key in KEYS:
        made.put(key, b"x")
    (made.root / "a" / "away").symlink_to(made.root / "z")
    (made.root / "a" / "round").symlink_to(made.root / "a")
    return made


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "a/b/", "a/b/d/e", "a/b/d/e/", "a/bbb", "z/", "none/of/it", "a/b/c/"])
def test_what_begins_so_is_listed_in_order_and_nothing_else(store: FolderStore, prefix: str) -> None:
    assert [stat.key for stat in store.listing(prefix)] == sorted(key for key in KEYS if key.startswith(prefix))


@pytest.mark.parametrize("prefix", ["a//b", "./a", "a/./b"])
def test_no_key_begins_with_what_is_no_beginning(store: FolderStore, prefix: str) -> None:
    assert list(store.listing(prefix)) == []


def test_a_listing_stays_in_its_bucket(store: FolderStore) -> None:
    with pytest.raises(ValueError, match="never leaves"):
        list(store.listing("../a"))
