"""The rules of the gate: each returns what speaks against a new model, in sentences, or nothing.

Comparisons are written so that a number that is not known speaks against it.
"""

from demand.config import GateConfig
from demand.gate.verdict import Verdict

LOOK = "Look for what is known only later among the inputs."


def too_good(draft: Verdict, equal: float, gate: GateConfig) -> list[str]:
    """Alarms: figures that no honest forecast reaches. equal: share of forecasts that are the actual."""
    found = []
    if equal > gate.equal_share:
        found.append(
            f"{100 * equal:.1f} % of the forecasts equal the actual, expected at most "
            f"{100 * gate.equal_share:g} % (gate.equal_share)."
        )
    if draft.mape == 0:
        found.append("The MAPE is exactly 0.")
    if draft.baseline_ratio < gate.too_good_baseline:
        found.append(
            f"The MAPE is {draft.baseline_ratio:.3f} of the historical average's, expected at least "
            f"{gate.too_good_baseline:g} (gate.too_good_baseline)."
        )
    if draft.champion_ratio < gate.too_good:
        found.append(
            f"The MAPE is {draft.champion_ratio:.3f} of the champion's, expected at least "
            f"{gate.too_good:g} (gate.too_good)."
        )
    return [f"Too good to be true: {found[0]}", *found[1:], LOOK] if found else []


def too_few(draft: Verdict, compared: int | None, gate: GateConfig) -> list[str]:
    """Too few rows to prove anything. compared: rows with the champion's forecast, None without one."""
    wanted = f"expected at least {gate.minimum_rows} (gate.minimum_rows)."
    if draft.n < gate.minimum_rows:
        return [f"{draft.n} rows with sales to judge by, {wanted}"]
    if compared is not None and compared < gate.minimum_rows:
        return [f"{compared} rows with sales and a forecast of the champion, {wanted}"]
    return []


def against_baseline(draft: Verdict) -> list[str]:
    """Not certainly better than the historical average."""
    if draft.baseline_upper < 1:
        return []
    return [f"Not certainly better than the historical average: {on_baseline(draft)}; expected below 1."]


def against_champion(draft: Verdict, compared: int | None, gate: GateConfig) -> list[str]:
    """Worse than the champion as measured, or not certain to be no worse."""
    if compared is None:
        return []
    if draft.champion_mape == 0:
        return ["The champion's MAPE is exactly 0, its forecasts are what was sold: no model can follow it."]
    if not draft.champion_ratio <= 1 + gate.margin:
        return [f"{on_champion(draft)}; expected at most {1 + gate.margin:g} (gate.margin)."]
    if not draft.champion_upper < 1 + gate.limit:
        return [
            f"Too uncertain: {on_champion(draft)}; expected certainly below {1 + gate.limit:g} (gate.limit)."
        ]
    return []


def in_favour(draft: Verdict, compared: int | None) -> list[str]:
    """What speaks for a model that nothing speaks against."""
    champion = "there is no champion to compare with" if compared is None else on_champion(draft)
    return [f"Better than the historical average: {on_baseline(draft)}; {champion}."]


def on_baseline(draft: Verdict) -> str:
    """The comparison with the historical average in figures."""
    return (
        f"MAPE {draft.mape:.1f} % against {draft.baseline_mape:.1f} %, ratio {draft.baseline_ratio:.3f}, "
        f"at most {draft.baseline_upper:.3f}"
    )


def on_champion(draft: Verdict) -> str:
    """The comparison with the champion in figures."""
    share = round(100 * (draft.champion_ratio - 1), 1)
    worse = f"{abs(share)} % {'worse' if share > 0 else 'better'} than" if share else "as good as"
    return (
        f"{worse} the champion (MAPE {draft.champion_mape:.1f} %): ratio {draft.champion_ratio:.3f}, between "
        f"{draft.champion_lower:.3f} and {draft.champion_upper:.3f}"
    )
