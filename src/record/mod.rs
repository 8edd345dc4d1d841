//! A plan as plain commands: shader variant, constants, memory ranges, workgroups. Knows
//! nothing of wgpu; can be printed and compared.

mod profile;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::graph::Home;
use crate::plan::{AdapterProfile, BufferId, Plan};
use crate::shader::{Composed, Shaders};
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
    /// Floating-point operations.
    pub flops: u64,
}

/// The commands of a step and the memory that they need.
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

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Slot(slot) => write!(f, "slot {slot}")?,
            Place::Named(name) => write!(f, "{name}+{}", self.offset)?,
        }
        write!(f, "[{}]", self.len)
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, command) in self.commands.iter().enumerate() {
            let [x, y, z] = command.workgroups;
            write!(
                f,
                "{i:4} {:32} {:24} {x}x{y}x{z} ",
                command.node, command.shader.name
            )?;
            for (range, binding) in command.ranges.iter().zip(&command.shader.bindings) {
                let arrow = if binding.writes { "->" } else { "" };
                write!(f, " {arrow}{}={range}", binding.name)?;
            }
            writeln!(f)?;
        }
        let bytes: usize = self.slots.iter().sum::<usize>() * 4;
        let values = self.values * 4;
        writeln!(
            f,
            "{bytes} bytes in {} slots, for values of {values} bytes",
            self.slots.len()
        )
    }
}
