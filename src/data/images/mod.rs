//! Images in folders, a folder a class.

mod decode;
mod listing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use super::{Classes, DataError, Dataset, FileFault, Loading, Source, Target};

/// PNG and JPEG files under a folder that has a folder for each class.
///
/// ```text
/// root/cat/1.png
/// root/cat/from-anna/7.jpeg
/// root/dog/1.jpg
/// ```
///
/// The classes are the folders' names in alphabetical order; the images of one are those anywhere
/// below its folder, in the order of their paths. Names that begin with a dot and files that do
/// not end in `png`, `jpg` or `jpeg` are passed over.
///
/// Every image is brought to one shape: turned as its EXIF orientation says, then cut to the
/// wanted shape's proportions about its centre, then scaled (bilinear, averaging where it
/// shrinks). Grey becomes colour by repetition, colour becomes grey by luma (Rec. 709), 16 bits
/// become 8, and what is transparent shows the [background](Self::background).
///
/// ```no_run
/// # use wgrad::data::{ImageFolder, Loading};
/// // 3 channels, 64 rows, 96 columns.
/// let train = ImageFolder::open("pets/train", [3, 64, 96])?;
/// let test = ImageFolder::open_like("pets/test", &train)?;
/// let train = train.load()?.normalised();
/// let test = test.load()?.normalised_like(&train)?;
/// # Ok::<(), wgrad::data::DataError>(())
/// ```
///
/// It is a [`Source`]: [`Loading`] says on how many threads, in what order and whether images that
/// cannot be decoded are to be left out.
#[derive(Clone, Debug)]
#[must_use]
pub struct ImageFolder {
    classes: Vec<String>,
    /// Path and label.
    images: Vec<(PathBuf, u32)>,
    form: Form,
}

/// What every image is brought to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Form {
    channels: Channels,
    height: u32,
    width: u32,
    fit: Fit,
    background: [u8; 3],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Channels {
    Grey,
    Rgb,
    Rgba,
}

/// How an image of other proportions than the wanted ones is brought to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// Scales it to just cover the wanted shape and keeps the centre.
    #[default]
    Crop,
    /// Scales its shorter side to this length and keeps the centre, as torchvision's `Resize`
    /// and `CenterCrop` do together. Never leaves a margin: where the length is too small for
    /// that, it is [`Crop`](Self::Crop).
    ShorterSide(u32),
    /// Scales rows and columns by themselves and cuts nothing off.
    Stretch,
}

/// Decodes one image to the values of a sample of this shape, `[channels, rows, columns]`, as
/// [`ImageFolder`] does: for [`Dataset::images_u8`].
///
/// # Errors
///
/// [`DataError::ImageShape`] for another shape, and [`DataError::File`] for a file that is missing
/// or no image.
pub fn image_file(path: impl AsRef<Path>, shape: [usize; 3]) -> Result<Vec<u8>, DataError> {
    let form = Form::new(shape)?;
    let mut pixels = vec![0; shape.iter().product()];
    decode::decode(path.as_ref(), &form, &mut pixels)?;
    Ok(pixels)
}

impl ImageFolder {
    /// Lists the images under `root`; decodes nothing yet.
    ///
    /// `shape` is that of a sample, `[channels, rows, columns]`: 1 channel for grey, 3 for red,
    /// green and blue, 4 for alpha too.
    ///
    /// # Errors
    ///
    /// [`DataError::ImageShape`] for another shape, and [`DataError::File`] for a folder that
    /// cannot be read, that has fewer than two classes, or a class without images.
    pub fn open(root: impl AsRef<Path>, shape: [usize; 3]) -> Result<Self, DataError> {
        let (root, form) = (root.as_ref(), Form::new(shape)?);
        let classes = listing::classes(root)?;
        if classes.len() < 2 {
            let found = classes.len();
            return Err(DataError::file(root, FileFault::TooFewClasses { found }));
        }
        Self::listed(root, classes.clone(), &classes, form)
    }

    /// Lists the images under `root` by the classes of `other`, in its shape and with its
    /// settings: a test set whose labels mean what they mean in the training set.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), though one class is enough, and
    /// [`FileFault::UnknownClass`] for a folder that is none of the classes.
    pub fn open_like(root: impl AsRef<Path>, other: &Self) -> Result<Self, DataError> {
        let root = root.as_ref();
        let present = listing::classes(root)?;
        if present.is_empty() {
            return Err(DataError::file(root, FileFault::TooFewClasses { found: 0 }));
        }
        Self::listed(root, other.classes.clone(), &present, other.form)
    }

    /// Those images of `classes` that are `present` under `root`.
    fn listed(
        root: &Path,
        classes: Vec<String>,
        present: &[String],
        form: Form,
    ) -> Result<Self, DataError> {
        let mut images = Vec::new();
        for name in present {
            let folder = root.join(name);
            let Some(label) = classes.iter().position(|class| class == name) else {
                let known = classes.join(", ");
                return Err(DataError::file(folder, FileFault::UnknownClass { known }));
            };
            let files = listing::images(&folder)?;
            if files.is_empty() {
                return Err(DataError::file(folder, FileFault::NoImages));
            }
            images.extend(files.into_iter().map(|file| (file, label as u32)));
        }
        Ok(Self {
            classes,
            images,
            form,
        })
    }

    /// Sets what happens to images of other proportions; [`Fit::Crop`] unless set.
    pub fn fit(mut self, fit: Fit) -> Self {
        self.form.fit = fit;
        self
    }

    /// Sets the colour behind transparent parts; black unless set. Samples of four channels keep
    /// their transparency instead.
    pub fn background(mut self, rgb: [u8; 3]) -> Self {
        self.form.background = rgb;
        self
    }

    /// The file of sample `index`.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<&Path> {
        self.images.get(index).map(|(path, _)| path.as_path())
    }

    /// Decodes all images, on as many threads as there are cores.
    ///
    /// # Errors
    ///
    /// [`DataError::File`] with the first file that cannot be decoded, and those of
    /// [`Loading::load`].
    pub fn load(&self) -> Result<Dataset, DataError> {
        Ok(Loading::new().load(self)?.data)
    }
}

impl Form {
    fn new(shape: [usize; 3]) -> Result<Self, DataError> {
        let [channels, height, width] = shape;
        let channels = match channels {
            1 => Some(Channels::Grey),
            3 => Some(Channels::Rgb),
            4 => Some(Channels::Rgba),
            _ => None,
        };
        let side = |size: usize| u32::try_from(size).ok().filter(|size| *size > 0);
        match (channels, side(height), side(width)) {
            (Some(channels), Some(height), Some(width)) => Ok(Self {
                channels,
                height,
                width,
                fit: Fit::default(),
                background: [0; 3],
            }),
            _ => Err(DataError::ImageShape { shape }),
        }
    }
}

impl Source for ImageFolder {
    type Element = u8;

    fn len(&self) -> usize {
        self.images.len()
    }

    fn shape(&self) -> Vec<usize> {
        let channels = match self.form.channels {
            Channels::Grey => 1,
            Channels::Rgb => 3,
            Channels::Rgba => 4,
        };
        vec![
            channels,
            self.form.height as usize,
            self.form.width as usize,
        ]
    }

    fn classes(&self) -> Option<Classes> {
        Some(Classes::from(self.classes.clone()))
    }

    fn read(&self, index: usize, out: &mut [u8]) -> Result<Target, DataError> {
        let Some((path, label)) = self.images.get(index) else {
            let len = self.images.len();
            return Err(DataError::NoSuchSample { index, len });
        };
        decode::decode(path, &self.form, out)?;
        Ok(Target::Label(*label))
    }
}
