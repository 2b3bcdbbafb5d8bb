"""What a change of settings changed, in words.

Floor 1. Owns the comparison of two Configs; of a secret it tells the name only.
"""

from __future__ import annotations

from emulator import errors
from emulator.config.explanation import InForce, in_force
from emulator.config.model import Config
from emulator.printable import printable

LONGEST_CHARACTERS = 60


def differences(old: Config, new: Config) -> list[str]:
    """Return a sentence for each setting that `new` has otherwise than `old`; none when all is the same."""
    before = {setting.label: setting for setting in in_force(old)}
    after = {setting.label: setting for setting in in_force(new)}
    sentences = []
    if old.source != new.source:
        sentences.append(
            errors.CHANGED_SOURCE.format(
                old=old.source or errors.NO_FILE, new=new.source or errors.NO_FILE
            )
        )
    for label in dict.fromkeys((*before, *after)):
        earlier, later = before.get(label), after.get(label)
        if label.startswith("vars."):
            name = label.removeprefix("vars.")
            if old.vars.get(name) == new.vars.get(name) and (name in old.vars) == (
                name in new.vars
            ):
                continue
        elif earlier == later:
            continue
        sentences.append(_sentence(printable(label), earlier, later))
    return sentences


def _sentence(label: str, earlier: InForce | None, later: InForce | None) -> str:
    if later is None:
        return errors.CHANGED_REMOVED.format(label=label)
    if earlier is None:
        return errors.CHANGED_ADDED.format(label=label, new=later.text)
    texts = earlier.text, later.text
    is_long = any(len(text) > LONGEST_CHARACTERS for text in texts)
    if is_long or earlier.hidden or later.hidden:
        return errors.CHANGED_LONG.format(label=label)
    return errors.CHANGED.format(label=label, old=earlier.text, new=later.text)
