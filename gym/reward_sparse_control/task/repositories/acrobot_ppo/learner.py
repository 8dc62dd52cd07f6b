"""Proximal policy optimisation (Schulman et al. 2017) with a small actor and a small critic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from acrobot import ACTIONS, INPUTS, LIMIT, draw_starts, observe, stands, step
from network import Network, softmax

DISCOUNT = 0.99
TRACE = 0.8
ROUNDS, ACROBOTS, STEPS = 400, 64, 64
EPOCHS, BATCHES = 4, 4
LEARNING_RATE = 0.008
CLIP = 0.2
ENTROPY = 0.01
HIDDEN, CRITIC_HIDDEN = 32, 64


@dataclass
class Swarm:
    """Acrobots in the middle of their episodes."""

    states: np.ndarray
    ages: np.ndarray


def learn(reward, seed: int, rounds: int = ROUNDS, learning_rate: float = LEARNING_RATE, report=None) -> Network:
    """Train a policy.

    Args:
        reward: The reward, see rewards.py.
        seed: Seed of everything that is random.
        rounds: How often to collect `ACROBOTS` x `STEPS` steps and to learn from them.
        learning_rate: Step size, which falls to 0 in the course of training.
        report: Called after each round with its number, the policy and how often the goal was reached in it.

    Returns:
        The policy, from observations (n, 6) to logits of the actions (n, 3).
    """
    rng = np.random.default_rng(seed)
    actor = Network(rng, INPUTS, HIDDEN, ACTIONS)
    critic = Network(rng, INPUTS, CRITIC_HIDDEN, 1)
    critic.parameters[2][...] = 0  # It expects nothing yet, or its noise would move the actor.
    swarm = Swarm(draw_starts(ACROBOTS, rng), rng.integers(0, LIMIT, ACROBOTS))
    for number in range(rounds):
        batch, goals = _collect(swarm, actor, critic, reward, rng)
        _improve(actor, critic, batch, rng, learning_rate * (1 - number / rounds))
        if report:
            report(number, actor, goals)
    return actor


def _collect(swarm: Swarm, actor: Network, critic: Network, reward, rng) -> tuple[list[np.ndarray], int]:
    """Return observations, actions, log-likelihoods, advantages and returns of a round, and its goals."""
    shape = (STEPS, ACROBOTS)
    seen = np.zeros((*shape, INPUTS))
    chosen, logs, rewards, ended = np.zeros(shape, int), np.zeros(shape), np.zeros(shape), np.zeros(shape, bool)
    goals = 0
    for t in range(STEPS):
        seen[t] = observe(swarm.states)
        chances = softmax(actor(seen[t]))
        chosen[t] = np.minimum((chances.cumsum(1) < rng.random((ACROBOTS, 1))).sum(1), ACTIONS - 1)
        logs[t] = np.log(chances[np.arange(ACROBOTS), chosen[t]])
        after = step(swarm.states, chosen[t])
        reached = stands(after)
        rewards[t] = reward(swarm.states, after, reached)
        swarm.ages += 1
        cut = (swarm.ages >= LIMIT) & ~reached
        rewards[t, cut] += DISCOUNT * critic(observe(after[cut]))[:, 0]
        ended[t], goals = reached | cut, goals + int(reached.sum())
        after[ended[t]] = draw_starts(int(ended[t].sum()), rng)
        swarm.ages[ended[t]] = 0
        swarm.states = after
    values = critic(seen.reshape(-1, INPUTS)).reshape(shape)
    gains = _advantages(rewards, values, critic(observe(swarm.states))[:, 0], ended)
    batch = [seen.reshape(-1, INPUTS), chosen.ravel(), logs.ravel(), gains.ravel(), (gains + values).ravel()]
    return batch, goals


def _advantages(rewards, values, last, ended) -> np.ndarray:
    """Return generalised advantage estimates, with TRACE the weight of longer returns."""
    gains, gain, following = np.zeros_like(rewards), 0.0, last
    for t in range(len(rewards) - 1, -1, -1):
        error = rewards[t] + DISCOUNT * following * ~ended[t] - values[t]
        gain = error + DISCOUNT * TRACE * ~ended[t] * gain
        gains[t], following = gain, values[t]
    return gains


def _improve(actor: Network, critic: Network, batch, rng, learning_rate: float) -> None:
    seen, chosen, logs, gains, returns = batch
    gains = (gains - gains.mean()) / (gains.std() + 1e-8)
    for _ in range(EPOCHS):
        for part in np.array_split(rng.permutation(len(seen)), BATCHES):
            slope = _actor_slope(actor(seen[part]), chosen[part], logs[part], gains[part])
            actor.descend(seen[part], slope / len(part), learning_rate)
            error = critic(seen[part]) - returns[part, None]
            critic.descend(seen[part], error / len(part), learning_rate)


def _actor_slope(logits, chosen, logs, gains) -> np.ndarray:
    """Return the gradient of the clipped loss less the entropy's share, with respect to the logits."""
    chances = softmax(logits)
    all_logs = np.log(chances + 1e-12)
    ratio = np.exp(all_logs[np.arange(len(chosen)), chosen] - logs)
    clipped = ((ratio > 1 + CLIP) & (gains > 0)) | ((ratio < 1 - CLIP) & (gains < 0))
    slope = -(~clipped * ratio * gains)[:, None] * (np.eye(ACTIONS)[chosen] - chances)
    entropy = -(chances * all_logs).sum(1, keepdims=True)
    return slope + ENTROPY * chances * (all_logs + entropy)
