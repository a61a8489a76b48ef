"""`scalefast simulate`: the designs and kinds of noise of the library, by their options."""

import io

import polars as pl
import pytest

import scalefast as sf
from cli_runs import invoke

LAW = "hoffmann-2022"


def frame(*arguments):
    result = invoke("simulate", LAW, *arguments)
    assert result.exit_code == 0, result.stderr
    return pl.read_csv(io.StringIO(result.stdout))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--isoflop", "1e19..1e21:3", "--sizes", "5", "--decades", "2", "--offset", "0.5"),
            lambda: sf.simulate(LAW, sf.IsoFLOP("1e19..1e21:3", 5, 2.0, 0.5)),
        ),
        (
            ("--ratio", "20", "--at", "N=1e8..1e10:4", "--noise", "additive:0.02", "--seed", "3"),
            lambda: sf.simulate(LAW, sf.FixedRatio(20, "1e8..1e10:4"), sf.Additive(0.02), 3),
        ),
        (
            ("--sobol", "16", "--range", "N=1e7..1e9", "--noise", "student-t:0.01,4"),
            lambda: sf.simulate(LAW, sf.Sobol(16, {"N": (1e7, 1e9)}), sf.StudentT(0.01, 4)),
        ),
        (
            ("--at", "N=1e8..1e9:2", "--at", "D=1e10..1e11:2", "--noise", "run-level:0.01,0.002,3"),
            lambda: sf.simulate(
                LAW, {"N": [1e8, 1e8, 1e9, 1e9], "D": [1e10, 1e11, 1e10, 1e11]}, sf.RunLevel(0.01, 0.002, 3)
            ),
        ),
    ],
)
def test_options_are_the_library_s_arguments(arguments, expected):
    assert frame(*arguments).select("N", "D", "L").equals(expected().select("N", "D", "L"))


@pytest.mark.parametrize(("residual", "noise"), [("log", "residuals"), ("identity", "identity-residuals")])
def test_noise_is_drawn_from_the_residuals_that_a_fit_wrote(tmp_path, monkeypatch, residual, noise):
    monkeypatch.chdir(tmp_path)
    runs = sf.simulate(LAW, sf.Sobol(30), sf.LogNormal(0.01))
    runs.write_csv("runs.csv")
    settings = ("--law", "chinchilla", "--residual", residual, "--loss", "squared")
    result = invoke("fit", "runs.csv", *settings, "--residuals", "rows.parquet")
    assert result.exit_code == 0, result.stderr
    fit = sf.fit(runs, "chinchilla", residual=residual, loss=sf.Squared())
    assert pl.read_parquet("rows.parquet").equals(fit.residuals)
    found = frame("--sobol", "9", "--noise", f"{noise}:rows.parquet", "--seed", "5")
    assert found.equals(sf.simulate(LAW, sf.Sobol(9), sf.Residuals(fit), 5))
    assert invoke("simulate", LAW, "--sobol", "9", "--noise", "residuals:runs.csv").exit_code == 2
    assert invoke("fit", "runs.csv", *settings, "--residuals", "rows.parquet").exit_code == 2


def test_points_come_from_a_file(tmp_path):
    path = tmp_path / "points.csv"
    pl.DataFrame({"params_m": [70.0, 700.0], "tokens": [1e10, 1e11]}).write_csv(path)
    found = frame("--points", str(path), "--col", "N=params_m*1e6", "--noise", "none")
    assert found["params_m"].to_list() == [70.0, 700.0]
    assert found["L"].to_list() == sf.law(LAW).predict({"N": [7e7, 7e8], "D": [1e10, 1e11]})["L"].to_list()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "bad-design"),
        (("--sobol", "4", "--isoflop", "1e20"), "bad-design"),
        (("--ratio", "20"), "bad-design"),
        (("--sobol", "4", "--noise", "pink:1"), "bad-noise"),
        (("--sobol", "4", "--noise", "log-normal"), "bad-noise"),
        (("--sobol", "4", "--noise", "log-normal:-1"), "bad-noise"),
        (("--sobol", "4", "--noise", "run-level:0.1,0.1,1.5"), "bad-noise"),
    ],
)
def test_wrong_designs_and_noise_are_refused(arguments, code):
    result = invoke("simulate", LAW, *arguments, "--format", "json")
    assert result.exit_code == 2
    assert f'"code": "{code}"' in result.stderr
