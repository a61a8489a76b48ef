"""What people type after an option, and what is refused."""

from __future__ import annotations

import math

import pytest

import scalefast as sf
from scalefast.cli import options


def test_assignment_splits_at_the_first_equals_sign() -> None:
    assert options.read_assignment("N = params_m*1e6", "--col") == ("N", "params_m*1e6")
    assert options.read_assignment("y=a==b", "--col") == ("y", "a==b")


@pytest.mark.parametrize("text", ["N", "N=", "=x", "1N=x", "a-b=x"])
def test_assignment_needs_a_name_and_a_value(text: str) -> None:
    with pytest.raises(sf.SettingsError, match="NAME=VALUE") as caught:
        options.read_assignment(text, "--col")
    assert caught.value.code == "bad-assignment"


def test_bounds_may_be_open() -> None:
    assert options.read_bound("alpha=0..1", "--bound") == ("alpha", (0.0, 1.0))
    assert options.read_bound("E=..2.5", "--bound") == ("E", (-math.inf, 2.5))
    assert options.read_bound("A=-1..", "--bound") == ("A", (-1.0, math.inf))


@pytest.mark.parametrize("text", ["alpha=1..0", "alpha=1..1", "alpha=1", "alpha=a..b"])
def test_bounds_must_rise(text: str) -> None:
    with pytest.raises(sf.SettingsError):
        options.read_bound(text, "--bound")


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("squared", sf.Squared()),
        ("huber:1e-3", sf.Huber(1e-3)),
        ("HUBER:auto", sf.Huber("auto")),
        ("soft-l1:0.01", sf.SoftL1(0.01)),
        ("soft_l1:0.01", sf.SoftL1(0.01)),
        ("cauchy:0.02", sf.Cauchy(0.02)),
        ("asymmetric:3", sf.Asymmetric(3.0)),
        ("pinball:0.9,0.01", sf.Pinball(0.9, 0.01)),
    ],
)
def test_losses(text: str, loss: sf.Loss) -> None:
    assert options.read_loss(text, "--loss") == loss


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hubert:1", "unknown-loss"),
        ("huber", "bad-loss"),
        ("huber:", "bad-number"),
        ("huber:-1", "not-positive"),
        ("squared:1", "bad-loss"),
        ("pinball:0.5", "bad-loss"),
        ("pinball:1.5,0.1", "bad-loss"),
    ],
)
def test_bad_losses(text: str, code: str) -> None:
    with pytest.raises(sf.SettingsError) as caught:
        options.read_loss(text, "--loss")
    assert caught.value.code == code


def test_a_misspelt_loss_gets_the_nearest() -> None:
    with pytest.raises(sf.SettingsError, match="did you mean `huber`"):
        options.read_loss("hubert:1", "--loss")


def test_quantiles_rise_between_0_and_1() -> None:
    assert options.read_quantiles("0.05,0.5, 0.95", "--quantiles") == (0.05, 0.5, 0.95)
    for text in ("0.5,0.05", "0,0.5", "0.5,1", "0.5,0.5", "a"):
        with pytest.raises(sf.SettingsError):
            options.read_quantiles(text, "--quantiles")


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(sf.SettingsError, match="twice"):
        options.unique([("E", 1.0), ("E", 2.0)], "--fix")
