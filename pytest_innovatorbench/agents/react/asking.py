"""Asking an agent's model: patiently, by its clock, and accounted for."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_innovatorbench.agents.base import AgentFailedError
from pytest_innovatorbench.agents.models.base import (
    AccessError,
    ContextOverflowError,
    ModelBusyError,
    ModelError,
)
from pytest_innovatorbench.agents.models.opening import open_model
from pytest_innovatorbench.agents.models.patience import Patience, ask_patiently
from pytest_innovatorbench.agents.models.prices import find_price
from pytest_innovatorbench.agents.react.transcript import Transcript
from pytest_innovatorbench.errors import MachineFaultError
from pytest_innovatorbench.researchgym.model import AttemptOverError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_innovatorbench.agents.models.prices import Price
    from pytest_innovatorbench.agents.models.profile import Profile
    from pytest_innovatorbench.agents.models.values import Prompt, Reply
    from pytest_innovatorbench.researchgym.gym import ResearchGym

_TICK = 0.2  # seconds between looks whether the attempt is over, while a provider is waited for


class Asker:
    """Asks one model for one agent.

    Args:
        profile: The model.
        patience: How long a failing provider is put up with.
        prices: Prices of the user's, by model.

    Attributes:
        model: The model, opened.

    Raises:
        SettingsError: The model cannot be asked.
    """

    def __init__(self, profile: Profile, patience: Patience, prices: Mapping[str, Price]) -> None:
        self.model = open_model(profile)
        self._patience = patience
        self._price = find_price(profile.model, prices)
        self._began = 0.0
        self._has_answered = False

    def ask(self, gym: ResearchGym, prompt: Prompt) -> Reply:
        """Return the model's answer.

        Raises:
            ContextOverflowError: The prompt is too long.
            AgentFailedError: The provider refuses it.
            MachineFaultError: The provider failed too long, or refuses whatever it is asked.
            AttemptOverError: The attempt ended meanwhile.
        """
        started = time.monotonic()
        failed: dict[str, Any] = {}
        try:
            reply = ask_patiently(
                partial(self._try, prompt),
                self._patience,
                said=lambda what, pause: failed.update(error=what, retry_in=round(pause, 3)),
                wait=partial(self._wait, gym, failed),
            )
        except ContextOverflowError:
            raise
        except ModelError as error:
            raise self._failure(error, prompt) from error
        self._has_answered = True
        cost = None if self._price is None else self._price.of(reply.usage)
        Transcript(gym.note).answered(reply, time.monotonic() - started, cost)
        return reply

    def _try(self, prompt: Prompt) -> Reply:
        self._began = time.monotonic()
        return self.model.ask(prompt)

    def _wait(self, gym: ResearchGym, failed: Mapping[str, Any], seconds: float) -> None:
        """Let time pass that is not the agent's, nor was that of the request which failed."""
        with gym.paused(self._began):
            gym.note("model_failed", **failed)  # not before, as its time is what an attempt may resume at
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                if gym.ending:
                    raise AttemptOverError(f"the attempt is over ({gym.ending})")
                time.sleep(min(_TICK, left))

    def _failure(self, error: ModelError, prompt: Prompt) -> MachineFaultError | AgentFailedError:
        """Tell whose doing it is. What is refused before the model has said a word is not the agent's."""
        if isinstance(error.__cause__, ModelBusyError):
            return MachineFaultError(f"the model's provider failed: {error}")
        if isinstance(error, AccessError):
            return MachineFaultError(f"{error}: check the key and its account")
        if not (self._has_answered or any(turn.role == "assistant" for turn in prompt.messages)):
            return MachineFaultError(f"{error}: check the model's name, its settings and the key")
        return AgentFailedError(str(error))
