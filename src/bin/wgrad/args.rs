//! The arguments.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::data::Source;
use crate::network;
use crate::schedule::Schedule;

/// Trains convolutional networks on any GPU, and uses what was trained.
///
/// The best device of the machine computes; the variables WGRAD_ADAPTER (part of a name) and
/// WGRAD_BACKEND (vulkan, metal, dx12) narrow the choice.
#[derive(Debug, Parser)]
#[command(name = "wgrad", version)]
pub struct Args {
    /// Prints only results and errors
    #[arg(long, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Lists the devices that can compute; `*` marks the one that is used
    Devices {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Trains a network; with the folder of an earlier run, goes on with that
    Train(Train),
    /// Looks for a learning rate: trains for some steps at rates that grow until it diverges
    FindRate(FindRate),
    /// Answers the test data of a run
    Eval {
        /// The run's folder
        folder: PathBuf,
    },
    /// Says what images show
    Predict(Predict),
    /// Writes the trained network for other programs
    Export {
        /// The run's folder
        folder: PathBuf,
        /// A file that ends in `.onnx`, or in `.safetensors` for the weights alone
        #[arg(value_parser = export_file)]
        file: PathBuf,
    },
    /// Writes report.html anew, with the confusions on the test data and the first layer's filters
    Report {
        /// The run's folder
        folder: PathBuf,
    },
}

/// What is trained, and by which rule but for the rate.
#[derive(Debug, clap::Args)]
pub struct Task {
    /// digits (built in), mnist:DIR, fashion-mnist:DIR, cifar10:DIR (binary version), or
    /// images:DIR (PNG and JPEG, a folder a class; with folders `train` and `test` in DIR these
    /// are taken, otherwise a fifth of each class is the test)
    pub data: Source,
    /// The network [default: small, two convolutions and two linear layers]
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(network::names()))]
    pub model: Option<String>,
    /// Samples of a step [default: 64]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// The momentum of stochastic gradient descent [default: 0.9]
    #[arg(long, value_parser = momentum)]
    pub momentum: Option<f64>,
    /// The seed of all that is random [default: 42]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Rows and columns that the images of images:DIR are scaled to [default: 64, or the model's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub size: Option<u32>,
    /// Leaves out images of images:DIR that cannot be read, with a warning for each, in place of
    /// ending with an error
    #[arg(long)]
    pub skip_unreadable: bool,
    /// Fetches the data into DIR where they are missing: mnist, fashion-mnist and cifar10
    #[cfg(feature = "download")]
    #[arg(long)]
    pub download: bool,
}

/// How to train. What is not given is that of the folder's earlier run, or else the default.
#[derive(Debug, clap::Args)]
pub struct Train {
    #[command(flatten)]
    pub task: Task,
    /// Where the run is kept: settings, checkpoints, history (JSON lines and CSV), weights, report
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How often every sample is seen [default: 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// The learning rate [default: 0.02]
    #[arg(long, value_parser = rate)]
    pub rate: Option<f64>,
    /// How the rate changes [default: constant]: constant, cosine or cosine:FLOOR (down to this
    /// fraction at the last epoch), step:EPOCHS or step:EPOCHS:FACTOR (a tenth, or this fraction,
    /// after every so many), exponential:FACTOR (every epoch), one-cycle, plateau or
    /// plateau:EPOCHS (a tenth when the test loss has not fallen for so many)
    #[arg(long)]
    pub schedule: Option<Schedule>,
    /// Epochs in which the rate rises from a tenth before that, parts of one too [default: 0]
    #[arg(long, value_name = "EPOCHS", value_parser = warm_up)]
    pub warm_up: Option<f64>,
    /// Writes event files for TensorBoard to the folder `tensorboard` of the run
    #[arg(long)]
    pub tensorboard: bool,
}

/// Where to look for a learning rate.
#[derive(Debug, clap::Args)]
pub struct FindRate {
    #[command(flatten)]
    pub task: Task,
    /// The first rate
    #[arg(long, default_value_t = 1e-6, value_parser = rate)]
    pub from: f64,
    /// The last one
    #[arg(long, default_value_t = 10.0, value_parser = rate)]
    pub to: f64,
    /// Steps from the first to the last
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    pub steps: u32,
    /// Draws the losses into this file, whose name ends in .svg, or in .png where the program was
    /// built with the feature `png`
    #[arg(long, value_name = "FILE", value_parser = picture_file)]
    pub plot: Option<PathBuf>,
    /// As JSON, with the losses
    #[arg(long)]
    pub json: bool,
}

/// What to say of images.
#[derive(Debug, clap::Args)]
pub struct Predict {
    /// The run's folder
    pub folder: PathBuf,
    /// PNG or JPEG files
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
    /// How many classes are named, the most likely first
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

fn export_file(word: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(word);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("onnx" | "safetensors") => Ok(path),
        _ => Err("the name must end in .onnx or .safetensors".to_owned()),
    }
}

fn picture_file(word: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(word);
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("svg") => Ok(path),
        Some("png") if cfg!(feature = "png") => Ok(path),
        Some("png") => Err("this program was built without the feature `png`".to_owned()),
        _ => Err("the name must end in .svg or .png".to_owned()),
    }
}

fn rate(word: &str) -> Result<f64, String> {
    let rate = word.parse().ok();
    let rate = rate.filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "a rate is a number above 0".to_owned())
}

fn warm_up(word: &str) -> Result<f64, String> {
    let epochs = word.parse().ok();
    let epochs = epochs.filter(|epochs: &f64| epochs.is_finite() && *epochs >= 0.0);
    epochs.ok_or_else(|| "epochs are a number from 0".to_owned())
}

fn momentum(word: &str) -> Result<f64, String> {
    let momentum = word.parse().ok();
    let momentum = momentum.filter(|momentum| (0.0..1.0).contains(momentum));
    momentum.ok_or_else(|| "a momentum is a number from 0 to below 1".to_owned())
}
