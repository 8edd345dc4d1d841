//! What can be fetched, where, and how it is known to be right.

use std::str::FromStr;

use super::DataError;

/// A data set that [`Download`](super::Download) knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Known {
    /// Handwritten digits, 28×28 grey, 60,000 and 10,000 (Y. LeCun, C. Cortes and C. Burges).
    Mnist,
    /// Articles of clothing in the same form (H. Xiao, K. Rasul and R. Vollgraf, 2017).
    FashionMnist,
    /// Photographs in ten classes, 3×32×32, 50,000 and 10,000 (A. Krizhevsky, 2009); 170 MB.
    Cifar10,
}

/// The files of a data set.
pub(super) struct Catalogue {
    /// Where they usually lie, each with a slash or without.
    pub mirrors: &'static [&'static str],
    pub files: Vec<Remote>,
}

/// A file, as it was published.
pub(super) struct Remote {
    pub name: &'static str,
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: &'static str,
    /// What is to be taken out of it, if it is a `tar.gz` archive.
    pub members: &'static [&'static str],
}

impl Known {
    const ALL: [Self; 3] = [Self::Mnist, Self::FashionMnist, Self::Cifar10];

    /// Its name, which is that of its folder too.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar-10",
        }
    }

    /// The sums of MNIST and Fashion-MNIST are those of the files that their authors published,
    /// and that TensorFlow Datasets checks against; CIFAR-10's is of the "binary version".
    #[rustfmt::skip]
    pub(super) fn catalogue(self) -> Catalogue {
        match self {
            Self::Mnist => Catalogue {
                mirrors: &[
                    "https://ossci-datasets.s3.amazonaws.com/mnist/",
                    "https://storage.googleapis.com/cvdf-datasets/mnist/",
                ],
                files: idx_files([
                    (9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                    (28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                    (1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                    (4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
                ]),
            },
            Self::FashionMnist => Catalogue {
                mirrors: &[
                    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                ],
                files: idx_files([
                    (26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
                    (29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
                    (4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
                    (5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
                ]),
            },
            Self::Cifar10 => Catalogue {
                mirrors: &["https://www.cs.toronto.edu/~kriz/"],
                files: vec![Remote {
                    name: "cifar-10-binary.tar.gz",
                    bytes: 170_052_171,
                    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                    members: &[
                        "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin",
                    ],
                }],
            },
        }
    }
}

/// The four files of MNIST and its successors.
fn idx_files(sums: [(u64, &'static str); 4]) -> Vec<Remote> {
    const NAMES: [&str; 4] = [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ];
    let file = |(name, (bytes, sha256))| Remote {
        name,
        bytes,
        sha256,
        members: &[],
    };
    NAMES.into_iter().zip(sums).map(file).collect()
}

impl FromStr for Known {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        let found = Self::ALL.into_iter().find(|set| set.name() == name);
        found.ok_or_else(|| DataError::UnknownDownload {
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}
