//! `wgrad train`.

use wgrad::Device;
use wgrad::random::Seed;
use wgrad::train::{End, Every, Run, Sgd, Stop, TensorBoard, Trainer, on_epoch_end};

use crate::args::Train;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::Output;
use crate::settings::Settings;
use crate::uses::figures;

/// Begins a run, or goes on with the one in the folder.
pub fn train(args: &Train, output: &Output) -> Result<(), Failure> {
    let folder = Folder::new(&args.out);
    let data = args.task.data()?;
    let mut settings = match folder.settings_if_any()? {
        Some(settings) => settings.go_on(args, &data)?,
        None => Settings::new(args, data),
    };
    settings.check_size(&args.task)?;
    let (train, test) = settings.load(output)?;
    let net = settings.network()?;
    // Before anything is written: a network that does not fit the images is an error here.
    net.summary()?;
    let trainer = trainer(&settings, train.len(), &folder, output)?;
    let device = Device::open()?;
    output.progress(&format!("device: {}", device.description()));
    let (learned, held_out) = (train.len(), test.len());
    output.progress(&format!(
        "{learned} images to learn from, {held_out} to test"
    ));
    let mut model = net.build(&device, Seed(settings.seed))?;
    folder.save_settings(&settings)?;
    let save_history = on_epoch_end(|fit| folder.save_history(fit.history()));
    let tensorboard = args.tensorboard.then(|| TensorBoard::new(folder.events()));
    let run = trainer.fit_with(&mut model, &train, &test, (save_history, tensorboard));
    let mut run = run.map_err(wgrad::Error::from)?;
    let stopped = run.end == End::Stopped;
    if run.evaluation.is_none() && !stopped {
        // A run that had been finished.
        run.evaluation = Some(model.evaluate(&test)?);
    }
    model.save(folder.weights())?;
    folder.save_history(&run.history)?;
    let confusion = run.evaluation.as_ref().and_then(|e| e.confusion.as_ref());
    folder.save_report(&settings, &run.history, confusion, run.filters.as_ref())?;
    conclude(&run, &folder, output)
}

fn trainer(
    settings: &Settings,
    samples: usize,
    folder: &Folder,
    output: &Output,
) -> Result<Trainer, Failure> {
    let rule = Sgd::new(settings.rate).momentum(settings.momentum);
    let trainer = Trainer::new(rule)
        .epochs(settings.epochs)
        .batch_size(settings.batch as usize)
        .seed(settings.seed)
        .checkpoints(folder.checkpoints(), Every::Epochs(1))
        .stop_on(&Stop::on_ctrl_c()?)
        .progress(!output.quiet);
    let steps = samples / samples.min(settings.batch as usize).max(1);
    settings.schedule.apply(trainer, settings, steps as u64)
}

fn conclude(run: &Run, folder: &Folder, output: &Output) -> Result<(), Failure> {
    let (steps, path) = (run.steps, folder.path().display());
    if run.end == End::Stopped {
        return output.result(&format!(
            "stopped after step {steps}, saved in {path}; the same command goes on from there"
        ));
    }
    let figures = run.evaluation.as_ref().map(figures).unwrap_or_default();
    output.result(&format!("{figures} after step {steps}; saved in {path}"))
}
