//! The Markdown that comes out.

use std::fmt::Write;

use crate::engine::Ready;
use crate::machine;
use crate::measure::{Row, Spread};
use crate::options::Options;

/// Head, table and legend.
pub fn markdown(
    options: &Options,
    adapter: &str,
    engines: &[Ready],
    notes: &[String],
    rows: &[Row],
) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = write_all(&mut text, options, adapter, engines, notes, rows);
    text
}

fn write_all(
    out: &mut String,
    options: &Options,
    adapter: &str,
    engines: &[Ready],
    notes: &[String],
    rows: &[Row],
) -> std::fmt::Result {
    writeln!(out, "* date: {}", machine::date())?;
    writeln!(out, "* command: `{}`", options.called.trim())?;
    if let Some(commit) = machine::commit() {
        writeln!(out, "* commit: {commit}")?;
    }
    writeln!(out, "* adapter: {adapter}")?;
    writeln!(out, "* CPU: {}", machine::cpu())?;
    for engine in engines {
        write!(out, "* {}", engine.about)?;
        if let Some(crates) = engine.crates {
            write!(out, "; {crates} packages")?;
        }
        if let Some(size) = engine.size {
            write!(out, ", program of {:.0} MB", size as f64 * 1e-6)?;
        }
        writeln!(out)?;
    }
    let caches = match options.caches {
        Some(_) => "kept from earlier runs, if there were any",
        None => "empty at the start",
    };
    writeln!(out, "* caches of kernels and tuning: {caches}")?;
    for note in options.notes.iter().chain(notes) {
        writeln!(out, "* {note}")?;
    }
    table(out, options.rounds, engines, rows)?;
    legend(out, rows)
}

fn table(out: &mut String, rounds: usize, engines: &[Ready], rows: &[Row]) -> std::fmt::Result {
    let first = engines.first().map_or("", |e| e.engine.name());
    writeln!(
        out,
        "\nMedians (rounds: {rounds}), in brackets the least and the most.\n"
    )?;
    writeln!(
        out,
        "| model | batch | engine | ms/step | img/s | GFLOP/s | time ÷ {first}'s | first step, s | peak host memory, MiB |"
    )?;
    writeln!(out, "|---|---:|---|---:|---:|---:|---:|---:|---:|")?;
    for row in rows {
        write!(
            out,
            "| {} | {} | {} | ",
            row.workload.name, row.batch, row.engine
        )?;
        match &row.outcome {
            Err(reason) => writeln!(out, "failed: {reason} | | | | | |")?,
            Ok(timed) => {
                let rate = row.batch as f64 / timed.step.median;
                writeln!(
                    out,
                    "{} | {} | {:.1} | {} | {:.1} | {} |",
                    spread(timed.step, 1e3),
                    significant(rate),
                    rate * row.workload.mflop * 1e-3,
                    timed
                        .ratio
                        .map_or(String::new(), |ratio| spread(ratio, 1.0)),
                    timed.first_step.as_secs_f64(),
                    timed
                        .peak_memory
                        .map_or(String::new(), |bytes| (bytes >> 20).to_string()),
                )?;
            }
        }
    }
    Ok(())
}

fn legend(out: &mut String, rows: &[Row]) -> std::fmt::Result {
    writeln!(out)?;
    let mut named = "";
    for row in rows {
        if named != row.workload.name {
            named = row.workload.name;
            writeln!(out, "* {named}: {}", row.workload.what)?;
        }
    }
    Ok(())
}

fn spread(spread: Spread, scale: f64) -> String {
    let [median, least, most] =
        [spread.median, spread.least, spread.most].map(|x| significant(x * scale));
    match spread.least == spread.most {
        true => median,
        false => format!("{median} ({least} to {most})"),
    }
}

/// Three significant digits, whole numbers in full.
fn significant(x: f64) -> String {
    let digits = match x {
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        _ => 3,
    };
    format!("{x:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [1234.5, 98.76, 1.234, 0.1234].map(significant);
        assert_eq!(shown, ["1234", "98.8", "1.23", "0.123"]);
    }
}
