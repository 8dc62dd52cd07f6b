"""The same acrobot as an environment of gymnasium, one at a time: for pictures, and for other libraries.

``import standing; gymnasium.make("StandingAcrobot-v0")``. Training does not need it. Observations are those of
Acrobot-v1: velocities are not over 4.
"""

from __future__ import annotations

import gymnasium
import numpy as np
from acrobot import LIMIT, draw_starts, stands
from gymnasium.envs.classic_control.acrobot import AcrobotEnv


class StandingAcrobot(AcrobotEnv):
    """Acrobot-v1 that ends when the tip is high and both joints are slow, with reward 1 then and else 0."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.state = draw_starts(1, self.np_random)[0]
        return self._get_ob(), {}

    def step(self, action):
        _, _, _, _, information = super().step(action)
        self.state = np.rint(self.state * 1e6) / 1e6
        reached = self._terminal()
        return self._get_ob(), float(reached), reached, False, information

    def _terminal(self) -> bool:
        return bool(stands(self.state[None])[0])


gymnasium.register("StandingAcrobot-v0", entry_point=StandingAcrobot, max_episode_steps=LIMIT)
