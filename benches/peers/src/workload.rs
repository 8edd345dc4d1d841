//! The work that engines are timed on.

/// A model to train, or a pass of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// How it is called on the command line.
    pub name: &'static str,
    /// For the table's legend.
    pub what: &'static str,
    /// Samples in a step on a CPU driver; `None` where it is no work for one.
    pub batch_cpu: Option<usize>,
    /// Samples in a step on a GPU.
    pub batch_gpu: usize,
    /// Floating-point operations of a step for each sample, in millions: convolutions and
    /// products only, forward and both gradients; none for the first layer's input.
    pub mflop: f64,
}

/// Every workload.
pub const WORKLOADS: [Workload; 9] = [
    Workload {
        name: "S",
        what: "1×28×28; conv 3×3 to 32, PReLU, max pool 2, conv 3×3 to 64, PReLU, max pool 2, \
               linear 128, PReLU with one slope, linear 10; SGD with momentum 0.9",
        batch_cpu: Some(64),
        batch_gpu: 64,
        mflop: 25.0,
    },
    Workload {
        name: "M",
        what: "3×32×32; conv 3×3 to 64, 64, max pool 2, 128, 128, max pool 2, 256, 256, max pool \
               2, batch norm and ReLU behind each, linear 10; SGD with momentum 0.9",
        batch_cpu: Some(32),
        batch_gpu: 128,
        mflop: 913.0,
    },
    Workload {
        name: "P",
        what: "1×28×28; conv 3×3 to 32, to 64 with stride 2, to 128 with stride 2, without bias, \
               ReLU behind each, global mean pool, linear 10; plain SGD",
        batch_cpu: Some(16),
        batch_gpu: 64,
        mflop: 44.3,
    },
    Workload {
        name: "R20",
        what: "3×32×32; ResNet-20, 1×1 convolutions as shortcuts where the shape changes; SGD \
               with momentum 0.9",
        batch_cpu: Some(32),
        batch_gpu: 128,
        mflop: 244.0,
    },
    Workload {
        name: "R18",
        what: "3×224×224; ResNet-18, 1,000 classes; SGD with momentum 0.9",
        batch_cpu: None,
        batch_gpu: 32,
        mflop: 10_648.0,
    },
    Workload {
        name: "conv",
        what: "convolution 3×3, 256 to 256 channels, 28×28, padding 1: forward",
        batch_cpu: Some(1),
        batch_gpu: 32,
        mflop: 924.8,
    },
    Workload {
        name: "conv-grad",
        what: "its two gradients",
        batch_cpu: Some(1),
        batch_gpu: 32,
        mflop: 1849.7,
    },
    Workload {
        name: "gemm",
        what: "linear, 4096 to 4096 features: forward (4096³ at batch 4096)",
        batch_cpu: Some(64),
        batch_gpu: 4096,
        mflop: 33.55,
    },
    Workload {
        name: "gemm-grad",
        what: "its two gradients",
        batch_cpu: Some(64),
        batch_gpu: 4096,
        mflop: 67.11,
    },
];

impl Workload {
    /// Samples in a step, by the kind of adapter; `None` where it is skipped.
    pub fn batch(&self, cpu: bool) -> Option<usize> {
        match cpu {
            true => self.batch_cpu,
            false => Some(self.batch_gpu),
        }
    }
}

/// The workload of this name.
pub fn find(name: &str) -> Option<Workload> {
    WORKLOADS.into_iter().find(|w| w.name == name)
}
