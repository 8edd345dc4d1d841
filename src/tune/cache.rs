//! Choices on disk, by the device on which they were measured.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::{Map, Value};

use super::TuneError;
use crate::checkpoint::try_replace;
use crate::ops::choice::{Choice, Choices};
use crate::run::AdapterDescription;

const FORMAT: &str = "wgrad kernel choices";
/// Of the file's layout.
const VERSION: u64 = 1;

/// Everything beside the problem on which the speed of a kernel depends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    adapter: String,
    backend: String,
    driver: String,
    /// The crate's version: another may have other kernels.
    wgrad: String,
}

impl Key {
    pub(crate) fn new(adapter: &AdapterDescription) -> Self {
        Self {
            adapter: adapter.name.clone(),
            backend: adapter.backend.clone(),
            driver: adapter.driver.clone(),
            wgrad: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Problems and choices as text: what is there need not be known to this version.
type Texts = BTreeMap<String, String>;

/// The choices that were made on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) key: Key,
    texts: Texts,
}

impl Section {
    pub(crate) fn new(key: Key, choices: &Choices) -> Self {
        let texts = choices.iter().map(|(p, c)| (p.to_owned(), c.to_string()));
        Self {
            key,
            texts: texts.collect(),
        }
    }

    /// Those that can be read.
    pub(crate) fn choices(&self) -> Choices {
        let texts = self.texts.iter();
        let known = texts.filter_map(|(p, text)| Some((p, text.parse::<Choice>().ok()?)));
        known.map(|(p, choice)| (p.as_str(), choice)).collect()
    }

    pub(crate) fn to_json(&self) -> Value {
        let text = |text: &String| Value::String(text.clone());
        let choices = self.texts.iter().map(|(p, c)| (p.clone(), text(c)));
        let object = [
            ("adapter", text(&self.key.adapter)),
            ("backend", text(&self.key.backend)),
            ("choices", Value::Object(choices.collect())),
            ("driver", text(&self.key.driver)),
            ("wgrad", text(&self.key.wgrad)),
        ];
        object.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    }

    pub(crate) fn from_json(value: &Value) -> Result<Self, String> {
        let text = |name: &str| {
            let found = value.get(name).and_then(Value::as_str);
            found
                .map(str::to_owned)
                .ok_or_else(|| format!("a device has no text `{name}`"))
        };
        let choices = value.get("choices").and_then(Value::as_object);
        let choices = choices.ok_or("a device has no object `choices`")?;
        let pair = |(problem, choice): (&String, &Value)| match choice.as_str() {
            Some(choice) => Ok((problem.clone(), choice.to_owned())),
            None => Err(format!("the choice for `{problem}` is no text")),
        };
        Ok(Self {
            key: Key {
                adapter: text("adapter")?,
                backend: text("backend")?,
                driver: text("driver")?,
                wgrad: text("wgrad")?,
            },
            texts: choices.iter().map(pair).collect::<Result<_, _>>()?,
        })
    }
}

/// The contents of a file. One may serve several machines, drivers and versions; what this
/// process does not use is kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    devices: BTreeMap<Key, Texts>,
}

impl Cache {
    /// An empty one where there is no file.
    pub(super) fn read(path: &Path) -> Result<Self, TuneError> {
        match fs::read(path) {
            Ok(bytes) => Self::parse(&bytes).map_err(|reason| TuneError::Foreign {
                path: path.to_owned(),
                reason,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(TuneError::Read {
                path: path.to_owned(),
                source,
            }),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let file: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if file.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(format!("its `format` is not `{FORMAT}`"));
        }
        match file.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            other => return Err(format!("its `version` is {other:?}, not {VERSION}")),
        }
        let devices = file.get("devices").and_then(Value::as_array);
        let devices = devices.ok_or("it has no list `devices`")?;
        let sections = devices.iter().map(Section::from_json);
        let pairs = sections.map(|section| section.map(|s| (s.key, s.texts)));
        Ok(Self {
            devices: pairs.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn get(&self, key: &Key, problem: &str) -> Option<&str> {
        self.devices.get(key)?.get(problem).map(String::as_str)
    }

    pub(super) fn insert(&mut self, section: Section) {
        let known = self.devices.entry(section.key).or_default();
        known.extend(section.texts);
    }

    /// Replaces the file, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        try_replace(path, self.to_text().as_bytes())
    }

    /// Equal contents give equal text.
    fn to_text(&self) -> String {
        let devices = self.devices.iter().map(|(key, texts)| {
            let (key, texts) = (key.clone(), texts.clone());
            Section { key, texts }.to_json()
        });
        let file: Map<String, Value> = [
            ("devices", devices.collect()),
            ("format", Value::from(FORMAT)),
            ("version", Value::from(VERSION)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
        format!("{:#}\n", Value::Object(file))
    }
}
