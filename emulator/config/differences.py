"""What a change of settings changed, in words.

Floor 1. Owns the comparison of two Configs; of a secret it tells the name only.
"""

from __future__ import annotations

from emulator import errors
from emulator.config.model import Config
from emulator.printable import printable

LONGEST_CHARACTERS = 60


def differences(old: Config, new: Config) -> list[str]:
    """Return a sentence for each setting that `new` has otherwise than `old`; none when all is the same."""
    if old == new:
        return []
    # Imported on use: a session whose settings never change starts without it.
    from emulator.config.explanation import in_force

    sentences = []
    if old.source != new.source:
        sources = [
            errors.NO_FILE if each is None else str(each) for each in (old.source, new.source)
        ]
        sentences.append(errors.CHANGED_SOURCE.format(old=sources[0], new=sources[1]))
    before = {setting.label: setting for setting in in_force(old)}
    after = {setting.label: setting for setting in in_force(new)}
    for label in dict.fromkeys((*before, *after)):
        earlier, later = before.get(label), after.get(label)
        is_hidden = any(setting.hidden for setting in (earlier, later) if setting is not None)
        is_same = earlier == later
        if earlier is not None and later is not None and is_hidden:
            # What is shown of both is the same: their values decide.
            name = label.removeprefix("vars.")
            is_same = old.vars[name] == new.vars[name]
        if is_same:
            continue
        texts = [None if setting is None else setting.text for setting in (earlier, later)]
        sentences.append(_sentence(printable(label), *texts, is_hidden=is_hidden))
    return sentences


def _sentence(label: str, earlier: str | None, later: str | None, *, is_hidden: bool) -> str:
    if later is None:
        return errors.CHANGED_REMOVED.format(label=label)
    if earlier is None:
        return errors.CHANGED_ADDED.format(label=label, new=later)
    if is_hidden or max(len(earlier), len(later)) > LONGEST_CHARACTERS:
        return errors.CHANGED_LONG.format(label=label)
    return errors.CHANGED.format(label=label, old=earlier, new=later)
