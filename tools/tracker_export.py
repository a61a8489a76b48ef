"""Writes docs/tracker_export.csv, a stand-in for what an experiment tracker exports.

In: nothing but a seed. Out: 40 columns, one row a checkpoint: sizes in millions and tokens in billions, losses of
intermediate checkpoints above the law, a crashed run, rows without an evaluation.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

import scalefast as sf

PATH = Path(__file__).parents[1] / "docs" / "tracker_export.csv"
CHECKPOINTS = 4
#: Excess of an intermediate checkpoint over the loss of a run that ends there: its learning rate has not decayed yet.
EXCESS = 1.015


def frame() -> pl.DataFrame:
    """The table, the same on every machine."""
    design = sf.IsoFLOP("1e18..1e21:5", sizes=7, decades=1.2)
    final = sf.simulate("hoffmann-2022", design, sf.LogNormal(0.003), seed=11)
    parts = []
    for k in range(1, CHECKPOINTS + 1):
        reached = final.select("N", pl.col("D") * (k / CHECKPOINTS))
        loss = sf.law("hoffmann-2022").predict(reached)["L"] * EXCESS
        parts.append(
            reached.with_columns(
                pl.lit(k).alias("checkpoint"),
                final["L"].alias("loss") if k == CHECKPOINTS else loss.alias("loss"),
                pl.int_range(pl.len()).alias("index"),
            )
        )
    rows = pl.concat(parts).sort("index", "checkpoint")
    index, done = pl.col("index"), pl.col("checkpoint") == CHECKPOINTS
    crashed = index == 17
    texts = {
        "Name": pl.format("sweep-{}", index),
        "State": pl.when(crashed).then(pl.lit("crashed")).otherwise(pl.lit("finished")),
        "Notes": pl.lit(None, dtype=pl.String),
        "User": pl.lit("kim"),
        "Tags": pl.lit("scaling, v2"),
        "Created": pl.format("2026-03-{}T09:00:00", 1 + index % 28),
        "Runtime": (pl.col("N") * pl.col("D") / 1e15).round(),
        "ID": pl.format("r{}x", 1000 + 37 * index),
        "Sweep": pl.lit("isoflop"),
        "_step": (pl.col("D") / 524288).round().cast(pl.Int64),
    }
    config = {
        "config.n_params": (pl.col("N") / 1e6).round(3),
        "config.n_layers": 8 + 2 * (index % 7),
        "config.d_model": 512 + 128 * (index % 7),
        "config.n_heads": 8 + (index % 7),
        "config.vocab_size": pl.lit(50304),
        "config.seq_len": pl.lit(2048),
        "config.batch_tokens": pl.lit(524288),
        "config.lr": pl.lit(3e-4),
        "config.warmup_frac": pl.lit(0.01),
        "config.weight_decay": pl.lit(0.1),
        "config.beta1": pl.lit(0.9),
        "config.beta2": pl.lit(0.95),
        "config.grad_clip": pl.lit(1.0),
        "config.optimizer": pl.lit("adamw"),
        "config.precision": pl.lit("bf16"),
        "config.data": pl.lit("web-v3"),
        "config.seed": index % 3,
        "config.compile": pl.lit(True),
    }
    metrics = {
        "train/loss": (pl.col("loss") * 0.99).round(5),
        "train/grad_norm": (0.4 + 0.01 * (index % 5)).round(3),
        "train/tokens_b": (pl.col("D") / 1e9).round(6),
        "eval/loss": pl.when(crashed & done).then(None).otherwise(pl.col("loss")).round(6),
        "eval/ppl": pl.when(crashed & done).then(None).otherwise(pl.col("loss").exp()).round(3),
        "eval/accuracy": (1 / pl.col("loss")).round(4),
        "eval/n_batches": pl.lit(64),
        "perf/mfu": (0.38 + 0.001 * (index % 9)).round(3),
        "perf/tokens_per_s": (4e14 / pl.col("N")).round(),
        "perf/hours": (pl.col("N") * pl.col("D") / 1e18).round(3),
        "system.gpu": pl.lit("A100"),
        "system.gpu_count": pl.lit(64),
    }
    return rows.select(**texts, **config, **metrics)


if __name__ == "__main__":
    frame().write_csv(PATH)
