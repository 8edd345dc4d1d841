//! The commands that use a run: `eval`, `predict`, `export`, `report`.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::data::{Classes, Dataset, image_file};
use wgrad::train::{Evaluation, Prediction};

use crate::args::Predict;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::Output;
use crate::settings::Settings;

/// Images that are answered together.
const BATCH: usize = 32;

/// Loss and accuracy in words.
pub fn figures(evaluation: &Evaluation) -> String {
    let accuracy = 100.0 * evaluation.accuracy.unwrap_or(0.0);
    format!("test loss {:.4}, accuracy {accuracy:.2} %", evaluation.loss)
}

/// `wgrad eval`.
pub fn eval(folder: &Path, output: &Output) -> Result<(), Failure> {
    let folder = Folder::new(folder);
    let mut settings = folder.settings()?;
    let (_, test) = settings.load(output)?;
    let evaluation = folder.model(&settings)?.evaluate(&test)?;
    output.result(&figures(&evaluation))?;
    if let Some(confusion) = &evaluation.confusion {
        let names = confusion.classes().names();
        let name = |class: usize| names.get(class).map_or("", String::as_str);
        for (truth, predicted, count) in confusion.mistakes().into_iter().take(5) {
            let (truth, predicted) = (name(truth), name(predicted));
            output.result(&format!("{count} × {truth} taken for {predicted}"))?;
        }
    }
    Ok(())
}

/// `wgrad predict`.
pub fn predict(args: &Predict, output: &Output) -> Result<(), Failure> {
    let folder = Folder::new(&args.folder);
    let settings = folder.settings()?;
    let model = folder.model(&settings)?;
    let images = images(args, &settings)?;
    let predictor = model.predictor(&[images.len().min(BATCH)])?;
    let answers = predictor.predict_dataset(&images)?;
    let answers = args.images.iter().zip(&answers);
    let top = |answer: &Prediction| -> Vec<(String, f32)> {
        let name = |class: usize| settings.classes.get(class).cloned().unwrap_or_default();
        let top = answer.top(usize::from(args.top)).into_iter();
        top.map(|(class, probability)| (name(class), probability))
            .collect()
    };
    if args.json {
        let list = answers.map(|(path, answer)| {
            let top = top(answer).into_iter();
            let top = top.map(|(name, p)| json!({ "class": name, "probability": p }));
            json!({ "image": path.to_string_lossy(), "top": top.collect::<Vec<_>>() })
        });
        return output.result(&format!("{:#}", Value::from(list.collect::<Vec<_>>())));
    }
    for (path, answer) in answers {
        let top = top(answer).into_iter();
        let words = top.map(|(name, p)| format!("{name} {:.1} %", 100.0 * p));
        let words = words.collect::<Vec<_>>().join(", ");
        output.result(&format!("{}: {words}", path.display()))?;
    }
    Ok(())
}

/// The images as the network saw those it learned from.
fn images(args: &Predict, settings: &Settings) -> Result<Dataset, Failure> {
    let shape = settings.shape()?;
    let mut pixels = Vec::new();
    for path in &args.images {
        pixels.extend(image_file(path, shape)?);
    }
    // Nobody knows the labels, nor looks at them.
    let labels = vec![0; args.images.len()];
    let classes = Classes::from(settings.classes.clone());
    let images = Dataset::images_u8(shape, pixels, labels, classes)?;
    Ok(images.with_normalisation(settings.normalisation())?)
}

/// `wgrad export`.
pub fn export(folder: &Path, file: &Path, output: &Output) -> Result<(), Failure> {
    let folder = Folder::new(folder);
    let settings = folder.settings()?;
    let model = folder.model(&settings)?;
    match file.extension().is_some_and(|ending| ending == "onnx") {
        true => model.export_onnx(file)?,
        false => model.save(file)?,
    }
    let (shape, mean, std) = (&settings.input, &settings.mean, &settings.std);
    output.result(&format!(
        "wrote {}; its input is images of shape {shape:?} with values from 0 to 1, of which \
         {mean:?} is subtracted and which are divided by {std:?}, channel by channel",
        file.display()
    ))
}

/// `wgrad report`.
pub fn report(folder: &Path, output: &Output) -> Result<(), Failure> {
    let folder = Folder::new(folder);
    let mut settings = folder.settings()?;
    let history = folder.history()?;
    // A run that was killed has a history without weights.
    let (evaluation, filters) = match folder.weights().is_file() {
        true => {
            let (_, test) = settings.load(output)?;
            let model = folder.model(&settings)?;
            (Some(model.evaluate(&test)?), model.first_filters()?)
        }
        false => (None, None),
    };
    let confusion = evaluation.as_ref().and_then(|e| e.confusion.as_ref());
    folder.save_report(&settings, &history, confusion, filters.as_ref())?;
    output.result(&format!("wrote {}", folder.report().display()))
}
