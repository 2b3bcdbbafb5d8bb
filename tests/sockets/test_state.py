"""The table of a socket's life: total, every state reachable, no way back from an end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.sockets import SocketEvent, SocketState
from emulator.sockets.state import OVER, TRANSITIONS


def test_every_state_has_its_row_and_every_entry_is_an_event_that_leads_to_a_state() -> None:
    assert set(TRANSITIONS) == set(SocketState)
    for moves in TRANSITIONS.values():
        assert set(moves) <= set(SocketEvent)
        assert set(moves.values()) <= set(SocketState)


def test_every_state_is_reachable_and_every_event_means_something() -> None:
    reached, edge = {SocketState.CONNECTING}, [SocketState.CONNECTING]
    while edge:
        new = set(TRANSITIONS[edge.pop()].values()) - reached
        reached |= new
        edge.extend(new)
    assert reached == set(SocketState)
    assert {event for moves in TRANSITIONS.values() for event in moves} == set(SocketEvent)


def test_an_end_is_reachable_from_everywhere_and_nothing_follows_it() -> None:
    assert {
        SocketState.CLOSED,
        SocketState.FAILED,
        SocketState.LOST,
        SocketState.UPGRADED,
    } == OVER
    for state in set(SocketState) - OVER:
        reached, edge = {state}, [state]
        while edge:
            new = set(TRANSITIONS[edge.pop()].values()) - reached
            reached |= new
            edge.extend(new)
        assert reached >= {SocketState.CLOSED, SocketState.LOST}


@pytest.mark.parametrize("state", sorted(set(SocketState) - OVER, key=str))
def test_close_moves_every_living_socket_on(state: SocketState) -> None:
    if state is not SocketState.CLOSING:
        assert TRANSITIONS[state][SocketEvent.CLOSE_CALLED] is SocketState.CLOSING


@given(st.lists(st.sampled_from(SocketEvent)))
def test_no_sequence_of_events_leads_astray_or_back(events: list[SocketEvent]) -> None:
    state, seen = SocketState.CONNECTING, [SocketState.CONNECTING]
    for event in events:
        following = TRANSITIONS[state].get(event)
        if following is not None:
            assert following not in seen
            state = following
            seen.append(state)
