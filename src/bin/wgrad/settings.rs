//! What a run is: `run.json`.

use serde_json::{Value, json};
use wgrad::data::{Dataset, Normalisation};
use wgrad::random::Seed;

use crate::args::{Task, Train};
use crate::data::Source;
use crate::failure::Failure;
use crate::network;
use crate::output::Output;
use crate::schedule::Schedule;

/// Of the file's form.
const FORMAT: u64 = 2;

/// All that says how a run is trained, and what its network wants and answers.
#[derive(Clone, Debug)]
pub struct Settings {
    pub data: Source,
    pub model: String,
    pub epochs: u32,
    pub batch: u32,
    pub rate: f64,
    pub momentum: f64,
    pub schedule: Schedule,
    /// Epochs of rising rates before that.
    pub warm_up: f64,
    pub seed: u64,
    /// Rows and columns of a folder's images.
    pub size: u32,
    /// Whether images that cannot be read are left out.
    pub skip_unreadable: bool,
    /// What the data are; empty until they were read.
    pub input: Vec<usize>,
    pub classes: Vec<String>,
    pub mean: Vec<f32>,
    pub std: Vec<f32>,
}

impl Settings {
    /// Of a new run.
    pub fn new(args: &Train, data: Source) -> Self {
        Self {
            epochs: args.epochs.unwrap_or(10),
            rate: args.rate.unwrap_or(0.02),
            schedule: args.schedule.unwrap_or_default(),
            warm_up: args.warm_up.unwrap_or(0.0),
            ..Self::of(&args.task, data)
        }
    }

    /// Of a task, with the defaults of a run.
    pub fn of(task: &Task, data: Source) -> Self {
        let model = task.model.clone().unwrap_or(network::SMALL.to_owned());
        Self {
            data,
            epochs: 10,
            batch: task.batch.unwrap_or(64),
            rate: 0.02,
            momentum: task.momentum.unwrap_or(0.9),
            schedule: Schedule::default(),
            warm_up: 0.0,
            seed: task.seed.unwrap_or(42),
            size: task.size.unwrap_or(network::size(&model) as u32),
            model,
            skip_unreadable: task.skip_unreadable,
            input: Vec::new(),
            classes: Vec::new(),
            mean: Vec::new(),
            std: Vec::new(),
        }
    }

    /// Of a run that goes on. Only the epochs may be other than they were.
    pub fn go_on(mut self, args: &Train, data: &Source) -> Result<Self, Failure> {
        fn same<T: PartialEq + ToString>(
            name: &str,
            asked: Option<&T>,
            was: &T,
        ) -> Result<(), Failure> {
            match asked.filter(|asked| *asked != was) {
                Some(asked) => Err(Failure::Told(format!(
                    "the run in this folder was begun with {name} {}, not {}; give another --out",
                    was.to_string(),
                    asked.to_string()
                ))),
                None => Ok(()),
            }
        }
        let task = &args.task;
        same("the data", Some(data), &self.data)?;
        same("--model", task.model.as_ref(), &self.model)?;
        same("--batch", task.batch.as_ref(), &self.batch)?;
        same("--rate", args.rate.as_ref(), &self.rate)?;
        same("--momentum", task.momentum.as_ref(), &self.momentum)?;
        same("--schedule", args.schedule.as_ref(), &self.schedule)?;
        same("--warm-up", args.warm_up.as_ref(), &self.warm_up)?;
        same("--seed", task.seed.as_ref(), &self.seed)?;
        same("--size", task.size.as_ref(), &self.size)?;
        self.epochs = args.epochs.unwrap_or(self.epochs);
        // If an image of the run has become unreadable, the checkpoint refuses the other data set.
        self.skip_unreadable |= task.skip_unreadable;
        Ok(self)
    }

    /// Refuses a size for images that have one.
    pub fn check_size(&self, task: &Task) -> Result<(), Failure> {
        match task.size.is_some() && !self.data.has_size() {
            true => Err("--size is for images:DIR; other images have a size"
                .to_owned()
                .into()),
            false => Ok(()),
        }
    }

    /// Training and test data, normalised as in the whole run.
    pub fn load(&mut self, output: &Output) -> Result<(Dataset, Dataset), Failure> {
        let (size, seed) = (self.size as usize, Seed(self.seed));
        let (train, test) = self.data.load(size, seed, self.skip_unreadable, output)?;
        let classes = train.classes().map(|classes| classes.names().to_vec());
        let classes = classes.unwrap_or_default();
        if self.input.is_empty() {
            let Normalisation { mean, std } = train.mean_std();
            self.input = train.shape().to_vec();
            (self.classes, self.mean, self.std) = (classes, mean, std);
        } else if self.input != train.shape() || self.classes != classes {
            return Err(Failure::Told(format!(
                "the data in `{}` are others than the run was trained on; put those back",
                self.data
            )));
        }
        let normalise = |data: Dataset| data.with_normalisation(self.normalisation());
        Ok((normalise(train)?, normalise(test)?))
    }

