//! An auto-encoder: a network that is taught to answer a digit with the digit itself, through a
//! code of a few numbers. What it answers is shown before and after training.
//!
//! ```sh
//! cargo run --release --example autoencoder
//! ```

use std::process::ExitCode;

use wgrad::data::Dataset;
use wgrad::ops::MeanSquaredError;
use wgrad::random::Seed;
use wgrad::train::{Adam, Model, Trainer, schedule};
use wgrad::{Device, Result, models};

/// Numbers of the code; a digit has 64 pixels.
const CODE: usize = 8;

/// What the eight principal components leave of the variance of digits that they were not made
/// from: no linear code of eight numbers does better.
const LINEAR: f64 = 0.33;

const EPOCHS: u32 = 40;
const BATCH: usize = 32;
/// Test digits that are shown.
const SHOWN: usize = 7;

fn main() -> ExitCode {
    match train() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn train() -> Result<()> {
    println!(
        "To expect: {CODE} numbers in place of 64 pixels are enough for digits that can be read.\n\
         The mean squared error on test digits falls below 30 % of the pixels' variance; the best\n\
         linear code of {CODE} numbers leaves {:.0} %.\n",
        100.0 * LINEAR
    );
    let device = Device::open()?;
    println!("device: {}", device.description());
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let (train, test) = (reflected(&train)?, reflected(&test)?);

    let net = models::autoencoder([1, 8, 8], CODE);
    let mut model = net.build(&device, Seed(1))?;
    let before = answers(&model, &test)?;
    let steps = u64::from(EPOCHS) * (train.len() / BATCH) as u64;
    let run = Trainer::new(Adam::new(3e-3))
        .loss(MeanSquaredError::new())
        .epochs(EPOCHS)
        .batch_size(BATCH)
        .schedule(schedule::cosine(steps, 0.0))
        .fit(&mut model, &train, &test)?;
    println!("{run}\n");

    let digits = pixels(&test, SHOWN)?;
    for (title, images) in [
        ("test digits", &digits),
        ("what the network makes of them before training", &before),
        ("and after it", &answers(&model, &test)?),
    ] {
        println!("{title}:\n{}", drawn(images));
    }
    let error = model.evaluate(&test)?.loss;
    let share = error / variance(&test, &train)?;
    println!(
        "{}: a mean squared error of {error:.4}, {:.1} % of the variance",
        match share < 0.3 {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * share
    );
    Ok(())
}

/// The digits as what goes in and as what is to come out.
fn reflected(digits: &Dataset) -> Result<Dataset> {
    let pixels = pixels(digits, digits.len())?;
    let shape = digits.shape();
    Ok(Dataset::regression(shape, pixels.clone(), shape, pixels)?)
}

/// The first digits, one after the other.
fn pixels(digits: &Dataset, count: usize) -> Result<Vec<f32>> {
    let first: Vec<u32> = (0..count as u32).collect();
    Ok(digits.batch(&first)?)
}

/// What the network makes of the first test digits.
fn answers(model: &Model, test: &Dataset) -> Result<Vec<f32>> {
    let answers = model.predict_batch(&pixels(test, SHOWN)?)?;
    Ok(answers.iter().flat_map(|a| a.values().to_vec()).collect())
}

/// The mean squared distance of the test images from the mean training image.
fn variance(test: &Dataset, train: &Dataset) -> Result<f64> {
    let mut mean = [0.0; 64];
    for image in pixels(train, train.len())?.chunks_exact(64) {
        for (mean, pixel) in mean.iter_mut().zip(image) {
            *mean += f64::from(*pixel) / train.len() as f64;
        }
    }
    let square = |(mean, pixel): (&f64, &f32)| (mean - f64::from(*pixel)).powi(2);
    let tested = pixels(test, test.len())?;
    let squares = tested.iter().enumerate();
    let sum: f64 = squares
        .map(|(at, pixel)| square((&mean[at % 64], pixel)))
        .sum();
    Ok(sum / tested.len() as f64)
}

/// Images of 8×8 pixels beside each other, two characters a pixel.
fn drawn(images: &[f32]) -> String {
    const GREYS: [&str; 6] = ["  ", "··", "░░", "▒▒", "▓▓", "██"];
    let grey = |pixel: &f32| GREYS[(pixel.clamp(0.0, 1.0) * 5.0).round() as usize];
    let line = |row: usize| {
        let parts = images.chunks(64).map(|image| image[8 * row..][..8].iter());
        let parts: Vec<String> = parts.map(|pixels| pixels.map(grey).collect()).collect();
        format!("|{}|\n", parts.join("|"))
    };
    (0..8).map(line).collect()
}
