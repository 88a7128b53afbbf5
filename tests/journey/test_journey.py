"""The order of things, walked in every way Hypothesis can think of."""

from hypothesis import given
from hypothesis import strategies as st

from config.settings import WorkSettings
from tasks.journey import APART, BATCHES, JOURNEY, PARTS, ROWS, STEPS, Ticket, batches_of, counts_of, follow, next_steps, state_of, within

RUN = ("firm", "trial", "run-1")
MERGED = JOURNEY[: JOURNEY.index(STEPS["count"])]


def makes(ticket: Ticket, parts: int) -> set[str]:
    step = next(s for s in JOURNEY if s.name == ticket.step)
    made = {step.makes.format(part=ticket.part)}
    if ticket.step == "split":
        made |= {f"{PARTS}t001-time-{n + 1:04d}.zip" for n in range(parts)}
    if ticket.step == "link":
        made |= {f"{BATCHES}{parts:04d}"}
    if ticket.step == "merge":
        made |= {f"{ROWS}{n + 1:04d}.zip" for n in range(parts)}
    return made


@given(st.integers(0, 40), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.randoms(use_true_random=False), st.floats(0, 0.6))
def test_every_order_loss_and_repeat_of_messages_ends_at_the_ledger(parts: int, window: int, counts: int, is_apart: bool, dice: object, lost: float) -> None:
    from random import Random

    assert isinstance(dice, Random)
    present = {APART} if is_apart else set[str]()
    work = WorkSettings(window=window, count_window=counts, lay_window=counts)
    queue = next_steps(RUN, present)
    steps = 0
    while "4-verify/ledger.json" not in present:
        steps += 1
        assert steps < 5000
        if not queue:  # everything was lost: the reconciler asks the same question
            queue = within(next_steps(RUN, present), work)
        ticket = queue.pop(dice.randrange(len(queue)))
        present |= makes(ticket, parts)
        sent = follow(ticket, present, work)
        queue += [t for t in sent if dice.random() >= lost]
        queue += [t for t in sent if dice.random() < 0.1]  # doubled
    assert next_steps(RUN, present) == []
    assert state_of(present) == "ready"
    assert ("3-merge/linked.json" in present) is is_apart


@given(st.integers(1, 40), st.integers(1, 8))
def test_never_more_than_a_window_of_parts_is_under_way(parts: int, window: int) -> None:
    present = {s.makes for s in JOURNEY[:3]} | {f"{PARTS}t{n:03d}-time-0001.zip" for n in range(parts)}
    flight = follow(Ticket(*RUN, "split"), present, WorkSettings(window=window))
    done = 0
    while flight and flight[0].step == "transform":
        assert len(flight) <= window
        ticket = flight.pop(0)
        present |= makes(ticket, parts)
        done += 1
        flight += follow(ticket, present, WorkSettings(window=window))
    assert done == parts and [t.step for t in flight] == ["merge"]


@given(st.integers(2, 60), st.integers(1, 8), st.integers(1, 4), st.randoms(use_true_random=False))
def test_batches_are_counted_again_a_window_at_a_time_and_nobody_waits_behind_a_long_one(batches: int, window: int, hands: int, dice: object) -> None:
    from random import Random

    assert isinstance(dice, Random)
    present = {s.makes for s in MERGED} | {f"{ROWS}{n + 1:04d}.zip" for n in range(batches)}
    work = WorkSettings(count_window=window)
    messages = follow(Ticket(*RUN, "merge"), present, work)
    assert messages == within(next_steps(RUN, present), work)
    parts, sent, begun = len(counts_of(present)), len(messages), list[Ticket]()
    while next_steps(RUN, present)[0].step == "count":
        if messages and len(begun) < hands and (dice.random() < 0.7 or not begun):
            ticket = messages.pop(0)  # one that is done sends no other, one that is in hand comes to nothing
            if not makes(ticket, 0) <= present and f"attempts/{ticket.name}.0.json" not in present:
                present.add(f"attempts/{ticket.name}.0.json")
                begun.append(ticket)
            continue
        ticket = begun.pop(dice.randrange(len(begun)))
        present |= makes(ticket, 0)
        more = follow(ticket, present, work)
        if more and more[0].step == "count":
            messages, sent = messages + more, sent + len(more)
    assert not begun and sent <= 2 * parts + window


@given(st.integers(4, 60), st.integers(1, 4), st.randoms(use_true_random=False))
def test_as_many_batches_as_may_be_are_counted_at_a_time_to_the_last(batches: int, window: int, dice: object) -> None:
    from random import Random

    assert isinstance(dice, Random)
    present = {s.makes for s in MERGED} | {f"{ROWS}{n + 1:04d}.zip" for n in range(batches)}
    work = WorkSettings(count_window=window)
    begun = follow(Ticket(*RUN, "merge"), present, work)
    while begun:
        present |= {f"attempts/{ticket.name}.0.json" for ticket in begun}
        assert len(begun) == min(window, len(next_steps(RUN, present)))
        ticket = begun.pop(dice.randrange(len(begun)))
        present |= makes(ticket, 0)
        begun += [more for more in follow(ticket, present, work) if more.step == "count"]
    assert next_steps(RUN, present) == [Ticket(*RUN, "verify")]


