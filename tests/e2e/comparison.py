# SPDX-License-Identifier: Apache-2.0
"""docs/comparison.md: this program beside DCMTK's digital signatures, on the same files."""


def summary(cells, row, column):
    """A cell of the table: `ok`, or a count where the column holds several files."""
    states = [c.state for c in cells if c.row == row and c.column == column]
    if len(set(states)) == 1:
        return states[0] if len(states) == 1 else f"{states[0]} {len(states)}" if states[0] != "-" else "-"
    return ", ".join(f"{state} {states.count(state)}" for state in sorted(set(states), key=str.lower))
