//! How one convolution or matrix product is computed, as data.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::conv2d::Problem;

/// The kernels for one [`Problem`] and their sizes. Every choice computes the same sums, in
/// another order of additions.
///
/// As text it is one line, `register tile=1x14x4 parts=16`, and is read back by [`str::parse`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice {
    /// Sums in registers; see [`Variant::Register`](super::conv2d::Variant::Register).
    Register {
        /// Results of one invocation: rows, columns and channel vectors; of a filter's gradient
        /// taps, input and output vectors.
        tile: [usize; 3],
        /// Into how many parts each sum is cut.
        parts: usize,
    },
    /// Products through workgroup memory; see [`Variant::Tiled`](super::conv2d::Variant::Tiled).
    Tiled {
        /// What a workgroup computes.
        tile: WorkgroupTile,
        /// Into how many parts each sum is cut.
        parts: usize,
    },
    /// Products in which the invocations of a subgroup hand loaded values round.
    Subgroup {
        /// Results of one invocation: rows and vectors; of a matrix's gradient input and output
        /// vectors of a workgroup.
        tile: [usize; 2],
        /// Into how many parts each sum is cut.
        parts: usize,
    },
    /// Winograd's minimal filtering; see [`Variant::Winograd`](super::conv2d::Variant::Winograd).
    Winograd(WinogradCut),
}

/// How Winograd's products are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WinogradCut {
    /// Pixels along a side of a tile of results: 2 or 4.
    pub side: usize,
    /// Results of one invocation of the products: columns and channel vectors; of a filter's
    /// gradient input and output vectors.
    pub tile: [usize; 2],
    /// Into how many parts each sum is cut.
    pub parts: usize,
    /// Into how many pieces, one after the other, the batch is cut, so that what is
    /// transformed stays in a cache.
    pub pieces: usize,
}

/// The tile of a workgroup along the two sides of a product: pixels (of a filter's gradient taps
/// and input vectors) and channel vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkgroupTile {
    /// Invocations.
    pub threads: [usize; 2],
    /// Results of each invocation.
    pub each: [usize; 2],
}

impl Choice {
    /// How far the sums are cut.
    pub(super) fn parts(self) -> usize {
        match self {
            Self::Register { parts, .. }
            | Self::Tiled { parts, .. }
            | Self::Subgroup { parts, .. }
            | Self::Winograd(WinogradCut { parts, .. }) => parts,
        }
    }

    /// The same with its sums cut otherwise.
    pub(super) fn with_parts(self, cut: usize) -> Self {
        let mut other = self;
        match &mut other {
            Self::Register { parts, .. }
            | Self::Tiled { parts, .. }
            | Self::Subgroup { parts, .. }
            | Self::Winograd(WinogradCut { parts, .. }) => *parts = cut,
        }
        other
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |numbers: &[usize]| {
            let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
            words.join("x")
        };
        match self {
            Self::Register { tile, parts } => {
                write!(f, "register tile={} parts={parts}", times(tile))
            }
            Self::Tiled { tile, parts } => {
                let (threads, each) = (times(&tile.threads), times(&tile.each));
                write!(f, "tiled threads={threads} each={each} parts={parts}")
            }
            Self::Subgroup { tile, parts } => {
                write!(f, "subgroup tile={} parts={parts}", times(tile))
            }
            Self::Winograd(WinogradCut {
                side,
                tile,
                parts,
                pieces,
            }) => {
                let tile = times(tile);
                write!(
                    f,
                    "winograd side={side} tile={tile} parts={parts} pieces={pieces}"
                )
            }
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let variant = words.next().unwrap_or_default();
        let mut numbers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let value = value.split('x').map(str::parse).collect::<Result<_, _>>();
            numbers.insert(name, value.map_err(|_| format!("`{word}` in `{text}`"))?);
        }
        let choice = match variant {
            "register" => Self::Register {
                tile: take(&mut numbers, "tile")?,
                parts: take::<1>(&mut numbers, "parts")?[0],
            },
            "tiled" => Self::Tiled {
                tile: WorkgroupTile {
                    threads: take(&mut numbers, "threads")?,
                    each: take(&mut numbers, "each")?,
                },
                parts: take::<1>(&mut numbers, "parts")?[0],
            },
            "subgroup" => Self::Subgroup {
                tile: take(&mut numbers, "tile")?,
                parts: take::<1>(&mut numbers, "parts")?[0],
            },
            "winograd" => Self::Winograd(WinogradCut {
                side: take::<1>(&mut numbers, "side")?[0],
                tile: take(&mut numbers, "tile")?,
                parts: take::<1>(&mut numbers, "parts")?[0],
                pieces: take::<1>(&mut numbers, "pieces")?[0],
            }),
            _ => return Err(format!("`{variant}` is no variant")),
        };
        match numbers.keys().next() {
            Some(name) => Err(format!("`{name}` is no size of `{variant}`")),
            None => Ok(choice),
        }
    }
}

