"""Published and independently computed numbers, each to half a unit of its last printed digit.

The tables are those of the catalogue of laws (optimum at a budget; what planners ask); a value is written as it was
printed, with its unit: `40.36B`, `2.379T`, `1.17e23`.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import scalefast as sf
from reference import folder
from scalefast.units import read_number

#: Compute-optimal splits: N / D / L under C = 6 N D.
OPTIMA_LAWS = ("hoffmann-2022", "hoffmann-2022-rounded", "epoch-2024", "muennighoff-2023")
OPTIMA = """
1e19    | 270.8M / 6.154B / 2.92184 | 228.0M / 7.311B / 2.98574 | 262.2M / 6.357B / 2.92710 | 291.5M / 5.717B / 2.94705
1e20    | 774.9M / 21.51B / 2.55342 | 644.9M / 25.85B / 2.59985 | 853.5M / 19.53B / 2.55340 | 921.8M / 18.08B / 2.58735
1e21    | 2.217B / 75.18B / 2.29549 | 1.824B / 91.36B / 2.32888 | 2.778B / 59.99B / 2.30553 | 2.915B / 57.17B / 2.34769
1e22    | 6.343B / 262.8B / 2.11492 | 5.160B / 323.0B / 2.13861 | 9.045B / 184.3B / 2.14111 | 9.218B / 180.8B / 2.18800
1e23    | 18.15B / 918.4B / 1.98850 | 14.60B / 1.142T / 2.00501 | 29.45B / 566.0B / 2.03205 | 29.15B / 571.7B / 2.08160
5.76e23 | 40.36B / 2.379T / 1.91841 | 32.19B / 2.982T / 1.93075 | 72.25B / 1.329T / 1.97444 | 69.96B / 1.372T / 2.02516
1e24    | 51.92B / 3.210T / 1.89999 | 41.30B / 4.036T / 1.91120 | 95.86B / 1.739T / 1.95971 | 92.18B / 1.808T / 2.01070
1e25    | 148.5B / 11.22T / 1.83802 | 116.8B / 14.27T / 1.84532 | 312.1B / 5.341T / 1.91173 | 291.5B / 5.717T / 1.96346
3.8e25  | 273.2B / 23.18T / 1.81101 | 213.5B / 29.67T / 1.81653 | 618.7B / 10.24T / 1.89171 | 568.3B / 11.15T / 1.94368
1e26    | 425.0B / 39.22T / 1.79464 | 330.5B / 50.43T / 1.79906 | 1.016T / 16.41T / 1.87990 | 921.8B / 18.08T / 1.93199
"""

#: What planners ask: law, what is known, what follows. `law` is an id; the rest are symbols of `sf.solve`.
QUESTIONS = """
# How much data does a 10B model call for? (Hoffmann et al.'s tables print 205.1B and 219.5B for approaches 1 and 2.)
hoffmann-2022            | N=10B        | D=451.8B C=2.71e22
epoch-2024               | N=10B        | D=202.7B C=1.22e22
hoffmann-2022-approach-1 | N=10B        | D=205B   C=1.23e22
hoffmann-2022-approach-2 | N=10B        | D=219B   C=1.32e22
rule-20-to-1             | N=10B        | D=200B   C=1.2e22
# How large a model do 1T tokens call for?
hoffmann-2022            | D=1T         | N=19.5B  C=1.17e23
epoch-2024               | D=1T         | N=53.6B  C=3.21e23
rule-20-to-1             | D=1T         | N=50B    C=3e23
# 10B disappoints: ten times the size at 20 tokens per parameter, and at the same data.
hoffmann-2022            | N=10B D=200B | L=2.1059 C=1.2e22
hoffmann-2022            | N=100B D=2T  | L=1.8974 C=1.2e24
hoffmann-2022            | N=100B D=200B | L=2.0165 C=1.2e23
epoch-2024               | N=10B D=200B | L=2.1308
epoch-2024               | N=100B D=2T  | L=1.9552
epoch-2024               | N=100B D=200B | L=2.0424
# 7B on 2T tokens or 70B on 200B? The answer depends on the law.
hoffmann-2022            | N=7B D=2T    | L=2.0080 C=8.4e22
hoffmann-2022            | N=70B D=200B | L=2.0262 C=8.4e22
epoch-2024               | N=7B D=2T    | L=2.0647
epoch-2024               | N=70B D=200B | L=2.0519
# GPT-3 and Chinchilla.
hoffmann-2022            | N=175B D=300B | L=1.9764
epoch-2024               | N=175B D=300B | L=2.0085
hoffmann-2022            | N=70B D=1.4T | L=1.9208
epoch-2024               | N=70B D=1.4T | L=1.9739
# 256 A100 for two or three days.
hoffmann-2022            | C=1e22       | N=6.34B  D=263B
epoch-2024               | C=1e22       | N=9.05B  D=184B
rule-20-to-1             | C=1e22       | N=9.13B  D=183B
# A month and a quarter on 100 A100 at a utilisation of 0.4.
hoffmann-2022            | C=3.2348e22  | N=10.8B  D=497B
epoch-2024               | C=3.2348e22  | N=16.5B  D=327B
rule-20-to-1             | C=3.2348e22  | N=16.4B  D=328B
hoffmann-2022            | C=9.7044e22  | N=17.9B  D=904B
epoch-2024               | C=9.7044e22  | N=29.0B  D=558B
rule-20-to-1             | C=9.7044e22  | N=28.4B  D=569B
# Ten million dollars of H100 at $2 an hour and a utilisation of 0.4.
hoffmann-2022            | C=7.12e24    | N=127B   D=9.33T
epoch-2024               | C=7.12e24    | N=262B   D=4.53T
rule-20-to-1             | C=7.12e24    | N=244B   D=4.87T
# Chinchilla's own budget under its three approaches, and what larger ones call for.
hoffmann-2022            | C=5.76e23    | N=40B
deepseek-llm-2024        | C=1e20       | M=5.251B D=19.045B
hunyuan-large-2024       | C=1e24       | N=31.8B  D=3.2T
cerebras-gpt-2023        | C=2.3e22     | L=1.5796
"""

#: How size and data grow with ten times the compute; the source cuts digits off (3.495 to 3.49), so to a whole unit.
GROWTH = """
kaplan-frontier/kaplan-2020 | 5.37 / 1.86
hoffmann-2022-approach-2    | 3.09 / 3.24
hoffmann-2022               | 2.86 / 3.49
rule-20-to-1                | 3.16 / 3.16
epoch-2024                  | 3.25 / 3.07
"""


def table(text: str) -> list[list[str]]:
    """The cells of the rows, without comments."""
    lines = [line for line in text.strip().splitlines() if not line.startswith("#")]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def half_a_unit(printed: str) -> float:
    """Half a unit of the last printed digit: 0.005e9 for `40.36B`, with a little room for the rounding itself."""
    digits = printed.rstrip("KMBT")
    exponent = Decimal(digits).as_tuple().exponent
    assert isinstance(exponent, int)
    scale = read_number(printed) / float(digits)
    return 0.5 * 10.0**exponent * scale * (1 + 1e-9)


def agrees(found: float, printed: str) -> bool:
    return abs(found - read_number(printed)) <= half_a_unit(printed)


def test_half_a_unit_is_that_of_the_last_digit() -> None:
    assert agrees(40.3551e9, "40.36B") and not agrees(40.3549e9, "40.36B")
    assert agrees(40.3649e9, "40.36B") and not agrees(40.3651e9, "40.36B")
    assert agrees(1.1749e23, "1.17e23") and not agrees(1.1751e23, "1.17e23")
    assert agrees(2.92704, "2.9270") and not agrees(2.92716, "2.92710")


@pytest.mark.parametrize(
    ("law", "budget", "cell"),
    [(law, row[0], cell) for row in table(OPTIMA) for law, cell in zip(OPTIMA_LAWS, row[1:], strict=True)],
)
def test_the_reference_table_of_optima(law: str, budget: str, cell: str) -> None:
    # Unlimited unique tokens: no repetition.
    given = {"U": 1e18} if law == "muennighoff-2023" else None
    row = sf.sweep(law, budget=float(budget), given=given).summary.row(0, named=True)
    for name, printed in zip("NDL", cell.split(" / "), strict=True):
        assert agrees(row[name], printed), (name, row[name], printed)


@pytest.mark.parametrize(("law", "known", "expected"), table(QUESTIONS))
def test_planning_questions(law: str, known: str, expected: str) -> None:
    asked: dict[str, Any] = {name: read_number(value) for name, value in (pair.split("=") for pair in known.split())}
    settings: dict[str, Any] = {"optimise": ("M", "D")} if law == "deepseek-llm-2024" else {}
    row = sf.solve(law, **asked, **settings).row(0, named=True)
    assert all(row[name] == value for name, value in asked.items())
    for name, printed in (pair.split("=") for pair in expected.split()):
        assert agrees(row[name], printed), (name, row[name], printed)


@pytest.mark.parametrize(("law", "cell"), table(GROWTH))
def test_ten_times_the_compute(law: str, cell: str) -> None:
    low, high = sf.sweep(law, budget=[1e22, 1e23]).summary.iter_rows(named=True)
    for name, printed in zip("ND", cell.split(" / "), strict=True):
        assert abs(high[name] / low[name] - float(printed)) <= 2 * half_a_unit(printed)
    # Power laws: the exponents are those of the law.
    values = sf.law(law).values
    assert values is not None
    if "beta" in values:
        exponent = values["beta"] / (values["alpha"] + values["beta"])
        assert high["N"] / low["N"] == pytest.approx(10**exponent, rel=1e-12)


def test_a_tenth_less_loss() -> None:
    # From 10B on 200B tokens; larger alone cannot do it, with both the least compute is known.
    law = "hoffmann-2022"
    start = sf.solve(law, N=10e9, D=200e9).row(0, named=True)
    aim = 0.9 * start["L"]
    cheapest = sf.solve(law, L=aim).row(0, named=True)
    assert cheapest["N"] > 10e9 and cheapest["D"] > 200e9
    for fixed, value, other in (("N", 10e9, "D"), ("D", 200e9, "N")):
        held: dict[str, Any] = {fixed: value}
        floor = sf.law(law).predict({**held, other: 1e60})["L"][0]
        if aim > floor:
            row = sf.solve(law, L=aim, **held).row(0, named=True)
            assert row[other] > start[other] and row["C"] > cheapest["C"]
        else:
            with pytest.raises(sf.LawError) as caught:
                sf.solve(law, L=aim, **held)
            assert caught.value.code == "infeasible-loss" and caught.value.limit == pytest.approx(floor, rel=1e-12)


def test_a_size_saturates() -> None:
    # A fixed 7B: each step towards its floor takes a growing multiple of the data.
    law = sf.law("epoch-2024")
    floor = law.predict({"N": 7e9, "D": 1e60})["L"][0]
    needed = [sf.solve(law, N=7e9, L=floor + gap)["D"][0] for gap in (0.08, 0.04, 0.02)]
    values = law.values
    assert values is not None
    for more, less in zip(needed[1:], needed[:-1], strict=True):
        assert more / less == pytest.approx(2 ** (1 / values["beta"]), rel=1e-9)


def test_a_large_run_from_small_ones() -> None:
    # Seven models of at most 3B, along 20 tokens per parameter, foretell 91B parameters within the interval asked for.
    law = sf.law("epoch-2024")
    sizes = [50e6 * 60 ** (i / 6) for i in range(7)]
    runs = law.predict({"N": sizes, "D": [20 * n for n in sizes]}).with_columns(x=6 * pl.col("N") * pl.col("D"))
    noise = sf.simulate(law, runs.select("N", "D"), noise=sf.LogNormal(0.003), seed=0)["L"]
    fit = sf.fit(runs.with_columns(L=noise), "baichuan2-2023")
    found = fit.predict({"x": [1e24]}, interval="prediction").row(0, named=True)
    truth = sf.sweep(law, 1e24, given={"D": "20*N"}).summary["L"][0]
    assert found["L_lower"] < truth < found["L_upper"] < found["L_lower"] + 0.1
    # A law of size and data, fitted to the same runs, says how far beyond them the budget lies.
    both = sf.fit(runs, "chinchilla", fixed={"alpha": 0.3478})
    [decades] = sf.sweep(both, 1e24).summary["extrapolation_decades"]
    assert decades == pytest.approx(math.log10(1e24 / max(runs["x"].to_list())), abs=1e-9)


def test_data_constrained_losses_and_allocation() -> None:
    law = sf.law("muennighoff-2023")
    for n, d, loss in ((6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)):
        assert law.predict({"N": n, "D": d, "U": 25e9})["L"][0] == pytest.approx(loss, rel=1e-9)
    # 1e22 FLOPs with 25B unique tokens: 7.02e9 parameters, 237.3e9 tokens, 9.49 epochs.
    row = sf.solve(law, C=1e22, given={"U": 25e9}).row(0, named=True)
    assert (row["N"], row["D"]) == (pytest.approx(7.02e9, rel=2e-3), pytest.approx(237.3e9, rel=2e-3))
    assert agrees(row["epochs"], "9.49")


@pytest.mark.parametrize(("experts", "n", "d"), [(1, "5.7B", "29.3B"), (8, "3.8B", "44.3B"), (32, "2.85B", "58.4B")])
def test_the_best_split_among_experts(experts: int, n: str, d: str) -> None:
    # Ludziejewski et al. 2025, table 1 at 1e21 FLOPs, from constants that the paper rounds to four digits.
    row = sf.sweep("joint-moe-2025", 1e21, given={"experts": experts}).summary.row(0, named=True)
    assert row["N"] == pytest.approx(read_number(n), rel=1.1e-2)
    assert row["D"] == pytest.approx(read_number(d), rel=1e-2)
    if experts in (1, 8):
        assert agrees(row["N"], n)
    # The law takes active parameters; what must be kept in memory follows from the shape.
    size = sf.law("joint-moe-2025-size").predict({"N": row["N"], "experts": experts})["N_total"][0]
    assert size == pytest.approx(row["N"], rel=1e-12) if experts == 1 else size > 5 * row["N"]


def test_total_parameters_in_the_law_and_active_ones_in_the_cost() -> None:
    # One expert of eight active, the rest shared: the law sees all parameters, the budget pays for the active ones.
    law = sf.law("abnar-2025")
    given: dict[str, float | str] = {"sparsity": 0.875, "N_total": "8*N"}
    row = sf.sweep(law, 1e22, cost="6*N*D", given=given).summary.row(0, named=True)
    assert 6 * row["N"] * row["D"] == pytest.approx(1e22, rel=1e-12)
    for factor in (0.9, 1.1):
        n, d = row["N"] * factor, row["D"] / factor
        other = law.predict({"N_total": 8 * n, "D": d, "sparsity": 0.875})["L"][0]
        assert other > row["L"]


#: Gadre et al. 2024 by their own fits: residual sum of the loss, then how far, in per cent, loss and error of larger or
#: longer runs are predicted. The first two rows of predictions are printed in the paper.
OVER_TRAINING = {"rpj": "redpajama", "c4_original": "c4", "rw_original": "refinedweb"}
RESIDUAL_SUMS = {"rpj": 4.256476704e-4, "c4_original": 4.141189390e-4, "rw_original": 8.244413176e-5}
PREDICTIONS = [
    ("rpj", "open_lm_1b", 640, 0.7103, 3.6365),
    ("rpj", "open_lm_7b", 20, 0.7320, 0.0464),
    ("c4_original", "open_lm_1b", 80, 1.4979, 9.5818),
    ("c4_original", "open_lm_7b", 20, 4.2952, 0.1370),
    ("rw_original", "open_lm_1b", 320, 0.0052, 5.6167),
    ("rw_original", "open_lm_7b", 20, 1.6193, 2.9388),
]


def over_trained(dataset: str) -> pl.DataFrame:
    runs = pl.read_csv(folder() / "mlfoundations_overtrain.csv", schema_overrides={"flops": pl.Float64})
    return runs.filter(pl.col("dataset_name") == dataset)


@pytest.mark.parametrize("dataset", OVER_TRAINING)
def test_the_over_training_laws_are_refitted_from_their_runs(dataset: str) -> None:
    runs = over_trained(dataset)
    small = pl.col("model_name").is_in(["d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8"])
    ratio = pl.col("tokens_per_param").round(3)
    longer = (pl.col("model_name") == "d=96_l=8_h=4") & (ratio == 320)
    rows = runs.filter((small & (ratio == 20)) | longer)
    fit = sf.fit(rows, "over-training", columns={"N": "n_params", "D": "n_tokens"}, y="loss_c4_val")
    assert rows.height == 5 and fit.objective == pytest.approx(RESIDUAL_SUMS[dataset] / 2, rel=1e-8)
    shipped = sf.law(f"gadre-2024-{OVER_TRAINING[dataset]}").values
    assert shipped is not None
    for name, value in shipped.items():
        assert fit.law.parameters[name] == pytest.approx(value, rel=2e-6)
    more = runs.filter((small & (ratio == 20)) | longer | ((pl.col("model_name") == "open_lm_1b") & (ratio == 20)))
    errors = sf.fit(more, "error-of-loss", columns={"L": "loss_c4_val"}, y="err_avg_subset")
    shipped = sf.law(f"gadre-2024-{OVER_TRAINING[dataset]}-error").values
    assert more.height == 6 and shipped is not None
    for name, value in shipped.items():
        assert errors.law.parameters[name] == pytest.approx(value, rel=5e-6)


@pytest.mark.parametrize(("dataset", "model", "ratio", "loss_off", "error_off"), PREDICTIONS)
def test_larger_and_longer_runs_are_predicted(
    dataset: str, model: str, ratio: int, loss_off: float, error_off: float
) -> None:
    runs = over_trained(dataset)
    run = runs.filter((pl.col("model_name") == model) & (pl.col("tokens_per_param").round(3) == ratio)).row(
        0, named=True
    )
    name = f"gadre-2024-{OVER_TRAINING[dataset]}"
    loss = sf.law(name).predict({"N": run["n_params"], "D": run["n_tokens"]})["L"][0]
    error = sf.law(f"{name}-error").predict({"L": loss})["error"][0]
    # The constants that ship have six to seven digits.
    assert 100 * abs(loss / run["loss_c4_val"] - 1) == pytest.approx(loss_off, abs=2e-4)
    assert 100 * abs(error / run["err_avg_subset"] - 1) == pytest.approx(error_off, abs=1e-3)
