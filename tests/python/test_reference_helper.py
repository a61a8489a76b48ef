from __future__ import annotations

from reference import close


def test_closeness_sees_errors_of_both_signs() -> None:
    assert close(1.0 + 1e-9, 1.0, 1e-8)
    assert close(-1.0 - 1e-9, -1.0, 1e-8)
    assert not close(1.0 + 1e-7, 1.0, 1e-8)
    assert not close(1.0 - 1e-7, 1.0, 1e-8)
    assert not close(-1.0, 1.0, 1e-8)
    assert not close(float("nan"), 1.0, 1e-8)