/// The `N` numbers of this name.
fn take<const N: usize>(
    numbers: &mut BTreeMap<&str, Vec<usize>>,
    name: &str,
) -> Result<[usize; N], String> {
    let found = numbers.remove(name).unwrap_or_default();
    <[usize; N]>::try_from(found).map_err(|found| format!("`{name}` has {} numbers", found.len()))
}

/// Choices that take the place of the heuristic's, by problem. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    by_problem: Option<Arc<BTreeMap<String, Choice>>>,
}

impl Choices {
    /// None: the heuristic chooses everywhere.
    pub const fn new() -> Self {
        Self { by_problem: None }
    }

    /// The choice for a problem, if there is one.
    pub fn get(&self, problem: &Problem) -> Option<Choice> {
        let known = self.by_problem.as_ref()?;
        known.get(&problem.to_string()).copied()
    }

    /// Problems, as text, and choices, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Choice)> {
        let known = self.by_problem.iter().flat_map(|map| map.iter());
        known.map(|(problem, choice)| (problem.as_str(), *choice))
    }

    /// These, and for the problems of `others` those.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        self.iter().chain(others.iter()).collect()
    }

    /// Whether the heuristic chooses everywhere.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// From problems, as text, and their choices.
impl<S: Into<String>> FromIterator<(S, Choice)> for Choices {
    fn from_iter<I: IntoIterator<Item = (S, Choice)>>(choices: I) -> Self {
        let choices = choices.into_iter().map(|(p, choice)| (p.into(), choice));
        Self {
            by_problem: Some(Arc::new(choices.collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_back_from_its_text() {
        let choices = [
            Choice::Register {
                tile: [1, 14, 4],
                parts: 16,
            },
            Choice::Tiled {
                tile: WorkgroupTile {
                    threads: [16, 8],
                    each: [8, 2],
                },
                parts: 1,
            },
            Choice::Subgroup {
                tile: [4, 8],
                parts: 2,
            },
            Choice::Winograd(WinogradCut {
                side: 4,
                tile: [12, 4],
                parts: 8,
                pieces: 2,
            }),
        ];
        for choice in choices {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert_eq!(choices[0].to_string(), "register tile=1x14x4 parts=16");
    }

    #[test]
    fn other_text_is_refused_with_a_reason() {
        let refused = |text: &str| text.parse::<Choice>().unwrap_err();
        assert_eq!(refused("fft tile=1x1x1"), "`fft` is no variant");
        assert_eq!(refused("register tile=1x1 parts=1"), "`tile` has 2 numbers");
        assert_eq!(refused("register tile=1x1x1"), "`parts` has 0 numbers");
        let unknown = "register tile=1x1x1 parts=1 pieces=2";
        assert_eq!(refused(unknown), "`pieces` is no size of `register`");
        let odd = "register tile=1x-1x1 parts=1";
        assert_eq!(refused(odd), format!("`tile=1x-1x1` in `{odd}`"));
        assert!("".parse::<Choice>().is_err());
    }
}
