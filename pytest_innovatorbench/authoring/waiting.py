"""Working in several threads while the main one stays open to signals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")

# The kernel may hand a signal to any thread, and Python answers it in the main one, when that wakes up.
_TICK = 0.25


def results(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int | None,
    end: Callable[[], None],
) -> Iterator[Result]:
    """Yield what a function makes of each item, in their order, from several threads.

    Args:
        function: The function.
        items: The items.
        threads: How many threads.
        end: Called before an exception waits for the threads, so that they end.
    """
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                yield _result(future)
        except BaseException as error:
            for future in futures:
                future.cancel()
            if not isinstance(error, Exception):
                end()
            raise


def _result(future: Future[Result]) -> Result:
    while True:
        try:
            return future.result(_TICK)
        except TimeoutError:
            if future.done():
                raise
