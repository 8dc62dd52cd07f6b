"""Speech to text by an endpoint that speaks OpenAI's protocol."""

from __future__ import annotations

import os

from pytest_innovatorbench.researchgym.parsing.parser import Parsed

LARGEST_RECORDING = 25 << 20


def transcribe(name: str, data: bytes, model: str, timeout: float) -> Parsed | str:
    """Have a recording written down.

    The endpoint and its key are the harness's, from ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``.

    Args:
        name: The file's name, by whose ending its format is told.
        data: Its content.
        model: The model that listens.
        timeout: Seconds to wait at most.

    Returns:
        The text, or why there is none, in one line.
    """
    if not os.environ.get("OPENAI_API_KEY"):
        return "no speech model is set up here; the harness needs OPENAI_API_KEY"
    if len(data) > LARGEST_RECORDING:
        return f"it has {len(data):,} bytes; at most {LARGEST_RECORDING:,} are sent"
    try:
        import openai  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError:
        return "the package openai is not installed here: pip install 'pytest-innovatorbench[audio]'"
    try:
        with openai.OpenAI(timeout=timeout) as client:
            answer = client.audio.transcriptions.create(model=model, file=(name, data))
    except openai.OpenAIError as error:
        return f"the speech model did not answer: {type(error).__name__}"
    return Parsed(text=answer.text)
