//! Data sets in one word.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use wgrad::data::{
    Cifar, Classes, Dataset, ImageFolder, Loading, cifar_folder, digits, idx_folder,
};
#[cfg(feature = "download")]
use wgrad::data::{Download, Known};
use wgrad::random::Seed;

use crate::args::Task;
use crate::failure::Failure;
use crate::output::Output;

/// Of a data set that is not divided already.
const TRAINING_SHARE: f64 = 0.8;

/// Where samples come from: a kind, and the folder for all but the digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    kind: Kind,
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Digits,
    Mnist,
    FashionMnist,
    Cifar10,
    Images,
}

const FOLDERS: [(&str, Kind); 4] = [
    ("mnist", Kind::Mnist),
    ("fashion-mnist", Kind::FashionMnist),
    ("cifar10", Kind::Cifar10),
    ("images", Kind::Images),
];

impl FromStr for Source {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "digits" {
            let (kind, folder) = (Kind::Digits, PathBuf::new());
            return Ok(Self { kind, folder });
        }
        let (name, folder) = word.split_once(':').unwrap_or((word, ""));
        match FOLDERS.iter().find(|(known, _)| *known == name) {
            Some(_) if folder.is_empty() => Err(format!("name the folder too: {name}:DIR")),
            Some(&(_, kind)) => {
                // From wherever the program is started the next time.
                let folder = std::path::absolute(folder).map_err(|error| error.to_string())?;
                Ok(Self { kind, folder })
            }
            None => Err(
                "there are: digits, mnist:DIR, fashion-mnist:DIR, cifar10:DIR, images:DIR"
                    .to_owned(),
            ),
        }
    }
}

/// The word.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match FOLDERS.iter().find(|(_, kind)| *kind == self.kind) {
            Some((name, _)) => write!(f, "{name}:{}", self.folder.display()),
            None => write!(f, "digits"),
        }
    }
}

impl Task {
    /// Where the data lie, after they were fetched if that is wanted.
    pub fn data(&self) -> Result<Source, Failure> {
        #[cfg(feature = "download")]
        if self.download {
            return self.data.fetch();
        }
        Ok(self.data.clone())
    }
}

impl Source {
    /// Fetches what is missing: into a folder of the set's name, which then is the one to read.
    #[cfg(feature = "download")]
    fn fetch(&self) -> Result<Self, Failure> {
        let set = match self.kind {
            Kind::Mnist => Known::Mnist,
            Kind::FashionMnist => Known::FashionMnist,
            Kind::Cifar10 => Known::Cifar10,
            Kind::Digits | Kind::Images => {
                let sets = "--download is for mnist:DIR, fashion-mnist:DIR and cifar10:DIR";
                return Err(sets.to_owned().into());
            }
        };
        let folder = Download::new(set, &self.folder).fetch()?;
        Ok(Self {
            kind: self.kind,
            folder,
        })
    }

    /// Whether its images are scaled to a size that one chooses.
    pub fn has_size(&self) -> bool {
        self.kind == Kind::Images
    }

    /// Training and test data, not normalised. Images of a folder are scaled to `size` rows and
    /// columns, and left out, with a warning, if they cannot be read and `skip` says so; the seed
    /// divides what is not divided.
    pub fn load(
        &self,
        size: usize,
        seed: Seed,
        skip: bool,
        output: &Output,
    ) -> Result<(Dataset, Dataset), Failure> {
        let folder = &self.folder;
        if self.kind != Kind::Digits && !folder.is_dir() {
            return Err(Failure::Told(format!(
                "`{}` is not a folder; give the one that holds the data",
                folder.display()
            )));
        }
        Ok(match self.kind {
            Kind::Digits => digits().stratified_split(TRAINING_SHARE, seed),
            Kind::Mnist => idx_folder(folder, 10)?,
            Kind::FashionMnist => idx_folder(folder, Classes::fashion_mnist())?,
            Kind::Cifar10 => cifar_folder(Cifar::Ten, folder)?,
            Kind::Images => {
                let loading = Loading::new().skip_unreadable(skip);
                self.load_images(size, seed, |images| {
                    let loaded = loading.load(images)?;
                    for (_, error) in &loaded.skipped {
                        output.warning(&error.to_string());
                    }
                    Ok(loaded.data)
                })?
            }
        })
    }

    fn load_images(
        &self,
        size: usize,
        seed: Seed,
        load: impl Fn(&ImageFolder) -> Result<Dataset, Failure>,
    ) -> Result<(Dataset, Dataset), Failure> {
        let shape = [3, size, size];
        let [train, test] = ["train", "test"].map(|name| self.folder.join(name));
        if train.is_dir() && test.is_dir() {
            let train = ImageFolder::open(train, shape)?;
            let test = ImageFolder::open_like(test, &train)?;
            return Ok((load(&train)?, load(&test)?));
        }
        let all = load(&ImageFolder::open(&self.folder, shape)?)?;
        Ok(all.stratified_split(TRAINING_SHARE, seed))
    }
}
