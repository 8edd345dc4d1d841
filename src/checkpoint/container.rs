//! Tensors and facts as the bytes of a safetensors file, and back.

use std::borrow::Cow;

use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, TensorView, View};

use super::{CheckpointError, Facts};
use crate::error::{Error, Result};

/// The header's key for [`Facts`].
const KEY: &str = "wgrad";
/// The fact that guards the others and the tensors.
const CHECKSUM: &str = "crc32";

/// The fact by which checkpoints are compared.
pub(super) const FIGURE: &str = "figure";

/// A tensor to be written.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    /// Little-endian, in row-major order.
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    pub(crate) fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            dtype: Dtype::F32,
            bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    /// A text of any length, which is none of the facts.
    pub(crate) fn text(name: &str, text: String) -> Self {
        Self {
            name: name.to_owned(),
            shape: vec![text.len()],
            dtype: Dtype::U8,
            bytes: text.into_bytes(),
        }
    }

    /// Words as they lie on the device.
    pub(crate) fn words(name: &str, dtype: Dtype, words: &[u32]) -> Self {
        Self {
            name: name.to_owned(),
            shape: vec![words.len()],
            dtype,
            bytes: words.iter().flat_map(|w| w.to_le_bytes()).collect(),
        }
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// What goes into a training's file beside the training.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) tensors: Vec<Tensor>,
}

impl Extra {
    /// With the figure by which checkpoints are compared, if there is one.
    pub(crate) fn with_figure(figure: Option<f64>) -> Self {
        let mut extra = Self::default();
        if let Some(figure) = figure {
            extra.fact(FIGURE, figure);
        }
        extra
    }

    pub(crate) fn fact(&mut self, name: &str, text: impl ToString) {
        self.facts.push((name.to_owned(), text.to_string()));
    }
}

/// The bytes of a file; equal contents give equal bytes.
pub(crate) fn encode(tensors: &[Tensor], mut facts: Facts) -> Result<Vec<u8>> {
    let views = tensors
        .iter()
        .map(|t| (t.name.as_str(), t.shape.as_slice(), t.bytes.as_slice()));
    let checksum = checksum(views.collect(), &facts);
    facts.set(CHECKSUM, checksum);
    let header = [(KEY.to_owned(), facts.to_string())];
    let named = tensors.iter().map(|tensor| (tensor.name.as_str(), tensor));
    safetensors::serialize(named, Some(header.into_iter().collect()))
        .map_err(|error| Error::Invalid(format!("the tensors cannot be saved: {error}")))
}

/// CRC-32 of the facts and of every tensor's name, shape and bytes, in the order of the names.
fn checksum(mut tensors: Vec<(&str, &[usize], &[u8])>, facts: &Facts) -> String {
    tensors.sort_unstable_by_key(|(name, ..)| *name);
    let mut crc = flate2::Crc::new();
    crc.update(facts.to_string().as_bytes());
    for (name, shape, bytes) in tensors {
        crc.update(name.as_bytes());
        for extent in shape {
            crc.update(&(*extent as u64).to_le_bytes());
        }
        crc.update(bytes);
    }
    format!("{:08x}", crc.sum())
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    /// Its path, for errors.
    pub(crate) file: String,
    tensors: SafeTensors<'a>,
    /// None in a file of another program.
    facts: Option<Facts>,
}

impl<'a> Container<'a> {
    /// Reads the header, and compares the checksum if there is one.
    pub(crate) fn decode(bytes: &'a [u8], file: String) -> Result<Self, CheckpointError> {
        let mut container = Self::parse(bytes, file)?;
        container.check()?;
        Ok(container)
    }

    /// Reads the header. The facts have their checksum among them.
    pub(crate) fn parse(bytes: &'a [u8], file: String) -> Result<Self, CheckpointError> {
        let decoded = SafeTensors::read_metadata(bytes)
            .and_then(|(_, header)| Ok((header, SafeTensors::deserialize(bytes)?)));
        let (header, tensors) = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return Err(refusal(bytes, file, &error)),
        };
        let text = header.metadata().as_ref().and_then(|map| map.get(KEY));
        let facts = text.map(|text| Facts::parse(text));
        Ok(Self {
            file,
            tensors,
            facts,
        })
    }

    fn check(&mut self) -> Result<(), CheckpointError> {
        let Some(facts) = &mut self.facts else {
            return Ok(());
        };
        let saved = facts.take(CHECKSUM).unwrap_or_default();
        let all = self.tensors.tensors();
        let views = all
            .iter()
            .map(|(name, view)| (name.as_str(), view.shape(), view.data()));
        let found = checksum(views.collect(), facts);
        if found == saved {
            return Ok(());
        }
        Err(CheckpointError::Corrupted {
            file: self.file.clone(),
            reason: format!("its checksum is {found}, it was saved with `{saved}`"),
        })
    }

    /// A fact about the file; none has one in a file of another program.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        self.facts.as_ref().and_then(|facts| facts.get(name))
    }

    /// The tensors, by name.
    pub(crate) fn tensors(&self) -> Vec<(String, TensorView<'a>)> {
        let mut tensors = self.tensors.tensors();
        tensors.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        tensors
    }

    pub(crate) fn tensor(&self, name: &str) -> Option<TensorView<'a>> {
        self.tensors.tensor(name).ok()
    }
}

/// What is wrong with a file that safetensors refuses.
fn refusal(bytes: &[u8], file: String, error: &SafeTensorError) -> CheckpointError {
    let known = [
        (
            &b"PK\x03\x04"[..],
            "a zip archive, such as `torch.save` writes; save it with `safetensors`",
        ),
        (b"\x80\x02", "a Python pickle; save it with `safetensors`"),
        (b"\x89HDF", "an HDF5 file; save it with `safetensors`"),
        (b"GGUF", "a GGUF file; convert it to safetensors"),
    ];
    if let Some((_, kind)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let reason = format!("it looks like {kind}");
        return CheckpointError::Foreign { file, reason };
    }
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        let reason = format!("it has {} bytes, its first number alone has 8", bytes.len());
        return CheckpointError::Truncated { file, reason };
    };
    if rest.first().is_some_and(|byte| *byte != b'{') {
        let reason = "there is no JSON header behind its first 8 bytes".to_owned();
        return CheckpointError::Foreign { file, reason };
    }
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let Some(header) = rest.get(..length) else {
        let reason = format!(
            "its header has {length} bytes, only {} are left",
            rest.len()
        );
        return CheckpointError::Truncated { file, reason };
    };
    let data = rest.len() - length;
    match serde_json::from_slice::<Metadata>(header) {
        Ok(header) if data < header.data_len() => {
            let reason = format!(
                "its tensors have {} bytes, {data} are there",
                header.data_len()
            );
            CheckpointError::Truncated { file, reason }
        }
        Ok(header) if data > header.data_len() => {
            let reason = format!("{} bytes are too many", data - header.data_len());
            CheckpointError::Corrupted { file, reason }
        }
        _ => CheckpointError::Corrupted {
            file,
            reason: error.to_string(),
        },
    }
}
