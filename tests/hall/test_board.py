"""What kiosks learn of services: can a number be taken, how long it takes, how to find it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from hall.projections import Projections
from hall.queue import commands as cmd
from hall.queue.refusals import RefusedError
from wire.messages import Board, BoardService

HALL = {"zh-CN": "清河区政务服务中心", "en": "Qinghe District Government Service Hall"}


def change(hall: Any, service: str = "", **fields: Any) -> Projections:
    """The screens of the hall with other options, of a service or of the policy."""
    hall.change(service, **fields)
    return Projections(hall.policy, HALL)


def of(board: Board, service: str) -> BoardService:
    return next(entry for entry in board.services if entry.service == service)


def test_a_plain_hall_says_nothing_of_hours_and_quotas(hall: Any) -> None:
    board = Projections(hall.policy, HALL).board(hall.state, 1, hall.at)
    assert (board.hours, board.hall_name) == ((), HALL)
    assert all((s.available, s.left, s.hours, s.wait_min) == ("open", None, (), None) for s in board.services)


def test_the_board_says_why_no_number_can_be_taken(hall: Any) -> None:
    change(hall, "tax", open=False)
    change(hall, "house", quota=1)
    screens = change(hall, "id-card", hours=("08:30-09:30",))
    assert of(screens.board(hall.state, 1, hall.at), "house").left == 1
    hall.issue("house")
    board = screens.board(hall.state, 1, hall.at)
    assert [s.available for s in board.services] == ["open", "quota_reached", "closed"]
    assert (of(board, "house").left, of(board, "id-card").hours) == (0, ("08:30-09:30",))
    hall.wait(3600)
    later = screens.board(hall.state, 1, hall.at)
    assert of(later, "id-card").available == "out_of_hours" and later.rev == board.rev + 1


def test_what_the_board_says_is_what_the_queue_decides(hall: Any) -> None:
    """Over a week, each half hour."""
    change(hall, issue_times=("08:30-11:45", "13:30-16:45"), issue_days=(1, 2, 3, 4, 5))
    change(hall, "tax", hours=("09:00-19:00",), days=(3, 6))
    screens = change(hall, "house", quota=5)
    seen = set()
    for half_hour in range(7 * 48):
        if half_hour and half_hour % 48 == 0:
            date = hall.state.business_date + timedelta(days=1)
            hall.do(cmd.OpenDay(id=hall.new("d"), at=hall.at, business_date=date))
        for shown in screens.board(hall.state, 1, hall.at).services:
            try:
                hall.issue(shown.service)
                decided = None
            except RefusedError as error:
                decided = error.code
            assert (decided is None) == (shown.available == "open")
            assert (decided == "ticket.quota_reached") == (shown.available == "quota_reached")
            seen.add(shown.available)
        hall.wait(1800)
    assert seen == {"open", "out_of_hours", "quota_reached"}


def test_the_halls_hours_of_a_day(hall: Any) -> None:
    change(hall, issue_times=("08:30-17:00",), issue_days=(1, 2, 3, 4, 5))
    screens = change(hall, "tax", days=(1, 2, 3, 4, 5, 6))
    board = screens.board(hall.state, 1, hall.at)
    assert (board.hours, of(board, "tax").hours) == (("08:30-17:00",), ())
    hall.tomorrow(5)
    board = screens.board(hall.state, 1, hall.at)
    assert (board.hours, of(board, "tax").hours) == ((), ("08:30-17:00",))
    assert [s.available for s in board.services] == ["out_of_hours", "out_of_hours", "open"]
    assert [s.today for s in board.services] == [False, False, True]


def test_a_service_that_rests_on_a_day_of_the_hall_says_so(hall: Any) -> None:
    """Without hours of its own, which would be those of the hall."""
    change(hall, issue_times=("08:30-17:00",), issue_days=(1, 2, 3, 4, 5))
    screens = change(hall, "tax", days=(2,))
    board = screens.board(hall.state, 1, hall.at)
    assert (board.hours, of(board, "tax").hours, of(board, "house").hours) == (("08:30-17:00",), (), ())
    assert (of(board, "tax").today, of(board, "house").today) == (False, True)
    assert of(board, "tax").available == "out_of_hours"


def test_the_board_stands_still_while_nothing_happens(hall: Any) -> None:
    screens = change(hall, issue_times=("08:30-17:00",))
    hall.press("1", "open")
    for _ in range(5):
        hall.issue("house")
    first = screens.board(hall.state, 1, hall.at)
    assert of(first, "house").wait_min is not None
    for _ in range(60):
        hall.wait(60)
        assert screens.board(hall.state, 1, hall.at) is first


def test_a_name_is_shown_where_the_hall_calls_by_name(hall: Any) -> None:
    screens = change(hall, call_by_name=True)
    hall.issue(name="王*明")
    hall.issue()
    hall.press("1", "next")
    hall.press("2", "next")
    screens.on_events(hall.log, hall.state)
    assert [call.name for call in screens.board(hall.state, 1, hall.at).calls] == [None, "王*明"]
    assert screens.catalogue(1).call_by_name
    silent = change(hall, call_by_name=False)
    silent.on_events(hall.log, hall.state)
    board = silent.board(hall.state, 1, hall.at)
    assert [call.name for call in board.calls] == [None, None], "turned off since, also for older tickets"


def test_the_catalogue_says_how_to_find_a_service(hall: Any) -> None:
    change(hall, "tax", initials="tax12", keywords=("契税", " 契税 ", "交税"))
    screens = Projections(hall.policy, HALL, appointments=True)
    catalogue = screens.catalogue(1)
    found = {service.service: service for service in catalogue.services}
    assert (found["house"].initials, found["house"].keywords) == ("bdc", ())
    assert (found["tax"].initials, found["tax"].keywords) == ("tax12", ("契税", "交税"))
    assert (catalogue.appointments, catalogue.call_by_name) == (True, False)


def test_the_catalogue_names_floors_and_classes_that_need_a_card(hall: Any) -> None:
    zone = msgspec.structs.replace(hall.policy.zones["east"], floor={"zh-CN": "2楼", "en": "Floor 2"})
    elderly = msgspec.structs.replace(hall.policy.priorities["elderly"], needs_card=True)
    screens = change(
        hall,
        zones=hall.policy.zones | {"east": zone},
        priorities=hall.policy.priorities | {"elderly": elderly},
    )
    catalogue = screens.catalogue(1)
    assert [z.floor for z in catalogue.zones] == [{"zh-CN": "2楼", "en": "Floor 2"}, {}]
    assert [p.needs_card for p in catalogue.priorities] == [True, False]


def test_a_busy_zone_leaves_the_calls_of_another_on_its_display(hall: Any) -> None:
    west = msgspec.structs.replace(hall.policy.counters["2"], zone="west")
    limits = msgspec.structs.replace(hall.policy.limits, board_calls=1)
    screens = change(hall, counters=hall.policy.counters | {"2": west}, limits=limits)
    for _ in range(3):
        hall.issue()
    hall.press("2", "next")
    for _ in range(2):
        hall.press("1", "next")
    screens.on_events(hall.log, hall.state)
    calls = screens.board(hall.state, 1, hall.at).calls
    assert [(call.counter, call.zone == "west") for call in calls] == [("1", False), ("2", True)]
