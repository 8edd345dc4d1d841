//! Well-known data sets, fetched once.

mod catalogue;
mod fetch;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;
mod unpack;

use std::path::{Path, PathBuf};

use catalogue::Catalogue;
use ureq::Agent;

use super::file::create_folder;
use super::{Cifar, Classes, DataError, Dataset, cifar_folder, idx_folder};

pub use catalogue::Known;

/// Fetches a well-known data set into a folder, or finds it there.
///
/// Files are checked by SHA-256 and get their names only then, so a file that is there is whole. A
/// download that broke off goes on where it stopped, if the server can do that. A proxy is taken
/// from the environment (`HTTPS_PROXY`, `NO_PROXY`, ...).
///
/// ```no_run
/// # use wgrad::data::Download;
/// let (train, test) = Download::named("fashion-mnist", "data")?.load()?; // data/fashion-mnist/...
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Download {
    set: Known,
    folder: PathBuf,
    mirrors: Option<Vec<String>>,
}

impl Download {
    /// A data set, in a folder of its own name below `folder`.
    pub fn new(set: Known, folder: impl AsRef<Path>) -> Self {
        Self {
            set,
            folder: folder.as_ref().join(set.name()),
            mirrors: None,
        }
    }

    /// As [`new`](Self::new), by name: `mnist`, `fashion-mnist` or `cifar-10`.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownDownload`] for another name.
    ///
    /// ```
    /// # use wgrad::data::Download;
    /// let error = Download::named("minst", "data").unwrap_err();
    /// let expected =
    ///     "no data set `minst` can be downloaded; there are: mnist, fashion-mnist, cifar-10";
    /// assert_eq!(error.to_string(), expected);
    /// ```
    pub fn named(name: &str, folder: impl AsRef<Path>) -> Result<Self, DataError> {
        Ok(Self::new(name.parse()?, folder))
    }

    /// Sets where the files are looked for, in this order, in place of the usual addresses: URLs,
    /// `http` or `https`, to which a file's name is added behind a slash.
    pub fn mirrors<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Self {
        self.mirrors = Some(urls.into_iter().map(Into::into).collect());
        self
    }

    /// Fetches what is not there yet, and gives the folder.
    ///
    /// # Errors
    ///
    /// [`DataError::Download`] with what each mirror did wrong, and [`DataError::File`] for a file
    /// or folder that cannot be written or unpacked.
    pub fn fetch(&self) -> Result<PathBuf, DataError> {
        let agent = fetch::config().build().new_agent();
        self.fetch_from(&self.set.catalogue(), &agent)
    }

    /// Fetches what is not there yet, and reads the training and the test set.
    ///
    /// # Errors
    ///
    /// Those of [`fetch`](Self::fetch), and of [`idx_folder`] or [`cifar_folder`].
    pub fn load(&self) -> Result<(Dataset, Dataset), DataError> {
        let folder = self.fetch()?;
        match self.set {
            Known::Mnist => idx_folder(folder, 10),
            Known::FashionMnist => idx_folder(folder, Classes::fashion_mnist()),
            Known::Cifar10 => cifar_folder(Cifar::Ten, folder),
        }
    }

    fn fetch_from(&self, catalogue: &Catalogue, agent: &Agent) -> Result<PathBuf, DataError> {
        let usual = || {
            catalogue
                .mirrors
                .iter()
                .map(|url| (*url).to_owned())
                .collect()
        };
        let mirrors = self.mirrors.clone().unwrap_or_else(usual);
        for file in &catalogue.files {
            let there = |name: &str| self.folder.join(name).is_file();
            if there(file.name) || !file.members.is_empty() && file.members.iter().all(|m| there(m))
            {
                continue;
            }
            create_folder(&self.folder)?;
            fetch::fetch(agent, file, &mirrors, &self.folder)?;
        }
        for archive in catalogue
            .files
            .iter()
            .filter(|file| !file.members.is_empty())
        {
            unpack::unpack(&self.folder, archive)?;
        }
        Ok(self.folder.clone())
    }
}
