//! Trains a small convolutional network on 8×8 handwritten digits, on the best adapter of this
//! machine, and shows what it learned.
//!
//! Run it with `cargo xtask demo`, which also sees to a driver, or with
//! `cargo run --release --example digits`.

use std::path::Path;
use std::process::ExitCode;

use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::train::{Model, Run, Sgd, Trainer, schedule};
use wgrad::{Device, Result};

/// Where the curves go.
const CURVES: &str = "out/digits.svg";

const EPOCHS: u32 = 20;
const BATCH: usize = 32;

fn main() -> ExitCode {
    match train() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Two convolutions and two linear layers: a line each.
#[rustfmt::skip]
fn network() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(24, 3).padding(1).prelu().max_pool(2)
       .conv(48, 3).padding(1).prelu().max_pool(2).dropout(0.5)
       .linear(64).prelu().dropout(0.5)
       .linear(10);
    net
}

fn train() -> Result<()> {
    let device = Device::open()?;
    println!(
        "To expect: after {EPOCHS} epochs the network recognises some 99 % of digits that it has not\n\
         seen before.\n"
    );
    println!("device: {}", device.description());
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    println!(
        "{} digits to learn from, {} held out",
        train.len(),
        test.len()
    );

    let net = network();
    println!("\n{}\n", net.summary()?);

    let mut model = net.build(&device, Seed(42))?;
    let steps = u64::from(EPOCHS) * (train.len() / BATCH) as u64;
    let run = Trainer::new(Sgd::new(0.05).momentum(0.9).weight_decay(5e-4))
        .epochs(EPOCHS)
        .batch_size(BATCH)
        .seed(42)
        // Half a cosine down to nothing: large steps first, then settling.
        .schedule(schedule::cosine(steps, 0.0))
        .fit(&mut model, &train, &test)?;

    println!("{run}\n");
    show_slopes(&model)?;
    show_result(&run)
}

/// The mean of the learned PReLU slopes by layer; all of them began at 0.25.
fn show_slopes(model: &Model) -> Result<()> {
    println!("learned PReLU slopes (from 0.25):");
    for parameter in model.parameters() {
        if let Some(layer) = parameter
            .name
            .strip_suffix(".weight")
            .filter(|l| l.starts_with("prelu"))
        {
            let slopes = model.parameter(&parameter.name)?;
            let mean = slopes.iter().sum::<f32>() / slopes.len() as f32;
            let low = slopes.iter().copied().fold(f32::INFINITY, f32::min);
            let high = slopes.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            println!("  {layer}: mean {mean:.3}, from {low:.3} to {high:.3}");
        }
    }
    Ok(())
}

fn show_result(run: &Run) -> Result<()> {
    let Some(evaluation) = &run.evaluation else {
        return Ok(());
    };
    if let Some(confusion) = &evaluation.confusion {
        println!("\nconfusion on the held-out digits:\n{confusion}");
    }
    let path = Path::new(CURVES);
    wgrad::report::plot::curves(&run.history, path)?;
    println!("time per step: {:.2} ms", run.step_seconds * 1e3);
    println!("loss and accuracy curves: {CURVES}");
    let accuracy = evaluation.accuracy.unwrap_or(0.0);
    println!(
        "{}: test accuracy {:.2} %",
        match accuracy > 0.98 {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * accuracy
    );
    Ok(())
}
