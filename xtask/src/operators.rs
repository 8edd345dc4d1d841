//! `cargo xtask operators`: runs the parity suite on both CPU drivers with its errors kept, and has
//! the registry's test write the table in the documents.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::session::{Failure, Session};
use crate::suite::{self, GPU_SUITE};
use crate::swiftshader;

/// What keeps the errors of a run (`tests/support/errors.rs`).
const ERRORS: &str = "WGRAD_PARITY_ERRORS";
/// What writes the table (`tests/registry/table.rs`).
const FROM: &str = "WGRAD_OPERATORS_FROM";

/// Measures on lavapipe and SwiftShader, and writes the table.
pub fn run(session: &mut Session) -> Result<(), Failure> {
    let device = session.device()?;
    if !device.contains("llvmpipe") {
        return Err(Failure::new(format!(
            "the table is of lavapipe, and the device here is {device}; \
             VK_DRIVER_FILES=<lavapipe's ICD file> chooses it"
        )));
    }
    let Some(icd) = swiftshader::locate()? else {
        return Err(Failure::new(swiftshader::HOW_TO_HAVE_IT));
    };
    let folder = session.root().join("out/operators");
    measure(session, &folder.join("lavapipe"), &[])?;
    let second = suite::second_device(session, &icd)?;
    measure(session, &folder.join("SwiftShader"), &second)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let days = now.map_or(0, |now| now.as_secs() / 86_400);
    written(fs::write(folder.join("date.txt"), date(days)), &folder)?;
    let table = ["test", "--release", "--test", "registry", "table"];
    session.cargo(&table.map(str::to_owned), &[(FROM, folder.into())])
}

fn measure(
    session: &Session,
    folder: &Path,
    device: &[(&'static str, OsString)],
) -> Result<(), Failure> {
    // What an earlier run kept is not part of this one.
    if folder.exists() {
        written(fs::remove_dir_all(folder), folder)?;
    }
    written(fs::create_dir_all(folder), folder)?;
    let suite = ["test", "--release", "--test", GPU_SUITE, "ops::"];
    let keep = [(ERRORS, folder.into())];
    let environment: Vec<_> = device.iter().cloned().chain(keep).collect();
    session.cargo(&suite.map(str::to_owned), &environment)
}

fn written(result: std::io::Result<()>, folder: &Path) -> Result<(), Failure> {
    result.map_err(|error| Failure::new(format!("{}: {error}", folder.display())))
}

/// The day so many days after 1970-01-01.
fn date(mut days: u64) -> String {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    let mut length = 365;
    while days >= length {
        days -= length;
        year += 1;
        length = if is_leap(year) { 366 } else { 365 };
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_dates() {
        let cases = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_723, "2024-01-01"),
            (20_088, "2024-12-31"),
            (20_089, "2025-01-01"),
        ];
        for (days, expected) in cases {
            assert_eq!(date(days), expected);
        }
    }
}
