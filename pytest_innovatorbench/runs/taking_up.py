"""Taking up what an attempt that was cut short left on computers that outlive a harness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_innovatorbench.researchgym.computers.base import ComputerAwayError, ComputerClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_innovatorbench.researchgym.computers.stations import Station
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.runs.beginning import Former
    from pytest_innovatorbench.runs.stop import Stop


def take_up(gym: ResearchGym, before: Sequence[Former], stop: Stop) -> None:
    """Claim the computers on which an agent worked, and tell it what is not as it was.

    Args:
        gym: The environment of the attempt.
        before: The computers it had.
        stop: Ends the attempt to reach those that are away.

    Raises:
        MachineFaultError: One could not be started.
    """
    forget = stop.listen(gym.computers.close)
    try:
        for former in before:
            if former.is_used:
                _take_up(gym, former)
    except ComputerClosedError:
        pass  # the attempt ends before its agent begins
    finally:
        forget()


def _take_up(gym: ResearchGym, former: Former) -> None:
    station = next((station for station in gym.computers if station.name == former.name), None)
    if station is None:
        there = ", ".join(f"{station.name} ({station.role})" for station in gym.computers)
        gym.note("computer_lost", error=f"{former.name} is not listed any more", detail="")
        gym.remark(f"{former.name} cannot be had any more, and what ran on it has ended; there is {there}")
    elif station.take_up is not None:
        _claim(gym, station)


def _claim(gym: ResearchGym, station: Station) -> None:
    assert station.take_up is not None  # noqa: S101 - whoever calls this has looked
    try:
        difference = station.take_up()
    except ComputerAwayError as error:
        gym.note("computer_away", error=error.message, detail=error.detail)
        gym.remark(f"{station.name} does not answer: it may come back, with what runs on it")
        return
    if difference is None:
        states = [state.session for state in station.computer.list_sessions()]
        gym.note("computer_claimed", computer=station.name, sessions=states)
    else:
        gym.note("computer_lost", error=f"{station.name}: {difference}", detail="")
        gym.remark(f"{station.name} was started anew: {difference}")
