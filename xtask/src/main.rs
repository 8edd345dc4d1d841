//! The project's chores as one command, `cargo xtask <task>`, the same on every platform.
//!
//! What it adds to plain cargo is the Vulkan device: a machine without a GPU gets Mesa's CPU
//! driver, so that `git clone` and `cargo xtask demo` are the whole way in.
//!
//! Decisions (which package manager, which stages, which arguments) are plain data made by pure
//! functions with tests; every process is started through [`session`].

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test may panic; that is how it fails")
)]

mod ci;
mod cli;
mod device;
mod install;
mod operators;
mod probe;
mod report;
mod session;
mod suite;
mod swiftshader;

use std::process::ExitCode;

use cli::Task;
use session::{Failure, Session};

fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args().skip(1)) {
        Ok(invocation) => invocation,
        Err(complaint) => {
            eprintln!("xtask: {complaint}\n\n{}", cli::HELP);
            return ExitCode::from(2);
        }
    };
    match dispatch(invocation.task, &invocation.args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(task: Task, args: &[String]) -> Result<(), Failure> {
    match task {
        Task::Help => {
            println!("{}", cli::HELP);
            Ok(())
        }
        Task::Probe => probe::print(),
        Task::SwiftShader => swiftshader::print(),
        Task::Demo => suite::demo(&mut Session::new()?, args),
        Task::Test => suite::test(&mut Session::new()?, args),
        Task::Bench => suite::bench(&mut Session::new()?, args),
        Task::Peers => suite::peers(&mut Session::new()?, args),
        Task::GpuReport => report::run(&mut Session::new()?, args),
        Task::Operators => operators::run(&mut Session::new()?),
        Task::Ci => ci::run(&mut Session::new()?),
    }
}
