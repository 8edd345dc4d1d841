//! `wgrad find-rate`.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::Device;
use wgrad::random::Seed;
use wgrad::report::plot::Picture;
use wgrad::report::{RateSearch, ReportError};
use wgrad::train::{RateSearchOptions, Sgd, Trainer};

use crate::args::FindRate;
use crate::failure::Failure;
use crate::output::Output;
use crate::settings::Settings;

/// Searches, and says what was found.
pub fn find_rate(args: &FindRate, output: &Output) -> Result<(), Failure> {
    let mut settings = Settings::of(&args.task, args.task.data()?);
    settings.check_size(&args.task)?;
    let (train, _) = settings.load(output)?;
    let device = Device::open()?;
    output.progress(&format!("device: {}", device.description()));
    let model = settings.network()?.build(&device, Seed(settings.seed))?;
    let rule = Sgd::new(settings.rate).momentum(settings.momentum);
    let trainer = Trainer::new(rule)
        .batch_size(settings.batch as usize)
        .seed(settings.seed);
    let options = RateSearchOptions::new()
        .range(args.from, args.to)
        .steps(args.steps);
    let search = trainer.find_rate(&model, &train, options)?;
    if let Some(file) = &args.plot {
        save(&search.picture()?, file)?;
        output.progress(&format!("wrote {}", file.display()));
    }
    match args.json {
        true => output.result(&format!("{:#}", described(&search))),
        false => output.result(&search.to_string()),
    }
}

/// As SVG, or as PNG where the name says so.
fn save(picture: &Picture, file: &Path) -> Result<(), ReportError> {
    #[cfg(feature = "png")]
    if file.extension().is_some_and(|ending| ending == "png") {
        return picture.save_png(file, 2.0);
    }
    picture.save(file)
}

fn described(search: &RateSearch) -> Value {
    let points = search.points().iter();
    let points = points
        .map(|point| json!({ "rate": point.rate, "loss": point.loss, "smoothed": point.smoothed }));
    json!({
        "valley": search.valley(),
        "steepest": search.steepest(),
        "diverged": search.diverged(),
        "steps": points.collect::<Vec<_>>(),
    })
}
