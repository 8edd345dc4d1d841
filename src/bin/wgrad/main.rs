//! The command-line program: trains networks of this crate into folders, and uses what lies there.

mod args;
mod data;
mod devices;
mod failure;
mod find_rate;
mod folder;
mod network;
mod output;
mod schedule;
mod settings;
mod train;
mod uses;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output { quiet: args.quiet };
    let done = match &args.command {
        Command::Devices { json } => devices::list(*json, &output),
        Command::Train(train) => train::train(train, &output),
        Command::FindRate(args) => find_rate::find_rate(args, &output),
        Command::Eval { folder } => uses::eval(folder, &output),
        Command::Predict(predict) => uses::predict(predict, &output),
        Command::Export { folder, file } => uses::export(folder, file, &output),
        Command::Report { folder } => uses::report(folder, &output),
    };
    match done {
        // A reader that has seen enough, such as `head`, is no failure.
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Told(message)) => {
            output.error(&message);
            ExitCode::FAILURE
        }
    }
}
