"""The table of accelerators: what it knows, how names are read, tables of the user's."""

import pytest

import scalefast as sf
from scalefast._costs.hardware import find_accelerator


def test_dense_peaks_of_the_datasheets():
    peaks = dict(sf.accelerators().select("id", "peak_flops").iter_rows())
    assert peaks["A100-SXM"] == 312e12
    assert peaks["H100-SXM"] == 989.4e12
    assert peaks["H100-PCIe"] == 756e12
    assert peaks["TPU-v4"] == 275e12


def test_names_are_unique_and_prices_are_dated():
    frame = sf.accelerators()
    names = [name.lower() for row in frame.iter_rows(named=True) for name in (row["id"], *row["aliases"].split())]
    assert len(names) == len(set(names))
    assert frame.filter(frame["price_low"].is_not_null())["price_date"].null_count() == 0
    assert (frame["price_low"].drop_nulls() <= frame["price_high"].drop_nulls()).all()


def test_names_are_found_whatever_their_case():
    assert find_accelerator("h100-sxm5").id == "H100-SXM"
    assert find_accelerator("tpuV4").id == "TPU-v4"


def test_an_ambiguous_name_lists_the_choices():
    with pytest.raises(sf.SettingsError) as caught:
        find_accelerator("H100")
    assert caught.value.code == "ambiguous-accelerator"
    assert "H100-SXM" in caught.value.hint and "H100-PCIe" in caught.value.hint


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(sf.SettingsError) as caught:
        find_accelerator("A10O")
    assert caught.value.code == "unknown-accelerator"
    assert "A100" in caught.value.hint


OWN = """
schema = 1
date = "2027-01-01"
[[accelerator]]
id = "A100-SXM"
peak = 312e12
price = [1.1, 1.2]
[[accelerator]]
id = "Mine-1"
peak = 1e15
power_w = 500
"""


def test_a_table_of_ones_own_replaces_and_adds(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN)
    assert find_accelerator("A100-SXM", path).price == (1.1, 1.2)
    assert find_accelerator("H100-SXM", path).peak == 989.4e12
    plan = sf.plan("hoffmann-2022", accelerators="10xMine-1", days=10, mfu=0.5, accelerators_file=path)
    assert plan.decision["C"].item() == pytest.approx(10 * 10 * 86400 * 0.5e15, rel=1e-12)
    assert plan.decision["dollars"].item() is None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ("peak = 1e15", "peak = -1e15", "accelerator[1].peak"),
        ("peak = 1e15", "", "accelerator[1].peak"),
        ("power_w = 500", "powr_w = 500", "accelerator[1].powr_w"),
        ("price = [1.1, 1.2]", "price = [1.3, 1.2]", "accelerator[0].price"),
        ("price = [1.1, 1.2]", "price = 1.1", "accelerator[0].price"),
        ("schema = 1", "schema = = 1", None),
    ],
)
def test_a_broken_table_names_the_field(tmp_path, old, new, field):
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(sf.SettingsError) as caught:
        sf.accelerators(path)
    assert caught.value.code == "bad-accelerators-file"
    assert caught.value.column == field


def test_a_missing_table_is_named():
    with pytest.raises(sf.SettingsError) as caught:
        sf.accelerators("no/such/table.toml")
    assert caught.value.code == "bad-accelerators-file"
