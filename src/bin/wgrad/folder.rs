//! The folder of a run.

use std::fs;
use std::path::{Path, PathBuf};

use wgrad::random::Seed;
use wgrad::report::{Confusion, Filters, History, Report};
use wgrad::train::Model;
use wgrad::{Device, DeviceOptions};

use crate::failure::Failure;
use crate::settings::Settings;

/// The folder of a run, and what lies where in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    fn settings_file(&self) -> PathBuf {
        self.0.join("run.json")
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    pub fn weights(&self) -> PathBuf {
        self.0.join("weights.safetensors")
    }

    pub fn events(&self) -> PathBuf {
        self.0.join("tensorboard")
    }

    pub fn report(&self) -> PathBuf {
        self.0.join("report.html")
    }

    /// The settings of the run, if there is one.
    pub fn settings_if_any(&self) -> Result<Option<Settings>, Failure> {
        let path = self.settings_file();
        if !path.exists() {
            return Ok(None);
        }
        let text =
            fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        let settings = Settings::from_json(&text).map_err(|reason| {
            Failure::Told(format!(
                "`{}` {reason}; put back a good one, or train with another --out",
                path.display()
            ))
        })?;
        Ok(Some(settings))
    }

    /// The settings of the run.
    pub fn settings(&self) -> Result<Settings, Failure> {
        self.settings_if_any()?.ok_or_else(|| {
            let path = self.0.display();
            Failure::Told(match self.0.is_dir() {
                true => format!(
                    "`{path}` is not the folder of a run, it has no run.json; \
                     `wgrad train DATA --out DIR` makes one"
                ),
                false => format!("`{path}` is not a folder; give the --out of a `wgrad train`"),
            })
        })
    }

    /// Writes the settings, whole or not at all.
    pub fn save_settings(&self, settings: &Settings) -> Result<(), Failure> {
        fs::create_dir_all(&self.0).map_err(|error| Failure::file("make", &self.0, &error))?;
        let (path, new) = (self.settings_file(), self.0.join("run.json.new"));
        fs::write(&new, settings.to_json())
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|error| Failure::file("write", &path, &error))
    }

    /// Writes the history in both forms.
    pub fn save_history(&self, history: &History) -> wgrad::Result<()> {
        history.save_json_lines(self.0.join("history.jsonl"))?;
        history.save_csv(self.0.join("history.csv"))?;
        Ok(())
    }

    pub fn history(&self) -> Result<History, Failure> {
        Ok(History::load_json_lines(self.0.join("history.jsonl"))?)
    }

    /// The network with its trained weights.
    pub fn model(&self, settings: &Settings) -> Result<Model, Failure> {
        let weights = self.weights();
        if !weights.is_file() {
            return Err(Failure::Told(format!(
                "the run in `{}` has no weights yet; `wgrad train {} --out {0}` goes on with it",
                self.0.display(),
                settings.data
            )));
        }
        let device = Device::open_with(&DeviceOptions::from_env())?;
        let mut model = settings.network()?.build(&device, Seed(settings.seed))?;
        model.load(weights)?;
        Ok(model)
    }

    /// Writes `report.html`.
    pub fn save_report(
        &self,
        settings: &Settings,
        history: &History,
        confusion: Option<&Confusion>,
        filters: Option<&Filters>,
    ) -> Result<(), Failure> {
        let network = settings.network()?.summary()?.to_string();
        let title = format!("{} on {}", settings.model, settings.data);
        let mut report = Report::new(title, history).network(&network);
        for (name, value) in settings.facts() {
            report = report.fact(name, value);
        }
        if let Some(confusion) = confusion {
            report = report.confusion(confusion);
        }
        if let Some(filters) = filters {
            report = report.filters(filters);
        }
        Ok(report.save(self.report())?)
    }
}
