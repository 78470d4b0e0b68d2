import uuid

from gateway.store.ids import time_ordered_id


def test_ids_are_different_and_sort_by_the_time_they_were_made() -> None:
    ids = [time_ordered_id() for _ in range(1_000)]
    assert len(set(ids)) == 1_000
    assert [id_[:13] for id_ in ids] == sorted(id_[:13] for id_ in ids)  # the milliseconds


def test_ids_are_uuids_of_version_7() -> None:
    made = uuid.UUID(time_ordered_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