def test_a_count_that_was_given_up_is_no_longer_under_way() -> None:
    present = {s.makes for s in MERGED} | {f"{ROWS}{n + 1:04d}.zip" for n in range(9)} | {f"attempts/count-{part}.0.json" for part in ("logs", "files", "0001")}
    done, work = Ticket(*RUN, "count", "lines"), WorkSettings(count_window=3)
    present |= makes(done, 0)
    assert follow(done, present, work) == []  # three are at work
    assert [ticket.part for ticket in follow(done, present | {"attempts/count-files.0.lost.json"}, work)] == ["files"]
    assert [ticket.part for ticket in follow(done, present | {"attempts/count-0001.0.ended.json", "attempts/count-0001.1.json"}, work)] == []


@given(st.integers(2, 400))
def test_every_batch_is_counted_again_by_one_task(batches: int) -> None:
    rows = {f"{ROWS}{n + 1:04d}.zip" for n in range(batches)}
    spans = [batches_of(part) for part in counts_of(rows) if part.isdigit()]
    assert [number for first, last in spans for number in range(first, min(last, batches) + 1)] == list(range(1, batches + 1))
    assert counts_of(rows | {"4-verify/ledger.json"}) == [] == counts_of(rows | {"3-merge/wealthbox/rows/0001.parquet"})


def test_one_batch_is_counted_by_whoever_writes_the_proof() -> None:
    present = {step.makes for step in MERGED} | {f"{ROWS}0001.zip"}
    assert next_steps(RUN, present) == [Ticket(*RUN, "verify")]


def test_the_lines_of_a_long_list_are_counted_beside_the_merge() -> None:
    present = {step.makes for step in JOURNEY[:3]} | {f"{PARTS}t001-time-000{n}.zip" for n in (1, 2)} | {f"2-transform/t001-time-000{n}.json" for n in (1, 2)}
    merge, lines = Ticket(*RUN, "merge"), Ticket(*RUN, "count", "lines")
    last = Ticket(*RUN, "transform", "t001-time-0002")
    assert follow(last, present, WorkSettings()) == [merge, lines]
    counted = present | makes(lines, 2)
    assert next_steps(RUN, counted) == [merge]
    assert follow(lines, counted, WorkSettings()) == []  # the merge is under way, and sends on by itself
    assert follow(merge, counted | makes(merge, 1), WorkSettings()) == [Ticket(*RUN, "verify")]
    assert follow(merge, present | makes(merge, 1), WorkSettings()) == [lines]  # the proof waits for it
    assert next_steps(RUN, present | {"holds/merge-1.json"}) == []


def test_batches_of_a_long_run_are_laid_side_by_side_between_the_first_and_the_manifest() -> None:
    parts = [f"t001-time-000{n}" for n in (1, 2)]
    present = {step.makes for step in JOURNEY[:3]} | {f"{PARTS}{part}.zip" for part in parts} | {f"2-transform/{part}.json" for part in parts} | {APART}
    work, link, lines, merge = WorkSettings(lay_window=2), Ticket(*RUN, "link"), Ticket(*RUN, "count", "lines"), Ticket(*RUN, "merge")
    assert follow(Ticket(*RUN, "transform", parts[1]), present, work) == [link, lines]
    assert next_steps(RUN, present | {"holds/link-1.json"}) == [] and state_of(present) == "transformed"
    linked = present | makes(link, 1) | {f"{BATCHES}0010"}
    lays = [Ticket(*RUN, "lay", part) for part in ("0002", "0005", "0008")]
    assert follow(link, linked, work) == lays[:2] and next_steps(RUN, linked) == [*lays, lines]
    assert follow(lays[0], linked | makes(lays[0], 2), work) == [lays[2]]
    assert follow(lines, linked | makes(lines, 2), work) == []
    laid = linked | {f"3-merge/laid/{one.part}.json" for one in lays}
    assert follow(lays[2], laid, work) == [merge, lines] and state_of(laid) == "transformed"
    assert next_steps(RUN, present - {APART}) == [merge, lines]


def test_a_held_or_ended_run_starts_nothing() -> None:
    assert next_steps(RUN, {"0-original/manifest.json", "holds/admit-1.json"}) == []
    assert next_steps(RUN, {"0-original/manifest.json", "holds/admit-1.json", "holds/admit-1.released.json"}) == [Ticket(*RUN, "admit")]
    assert next_steps(RUN, {"refused.json"}) == []
    assert state_of({"0-original/manifest.json", "holds/admit-1.json"}) == "held"
