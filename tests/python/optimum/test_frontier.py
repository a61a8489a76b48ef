"""Laws that give the best size and data at a compute answer from either side, and refuse what they cannot know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import scalefast as sf
from reference import close
from scalefast._forms.write import law_text

FRONTIERS = [
    entry["id"]
    for entry in sf.laws().iter_rows(named=True)
    if entry["variables"] == "C" and entry["uncertainty"] and {"N", "D"} <= set(sf.law(entry["id"]).outputs)
]


def ask(law: Any, **question: Any) -> dict[str, Any]:
    return sf.solve(law, **question).row(0, named=True)


def test_the_catalogue_has_frontiers_of_several_kinds() -> None:
    assert {"rule-20-to-1", "llama3-2024", "hoffmann-2022-approach-1", "cerebras-gpt-2023"} <= set(FRONTIERS)
    assert {"kaplan-frontier/kaplan-2020", "hunyuan-large-2024"} <= set(FRONTIERS)


@pytest.mark.parametrize("law", FRONTIERS)
@pytest.mark.parametrize("budget", [1e18, 5.76e23, 1e29])
def test_size_and_data_lead_back_to_their_compute(law: str, budget: float) -> None:
    at = ask(law, C=budget)
    plain = sf.law(law).predict({"C": budget}).row(0, named=True)
    assert all(close(at[name], value, 1e-14) for name, value in plain.items() if name in at)
    assert (at["L"] is None) == ("L" not in plain)
    swept = sf.sweep(law, budget=budget).summary.row(0, named=True)
    assert all(swept[name] == at[name] for name in ("N", "D", "D_per_N", "L", "status"))
    for name in ("N", "D", *(["L"] if at["L"] is not None else [])):
        back = ask(law, **{name: at[name]})
        assert back[name] == at[name] and back["status"] == "interior"
        assert close(back["C"], budget, 1e-10), name
        assert all(close(back[other], at[other], 1e-10) for other in ("N", "D"))
        assert back["C_least"] is None and back["L_least"] is None


def test_compute_of_a_size_in_closed_form() -> None:
    # 20 tokens per parameter: C = 120 N^2. Kaplan et al., table 6: N = 1.3e9 C^0.73 in PF-days.
    assert close(ask("rule-20-to-1", N=70e9)["C"], 120 * 70e9**2, 1e-12)
    assert close(ask("rule-20-to-1", D=1.4e12)["N"], 70e9, 1e-12)
    assert close(ask("kaplan-frontier/kaplan-2020", N=175e9)["C"], 8.64e19 * (175 / 1.3) ** (1 / 0.73), 1e-10)


def test_other_symbols_stand_for_size() -> None:
    law = "deepseek-llm-2024"
    at = ask(law, C=4.5e23, optimise=("M", "D"))
    assert (
        close(at["M"], 4.32e11, 1e-3)
        and close(at["D"], 1.041e12, 1e-3)
        and close(at["D_per_M"], at["D"] / at["M"], 1e-15)
    )
    back = ask(law, M=at["M"], optimise=("M", "D"))
    assert close(back["C"], 4.5e23, 1e-10) and back["M"] == at["M"]
    vocabulary = ask("vocab-tao-2024", N=7e9, optimise=("N", "N_vocab"))
    # Tao et al. 2024: 62.3K entries at width 4,096 and 7.05e21 FLOPs.
    assert close(vocabulary["C"], 7.05e21, 5e-4) and close(vocabulary["N_vocab"] / 4096, 62.3e3, 5e-4)


def test_draws_spread_a_frontier() -> None:
    draws = pl.DataFrame({"N_1": [0.09, 0.1, 0.11], "a": [0.498, 0.498, 0.498]})
    law = sf.law("hoffmann-2022-approach-1")
    row = ask(law, N=70e9, draws=draws, quantiles=(0.5,))
    middle = ask(law.with_values({"N_1": 0.1, "a": 0.498}), N=70e9)
    assert row["uncertainty"] == "draws" and row["N_q50"] == 70e9
    assert close(row["C_q50"], middle["C"], 1e-12) and close(row["D_q50"], middle["D"], 1e-12)
    assert sf.sweep(law, 1e24, draws=draws).summary["N_q05"][0] < sf.sweep(law, 1e24, draws=draws).summary["N_q95"][0]


def test_several_laws_answer_in_one_frame() -> None:
    rows = sf.solve(["epoch-2024", "rule-20-to-1"], N=10e9)
    assert rows["law"].to_list() == ["epoch-2024", "rule-20-to-1"]
    assert close(rows["D"][0], 202.7e9, 5e-4) and close(rows["D"][1], 200e9, 1e-12)
    assert rows["L"][1] is None and rows.schema == sf.solve("epoch-2024", N=10e9).schema
    default = sf.solve(N=10e9, draws=0)
    assert default["law"].to_list() == sf.sweep(budget=1e24, draws=0).summary["law"].to_list()


@pytest.mark.parametrize(
    ("law", "question", "code", "said"),
    [
        ("rule-20-to-1", {"L": 2.0}, "no-loss", "no loss"),
        ("rule-20-to-1", {"N": 7e9, "D": 2e12}, "no-loss", "N and D"),
        ("llama3-2024", {"C": 1e24, "N": 7e9}, "no-loss", "C and N"),
        ("cerebras-gpt-2023", {"L": 2.0, "N": 7e9}, "no-loss", "alone"),
        ("cerebras-gpt-2023", {"L": 0.5}, "infeasible-loss", "0.5066"),
        ("rule-20-to-1", {"N": 7e9, "given": {"D": 1e12}}, "bad-given", "leave out given"),
        ("rule-20-to-1", {"N": 7e9, "bounds": {"D": (1e9, None)}}, "bad-given", "leave out bounds"),
        ("rule-20-to-1", {"N": 7e9, "cost": "6*N*D"}, "bad-given", "leave out cost"),
        ("deepseek-llm-2024", {"C": 1e24}, "unknown-symbol", "optimise=('M', 'D')"),
        ("epoch-2024", {"M": 1e24}, "unknown-symbol", "`M` is not asked about"),
        ("steplaw-2025", {"N": 1e9}, "no-loss", "gives `lr`, `batch` of `N`, `D`"),
        ("pearce-song-2024", {"C": 1e21}, "no-loss", "nothing to minimise"),
        ("epoch-2024", {"drawz": 3}, "unknown-symbol", "`drawz`"),
        ("epoch-2024", {"N": 1e9, "optimise": ("N", "N")}, "bad-optimise", "two different"),
    ],
)
def test_refusals_name_the_reason(law: str, question: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(sf.ScalefastError) as caught:
        sf.solve(law, **question)
    assert caught.value.code == code
    assert said in str(caught.value)


def test_epochs_are_tokens_over_unique_ones() -> None:
    row = ask("muennighoff-2023", C=1e22, given={"U": 25e9})
    assert row["epochs"] == row["D"] / 25e9 and abs(row["epochs"] - 9.49) < 0.005
    summary = sf.sweep("muennighoff-2023", [1e21, 1e22], given={"U": 25e9}).summary
    assert (summary["epochs"] == summary["D"] / 25e9).all()
    assert summary.columns.index("epochs") < summary.columns.index("epochs_q05") < summary.columns.index("L")
    assert "epochs" not in sf.sweep("epoch-2024", 1e22).summary.columns


def test_the_loss_is_what_is_minimised_wherever_it_stands(tmp_path: Path) -> None:
    text = sf.law("hoffmann-2022").form
    path = tmp_path / "law.toml"
    path.write_text(law_text(replace(text, outputs={"ratio": "D/N", "L": text.outputs["L"]})), encoding="utf-8")
    law = f"{path}#hoffmann-2022"
    for name in ("N", "D", "L"):
        assert ask(law, C=1e23)[name] == ask("hoffmann-2022", C=1e23)[name]
        assert sf.sweep(law, 1e23).summary[name][0] == sf.sweep("hoffmann-2022", 1e23).summary[name][0]
    assert close(ask(law, N=7e9, D=2e12)["L"], 2.0080, 5e-5)
