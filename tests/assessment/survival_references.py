"""The survival measures written out from their formulas, unit by unit; None where they are not defined."""

import numpy as np

from hiptbench.targets import Survival


def target(rows: list[tuple[float, bool]]) -> Survival:
    time, event = zip(*rows, strict=True) if rows else ((), ())
    return Survival(np.array(time, dtype=float), np.array(event, dtype=bool))


def censoring(train: Survival, at: float) -> float:
    """G(at), the Kaplan-Meier estimate of staying uncensored; at one time events go first."""
    g = 1.0
    for moment in np.unique(train.time):
        if moment > at:
            break
        here = train.time == moment
        at_risk = (train.time >= moment).sum() - (here & train.event).sum()
        if (here & ~train.event).any():
            g *= 1 - (here & ~train.event).sum() / at_risk
    return g


def uno(train: Survival, test: Survival, risk: np.ndarray) -> float | None:
    tau, won, pairs = train.time.max(), 0.0, 0.0
    for i in range(len(test)):
        if not test.event[i] or test.time[i] >= tau:
            continue
        weight = 1 / censoring(train, test.time[i]) ** 2
        for j in range(len(test)):
            if test.time[j] > test.time[i] or (test.time[j] == test.time[i] and not test.event[j]):
                pairs += weight
                won += weight * (0.5 if abs(risk[i] - risk[j]) <= 1e-8 else float(risk[i] > risk[j]))
    return won / pairs if pairs else None


def dynamic_auc(train: Survival, test: Survival, risk: np.ndarray) -> float | None:
    tau, total, dropped, left = train.time.max(), 0.0, 0.0, 1.0
    weights = {i: 1 / censoring(train, test.time[i]) for i in np.flatnonzero(test.event & (test.time < tau))}
    for moment in np.unique(test.time[test.event & (test.time < tau)]):
        controls = test.time > moment
        if not controls.any():
            continue
        at_risk, hit = (test.time >= moment).sum(), (test.event & (test.time == moment)).sum()
        drop = left * hit / at_risk
        left -= drop
        won = whole = 0.0
        for i in np.flatnonzero(test.event & (test.time <= moment)):
            difference = risk[i] - risk[controls]
            won += weights[i] * np.where(abs(difference) <= 1e-8, 0.5, difference > 0).sum()
            whole += weights[i] * controls.sum()
        total += drop * won / whole
        dropped += drop
    return total / dropped if dropped else None


def integrated_brier(train: Survival, test: Survival, survival: np.ndarray, times: np.ndarray) -> float | None:
    if not train.event.any():
        return None
    horizon = min(train.time[train.event].max(), times[-1])
    tau = min(train.time.max(), test.time.max(initial=0))
    grid = [moment for moment in np.unique(test.time) if moment <= horizon and moment < tau]
    if len(grid) < 2 or not (test.event & (test.time <= grid[-1])).any():
        return None
    own = [censoring(train, moment) for moment in test.time]
    scores = []
    for moment in grid:
        g, score = censoring(train, moment), 0.0
        s = survival[:, times <= moment][:, -1] if times[0] <= moment else np.ones(len(test))
        for i in range(len(test)):
            if test.event[i] and test.time[i] <= moment:
                score += s[i] ** 2 / own[i]
            elif test.time[i] > moment:
                score += (1 - s[i]) ** 2 / g
        scores.append(score / len(test))
    area = sum((b - a) * (f + g) / 2 for a, b, f, g in zip(grid, grid[1:], scores, scores[1:], strict=False))
    return area / (grid[-1] - grid[0])


def d_calibration_counts(at_own_time: np.ndarray, event: np.ndarray, bins: int) -> np.ndarray:
    """Haider et al. (2020), section 3.5: an event counts in its bin, a censored unit in its own and all lower ones."""
    counts = np.zeros(bins)
    for s, seen in zip(at_own_time, event, strict=True):
        own = min(int(s * bins), bins - 1)
        if seen:
            counts[own] += 1
        elif s == 0:
            counts[0] += 1
        else:
            counts[own] += (s - own / bins) / s
            counts[:own] += 1 / (bins * s)
    return counts
