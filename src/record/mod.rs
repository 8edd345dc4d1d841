//! A plan as plain commands: shader variant, constants, memory ranges, workgroups. Knows
//! nothing of wgpu; can be printed and compared.

mod layers;
mod profile;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::graph::Home;
use crate::ops::choice::Choice;
use crate::plan::{AdapterProfile, BufferId, Plan};
use crate::shader::{Composed, Shaders};
pub use layers::LayerTime;
pub use profile::{Profile, Timed};

/// Memory of a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A slot of the step.
    Slot(usize),
    /// A named buffer.
    Named(String),
}

/// A bound range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The buffer.
    pub place: Place,
    /// First element.
    pub offset: usize,
    /// Elements.
    pub len: usize,
}

/// One dispatch.
#[derive(Clone, Debug)]
pub struct Command {
    /// The node that it computes, in part or in full.
    pub node: String,
    /// The shader variant.
    pub shader: Arc<Composed>,
    /// The integers of the variant, for printing.
    pub defines: Vec<(String, i64)>,
    /// Values of `override` constants.
    pub constants: Vec<(String, f64)>,
    /// Ranges, by binding number.
    pub ranges: Vec<Range>,
    /// Workgroups along x, y, z.
    pub workgroups: [u32; 3],
    /// Its share of the node's floating-point operations.
    pub flops: u64,
    /// The choice of kernels that it belongs to, for convolutions and products.
    pub choice: Option<Choice>,
}

impl Command {
    /// How the kernel is cut to its problem: the choice of kernels, or tile constants.
    pub fn tile(&self) -> String {
        if let Some(choice) = self.choice {
            return choice.to_string();
        }
        let defines = self.defines.iter();
        let of_tile = defines.filter(|(name, _)| name.starts_with("TILE") || name == "SPLITS");
        let words: Vec<String> = of_tile.map(|(name, v)| format!("{name}={v}")).collect();
        words.join(" ")
    }

    /// Bytes of the ranges that are bound for reading alone. A kernel may need less of them: of a
    /// data set, one batch.
    pub fn bytes_read(&self) -> u64 {
        self.bytes(false)
    }

    /// Bytes of the ranges that are bound for writing, also where they are read too.
    pub fn bytes_written(&self) -> u64 {
        self.bytes(true)
    }

    fn bytes(&self, written: bool) -> u64 {
        let bindings = self.shader.bindings.iter().zip(&self.ranges);
        let bound = bindings.filter(|(binding, _)| binding.writes == written);
        bound.map(|(_, range)| 4 * range.len as u64).sum()
    }
}

/// The commands of a step and the memory that they need. Prints as a table: for every dispatch its
/// kernel and tile, workgroups, operations, bytes and memory.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Dispatches, in order.
    pub commands: Vec<Command>,
    /// Sizes of the slots, in elements.
    pub slots: Vec<usize>,
    /// Elements of the values of the step as the graph has them: if nothing were fused, and none
    /// shared a slot.
    pub values: usize,
    /// Named buffers with the elements that are touched.
    pub named: BTreeMap<String, usize>,
    /// What some of them hold from the start.
    pub data: BTreeMap<String, Arc<[f32]>>,
}

impl Recording {
    /// Turns a plan into commands.
    ///
    /// # Errors
    /// [`crate::Error::Shader`] for a kernel that does not compile.
    pub fn new(plan: &Plan, adapter: &AdapterProfile, shaders: &Shaders) -> Result<Self> {
        let command = |call: &crate::plan::Call| {
            let shader = shaders.compose(&call.kernel)?;
            Ok(Command {
                node: call.node.clone(),
                defines: call.kernel.defines.clone(),
                constants: call.kernel.constants.clone(),
                ranges: call.buffers.iter().map(|b| range(plan, *b)).collect(),
                workgroups: call
                    .kernel
                    .grid
                    .workgroups(shader.workgroup_size, adapter.max_workgroups),
                flops: call.flops,
                choice: call.choice,
                shader,
            })
        };
        Ok(Self {
            commands: plan.calls.iter().map(command).collect::<Result<_>>()?,
            slots: plan.slots.clone(),
            values: plan.values_len,
            named: plan.persistent(),
            data: plan.data.clone(),
        })
    }
}

/// Where a buffer of the plan lies.
pub fn range(plan: &Plan, buffer: BufferId) -> Range {
    let info = &plan.buffers[buffer.0];
    let (place, offset) = match &info.home {
        Home::Persistent { buffer, offset } => (Place::Named(buffer.clone()), *offset),
        Home::Step => {
            let begin = info.part_of.map_or(0, |(_, offset)| offset);
            (Place::Slot(plan.slot_of[buffer.0].unwrap_or(0)), begin)
        }
    };
    Range {
        place,
        offset,
        len: info.len,
    }
}
