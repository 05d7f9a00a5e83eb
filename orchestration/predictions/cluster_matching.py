"""Clusters of now to those of the last time, by the rows that they share."""

import numpy as np

from orchestration.predictions.cluster_grouping import Labels

LEAST_OVERLAP = 0.3


def matched(now: Labels, before: Labels) -> dict[int, int]:
    """Clusters of now to the clusters of before that they continue; new ones are missing.

    Pairs are chosen so that their overlaps (Jaccard: rows of both by rows of either) add up to the
    most (Kuhn 1955); a pair below `LEAST_OVERLAP` is none.

    Args:
        now: the cluster of each row, from 0.
        before: the cluster that the last clustering gives to the same rows.
    """
    from scipy.optimize import linear_sum_assignment

    both = np.zeros((int(now.max()) + 1, int(before.max()) + 1))
    np.add.at(both, (now, before), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    overlap = both / np.maximum(either, 1)
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return {int(new): int(old) for new, old in pairs if overlap[new, old] >= LEAST_OVERLAP}


def numbered(clusters: int, continued: dict[int, int], next_number: int) -> list[int]:
    """Numbers of clusters that stay theirs: of those continued, and new ones for the others.

    Args:
        clusters: how many there are now.
        continued: clusters of now to the numbers that they have already.
        next_number: the first that no cluster ever had.
    """
    found = []
    for cluster in range(clusters):
        if cluster in continued:
            found.append(continued[cluster])
        else:
            found.append(next_number)
            next_number += 1
    return found
