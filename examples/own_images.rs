//! One's own images, a folder a class, with a pre-trained start: fine-tuning against training from
//! random weights.
//!
//! ```sh
//! cargo run --release --features images --example own_images
//! cargo run --release --features images --example own_images -- <folder> resnet18.safetensors
//! ```
//!
//! Without arguments it makes its own case: a small network learns from clean digits; then there
//! are "photographs" of other digits as PNG files, grey, pale and noisy, and only three of each to
//! learn from. With arguments the start is torchvision's ResNet-18, which this saves in Python:
//!
//! ```python
//! import torchvision, safetensors.torch
//! weights = torchvision.models.resnet18(weights="DEFAULT").state_dict()
//! safetensors.torch.save_file(weights, "resnet18.safetensors")
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wgrad::checkpoint::LoadOptions;
use wgrad::data::{Augment, Dataset, ImageFolder, Normalisation};
use wgrad::graph::Network;
use wgrad::init::{Fans, Init};
use wgrad::random::Seed;
use wgrad::train::{Every, Model, Sgd, Trainer};
use wgrad::{Device, Error, Result, models};

const FOLDER: &str = "out/own_images";
/// Steps with the new layer alone, and then with all.
const STEPS: [u64; 2] = [20, 60];

/// A pre-trained network, and images for it.
struct Case {
    net: Network,
    /// Its layer that is replaced.
    head: &'static str,
    weights: PathBuf,
    images: PathBuf,
    shape: [usize; 3],
    /// What the network's images were normalised by; without it, the new ones' own figures serve.
    normalisation: Option<Normalisation>,
    /// The share of the images to learn from.
    share: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    println!(
        "To expect: with few images of each class, the pre-trained start recognises clearly more\n\
         than random weights do after the same steps.\n"
    );
    let case = match &arguments[..] {
        [] => digits(),
        [images, weights] => Ok(photographs(images, weights)),
        _ => {
            eprintln!("arguments: none, or a folder of images and a file of ResNet-18's weights");
            return ExitCode::FAILURE;
        }
    };
    match case.and_then(|case| compare(&case)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One's own images, for a ResNet-18 that knows ImageNet's classes.
fn photographs(images: &Path, weights: &Path) -> Case {
    Case {
        net: models::resnet18([3, 224, 224], 1000),
        head: "fc",
        weights: weights.to_owned(),
        images: images.to_owned(),
        shape: [3, 224, 224],
        normalisation: Some(Normalisation {
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
        }),
        share: 0.8,
    }
}

/// Trains on most of the digits, and makes photographs of the others.
fn digits() -> Result<Case> {
    let folder = Path::new(FOLDER);
    let mut net = Network::input([1, 8, 8]);
    net.conv(32, 3).padding(1).prelu();
    net.conv(32, 3).padding(1).prelu().max_pool(2);
    net.conv(64, 3).padding(1).prelu().max_pool(2);
    net.dropout(0.3).linear(10).name("head");
    let (known, others) = wgrad::data::digits().stratified_split(0.7, Seed(3));
    let known = known.normalised();

    println!("the pre-trained start: {} clean digits", known.len());
    let mut model = net.build(&Device::open()?, Seed(1))?;
    let run = trainer(0.03)
        .epochs(6)
        .batch_size(32)
        .fit(&mut model, &known, &known)?;
    println!("{}", run.history);
    let images = folder.join("photographs");
    photograph(&others, &images)?;
    let weights = folder.join("digits.safetensors");
    model.save(&weights)?;
    println!("{} photographs in {}\n", others.len(), images.display());
    Ok(Case {
        net,
        head: "head",
        weights,
        images,
        shape: [1, 8, 8],
        normalisation: None,
        // Three of each digit.
        share: 3.0 / 54.0,
    })
}

/// Writes digits as PNG files of 16×16, grey, pale and noisy.
fn photograph(digits: &Dataset, folder: &Path) -> Result<()> {
    let [mean, std] = [0.3, 0.2];
    let noise = Init::Gaussian { mean, std };
    for (index, digit) in digits.iter().enumerate() {
        let digit = digit?;
        let class = folder.join(digit.label().unwrap_or(0).to_string());
        let noise = noise.sample(&[256], Fans::default(), Seed(index as u64), "noise")?;
        let picture = image::GrayImage::from_fn(16, 16, |x, y| {
            let at = (y / 2 * 8 + x / 2) as usize;
            let light = 0.5 * digit.values()[at] + noise[(y * 16 + x) as usize];
            image::Luma([(255.0 * light).clamp(0.0, 255.0) as u8])
        });
        let path = class.join(format!("{index:03}.png"));
        let made = std::fs::create_dir_all(&class).map_err(|error| error.to_string());
        let saved = made.and_then(|()| picture.save(&path).map_err(|error| error.to_string()));
        saved.map_err(|error| Error::Invalid(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

fn trainer(rate: f64) -> Trainer {
    let augment = Augment::new().rotate(10.0).translate(0.1, 0.1);
    let augment = augment.scale(0.9, 1.1);
    Trainer::new(Sgd::new(rate).momentum(0.9).weight_decay(5e-4)).augment(augment)
}

fn compare(case: &Case) -> Result<()> {
    let all = ImageFolder::open(&case.images, case.shape)?.load()?;
    let (train, test) = all.stratified_split(case.share, Seed(1));
    let normalisation = case.normalisation.clone();
    let normalisation = normalisation.unwrap_or_else(|| train.mean_std());
    let train = train.with_normalisation(normalisation.clone())?;
    let test = test.with_normalisation(normalisation)?;
    println!(
        "{} images to learn from, {} to test",
        train.len(),
        test.len()
    );

    let device = Device::open()?;
    println!("device: {}", device.description());
    let classes = all.classes().map_or(0, |classes| classes.len());
    let net = case.net.with_classes(classes)?;
    let mut tuned = net.build(&device, Seed(2))?;
    let options = LoadOptions::new().except(case.head);
    let report = tuned.load_with(&case.weights, &options)?;
    println!("{}: {report}\n", case.weights.display());

    let mut random = net.build(&device, Seed(2))?;
    let random = fit(&mut random, STEPS[0] + STEPS[1], &train, &test)?;
    // The new layer first, so that its random weights do not spoil the others.
    tuned.freeze("*")?;
    tuned.unfreeze(case.head)?;
    fit(&mut tuned, STEPS[0], &train, &test)?;
    tuned.unfreeze("*")?;
    tuned.set_learning_rate_factor("*", 0.5)?;
    tuned.set_learning_rate_factor(case.head, 1.0)?;
    let accuracy = fit(&mut tuned, STEPS[1], &train, &test)?;
    tuned.save(case.weights.with_file_name("tuned.safetensors"))?;

    println!(
        "{}: test accuracy {:.1} % from random weights, {:.1} % from the pre-trained start",
        match accuracy > random + 0.03 {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * random,
        100.0 * accuracy
    );
    Ok(())
}

/// The test accuracy after so many steps.
fn fit(model: &mut Model, steps: u64, train: &Dataset, test: &Dataset) -> Result<f64> {
    let trainer = trainer(0.01).batch_size(30).steps(steps).progress(false);
    let run = trainer
        .validate(Every::Steps(steps))
        .fit(model, train, test)?;
    Ok(run.evaluation.and_then(|e| e.accuracy).unwrap_or(0.0))
}
