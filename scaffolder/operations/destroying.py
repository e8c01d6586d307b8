"""Takes away what operations made, in order, so that ``terraform destroy`` can take the rest.

Removes only what a provider's inventory names, one after another. May not ask a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.port import Provider
from scaffolder.operations.values import Removable
from scaffolder.operations.waiting import Polling, retried, wait_until
from stacks.intents import Platform

__all__ = ["confirm_name", "next_commands", "remove_all"]

GOING = Polling(start_s=0.2, factor=1.5, most_s=15.0, timeout_s=3600.0)


def confirm_name(platform: Platform, typed: str) -> None:
    """Compare what a person typed with the platform's name.

    Raises:
        InvalidRequest: it is another name.
    """
    if typed != platform.name:
        raise InvalidRequest(
            f'"{typed}" is not the name of this platform: nothing was removed',
            remedy=f"It is {platform.name}.",
        )


def remove_all(
    provider: Provider,
    items: Sequence[Removable],
    *,
    sleep: Callable[[float], None],
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Removable, ...]:
    """Remove in the order given, each when the one before it is gone. What is gone stays gone when one fails."""
    for item in items:
        tell(f"removing {item.kind} {item.name}")
        _remove(provider, item, sleep)
    return tuple(items)


def _remove(provider: Provider, item: Removable, sleep: Callable[[float], None]) -> None:
    retried(lambda: provider.teardown.remove(item), sleep=sleep)
    wait_until(
        lambda: provider.teardown.is_gone(item),
        bool,
        what=f"the removal of {item.kind} {item.name}",
        sleep=sleep,
        polling=GOING,
    )


def next_commands(platform: Platform) -> Iterator[str]:
    """Yield the commands that come next, for a platform that Terraform made."""
    if platform.deletion_protection:
        yield "# first turn deletion_protection off in the spec, and deploy that"
    yield f"cdktf destroy '{platform.name}-{platform.environment}-*'"
