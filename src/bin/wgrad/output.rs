//! What is printed: results on standard output, everything else on standard error.

use std::io::{self, Write};

use crate::failure::Failure;

/// Where words go. None of its calls panics when the other end is closed, as `println!` does.
pub struct Output {
    /// Whether only results and errors are printed.
    pub quiet: bool,
}

impl Output {
    /// A line of the result.
    pub fn result(&self, line: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    }

    /// A line about what goes on.
    pub fn progress(&self, line: &str) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// A line about what was put up with.
    pub fn warning(&self, message: &str) {
        let _ = writeln!(io::stderr(), "warning: {message}");
    }

    /// The one line of an error.
    pub fn error(&self, message: &str) {
        let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let _ = writeln!(io::stderr(), "error: {message}");
    }
}