    /// Of the training data.
    pub fn normalisation(&self) -> Normalisation {
        let (mean, std) = (self.mean.clone(), self.std.clone());
        Normalisation { mean, std }
    }

    /// The shape of an image.
    pub fn shape(&self) -> Result<[usize; 3], Failure> {
        let shape = self.input.clone().try_into();
        shape.map_err(|shape| Failure::Told(format!("samples of shape {shape:?} are no images")))
    }

    /// The network, without weights.
    pub fn network(&self) -> Result<wgrad::graph::Network, Failure> {
        Ok(network::network(
            &self.model,
            self.shape()?,
            self.classes.len(),
        )?)
    }

    /// Names and values in words, for a report.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("data", self.data.to_string()),
            ("model", self.model.clone()),
            ("epochs", self.epochs.to_string()),
            ("batch", self.batch.to_string()),
            ("rate", self.rate.to_string()),
            ("momentum", self.momentum.to_string()),
            ("schedule", self.schedule.to_string()),
            ("epochs of warm-up", self.warm_up.to_string()),
            ("seed", self.seed.to_string()),
        ]
    }

    pub fn to_json(&self) -> String {
        let value = json!({
            "format": FORMAT,
            "wgrad": env!("CARGO_PKG_VERSION"),
            "data": self.data.to_string(),
            "model": self.model,
            "epochs": self.epochs,
            "batch": self.batch,
            "rate": self.rate,
            "momentum": self.momentum,
            "schedule": self.schedule.to_string(),
            "warm_up": self.warm_up,
            "seed": self.seed,
            "size": self.size,
            "skip_unreadable": self.skip_unreadable,
            "input": self.input,
            "classes": self.classes,
            // As f64, which reads back as the same number.
            "mean": self.mean.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(),
            "std": self.std.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }

    /// Reads what [`Settings::to_json`] wrote; the error says of the file what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let damaged = |reason: String| format!("is damaged: {reason}");
        let json: Value = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let file = File(&json);
        match file.integer("format").map_err(damaged)? {
            FORMAT => Self::read(&file).map_err(damaged),
            other => Err(format!(
                "was written by another version of wgrad, in form {other} and not {FORMAT}"
            )),
        }
    }

    fn read(file: &File<'_>) -> Result<Self, String> {
        let settings = Self {
            data: file.text("data")?.parse()?,
            model: file.text("model")?.to_owned(),
            epochs: file.count("epochs")?,
            batch: file.count("batch")?,
            rate: file.number("rate")?,
            momentum: file.number("momentum")?,
            schedule: file.text("schedule")?.parse()?,
            warm_up: file.number("warm_up")?,
            seed: file.integer("seed")?,
            size: file.count("size")?,
            // Runs of before had no such choice.
            skip_unreadable: file.get("skip_unreadable", Value::as_bool).unwrap_or(false),
            input: file.list("input", |v| v.as_u64()?.try_into().ok())?,
            classes: file.list("classes", |v| Some(v.as_str()?.to_owned()))?,
            mean: file.list("mean", |v| Some(v.as_f64()? as f32))?,
            std: file.list("std", |v| Some(v.as_f64()? as f32))?,
        };
        match settings.input.len() {
            3 => Ok(settings),
            _ => Err("`input` is not the shape of an image".to_owned()),
        }
    }
}

/// The fields of the file.
struct File<'a>(&'a Value);

impl<'a> File<'a> {
    fn get<T>(&self, name: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<T, String> {
        let found = self.0.get(name).and_then(read);
        found.ok_or_else(|| format!("`{name}` is missing or of the wrong kind"))
    }

    fn text(&self, name: &str) -> Result<&'a str, String> {
        self.get(name, Value::as_str)
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        self.get(name, Value::as_f64)
    }

    fn integer(&self, name: &str) -> Result<u64, String> {
        self.get(name, Value::as_u64)
    }

    fn count(&self, name: &str) -> Result<u32, String> {
        self.get(name, |value| value.as_u64()?.try_into().ok())
    }

    fn list<T>(&self, name: &str, item: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, String> {
        self.get(name, |value| value.as_array()?.iter().map(&item).collect())
    }
}
