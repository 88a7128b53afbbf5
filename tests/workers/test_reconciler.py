import json
from datetime import timedelta

from tasks.attempts import lost
from tasks.intake.arrive import arrive
from tasks.journey import Ticket, next_steps
from tasks.stage import Services, perform, present, run_of
from tests.crossing import CHOICES, Crossings, firm, noon, packed
from workers.inprocess import cross
from workers.reconciler import missed_uploads, reconcile, sweep


def at(services: Services, seconds: float) -> Services:
    return Services(services.store, services.settings, clock=lambda: noon() + timedelta(seconds=seconds), tell=services.tell)


def test_an_upload_whose_event_never_came_is_found(crossing: Crossings) -> None:
    services = crossing.services()
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    rung: list[str] = []
    sweep(services, rung.append)
    assert rung == ["drops/firm/trial/x.zip"]
    arrive(services, rung[0])
    assert list(missed_uploads(services)) == []


def test_a_step_whose_message_was_lost_is_sent_again_and_only_after_a_while(crossing: Crossings) -> None:
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    ticket = arrive(services, "drops/firm/trial/x.zip")[0]
    perform(services, ticket)  # and the message that should follow is lost
    sent: list[Ticket] = []
    for seconds in (0, 10):
        reconcile(at(services, seconds), sent.extend)
    assert sent == []
    reconcile(at(services, 20), sent.extend)
    assert [t.step for t in sent] == ["admit"]
    reconcile(at(services, 50), sent.extend)
    assert len(sent) == 1  # patience doubles, so a backlog is not multiplied
    assert cross(services, run_of(ticket)) == "completed"
    reconcile(at(services, 4000), sent.extend)
    assert len(sent) == 1


def test_choices_that_land_as_the_run_is_held_answer_it(crossing: Crossings) -> None:
    held = crossing(firm(), account_owner=None)
    held.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())  # its event is lost
    sent: list[Ticket] = []
    reconcile(held.services, sent.extend)
    assert [t.step for t in sent] == ["admit"]
    assert cross(held.services, held.run) == "completed"
    reconcile(held.services, sent.extend)
    assert len(sent) == 1


def test_a_part_that_ends_its_process_three_times_is_put_aside_and_the_run_goes_on(crossing: Crossings) -> None:
    services = crossing.services()
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", packed(firm()))
    run = run_of(arrive(services, "drops/firm/trial/x.zip")[0])
    name = (run.firm, run.migration, run.run)
    while next_steps(name, present(services.store, run))[0].step != "transform":
        perform(services, next_steps(name, present(services.store, run))[0])
    poisoned = next_steps(name, present(services.store, run))[0]
    for attempt in range(3):  # begun, and never heard of again
        services.store.put_once(run.at("attempts", f"{poisoned.name}.{attempt}.json"), b"{}")
        sent: list[Ticket] = []
        for seconds in (0, 10, 20):
            reconcile(at(services, 100 * attempt + seconds), sent.extend)
        assert poisoned in sent
    assert lost(poisoned, present(services.store, run)) == 3
    assert cross(services, run) == "completed_with_differences"
    ledger = json.loads(services.store.get(run.at("4-verify", "ledger.json")))
    contact = next(t for t in ledger["types"] if t["record"] == "contact")
    assert (contact["read"], contact["quarantined"]) == (1, 1)
    kinds = [json.loads(services.store.get(run.home + k))["type"] for k in sorted(present(services.store, run)) if k.startswith("events/0")]
    assert "job.part_quarantined" in kinds
