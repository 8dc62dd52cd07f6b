"""The agent's part of an attempt: it works in a thread until something ends it."""

from __future__ import annotations

import contextlib
import threading
import traceback
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.errors import MachineFaultError, UserError
from pytest_innovatorbench.researchgym.model import AttemptOverError

if TYPE_CHECKING:
    from pytest_innovatorbench.agents.base import Agent
    from pytest_innovatorbench.errors import Fault
    from pytest_innovatorbench.researchgym.gym import ResearchGym
    from pytest_innovatorbench.runs.stop import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the agent's part of an attempt ended.

    Attributes:
        reason: ``finished``, ``evals``, ``steps``, ``tokens``, ``cost``, ``time``,
            ``disk``, ``lost``, ``crashed``, ``interrupted``, ``machine`` or ``unprepared``.
        error: One line on what went wrong, if anything did.
        detail: A traceback, for the record alone.
        fault: Whose fault it is, where it was not the agent's.
    """

    reason: str
    error: str | None = None
    detail: str = ""
    fault: Fault | None = None


_SLACK = 0.01  # seconds, so that a clock that stands still is not asked without end
_WORDS = {
    "tokens": "the tokens are used up",
    "cost": "the money is used up",
    "time": "the working time is used up",
    "disk": "the agent filled its disk quota",
    "lost": "the agent lost its computer again and again",
    "interrupted": "the attempt was interrupted",
}


def work(agent: Agent, gym: ResearchGym, stop: Stop) -> Ending:
    """Let an agent work until it returns, fails, spends its budget or is stopped.

    The agent has a thread of its own, so that one that hangs can be left behind: nothing it does
    after the end counts, since its gym takes no more actions.
    """
    endings: SimpleQueue[Ending] = SimpleQueue()
    gym.when_ended = lambda reason: endings.put(_ended(reason))
    forget = stop.listen(lambda: gym.end("interrupted"))
    threading.Thread(
        target=lambda: endings.put(_outcome(agent, gym)), daemon=True, name="ibench-agent"
    ).start()
    try:
        # Again and again, since the clock stands still while the agent's model cannot be reached.
        while (left := gym.remaining_seconds()) > 0:
            with contextlib.suppress(Empty):
                return endings.get(timeout=min(left + _SLACK, threading.TIMEOUT_MAX))
        gym.end("time")
        return _ended("time")
    finally:
        forget()


def _ended(reason: str) -> Ending:
    return Ending(reason=reason, error=_WORDS.get(reason))


def _outcome(agent: Agent, gym: ResearchGym) -> Ending:
    try:
        agent.run(gym)
    except AttemptOverError:
        return _ended(gym.ending or "finished")
    except MachineFaultError as error:
        return Ending(reason="machine", error=error.message, detail=error.detail, fault="machine")
    except AgentFailedError as error:
        return Ending(reason="crashed", error=str(error))
    except UserError as error:
        return Ending(reason="crashed", error=str(error), detail=traceback.format_exc())
    except BaseException as error:  # noqa: BLE001 - an agent may raise anything, and is scored all the same
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Ending(reason="crashed", error=f"the agent raised {text}"[:500], detail=traceback.format_exc())
    return _ended(gym.ending or "finished")
