//! What must hold for any plan. Nothing here calls the planner's own check or believes its list
//! of what is written: accesses are read from the shaders' modules, lifetimes are counted anew.

use std::collections::BTreeMap;

use naga::{AddressSpace, StorageAccess};
use wgrad::graph::{Graph, Home, Var};
use wgrad::plan::AdapterProfile;
use wgrad::record::{Place, Range};
use wgrad::shader::Composed;

use super::Planned;

/// Offsets in named buffers are multiples of this many elements: 256 bytes, the strictest
/// alignment of a storage binding.
const ALIGNMENT: usize = 64;

/// A buffer that a call touches.
#[derive(Clone, Debug)]
struct Access {
    call: usize,
    /// The whole buffer, and the one that is bound: itself, or a part of it.
    buffer: usize,
    bound: usize,
    writes: bool,
    range: Range,
}

/// Everything wrong with a plan, in sentences.
pub fn faults(
    graph: &Graph,
    targets: &[Var],
    planned: &Planned,
    adapter: &AdapterProfile,
) -> Vec<String> {
    let mut faults = Faults::default();
    let Some(accesses) = accesses(planned, &mut faults) else {
        return faults.0;
    };
    lifetimes(planned, &accesses, &mut faults);
    dispatches(planned, &accesses, adapter, &mut faults);
    ranges(planned, &accesses, &mut faults);
    values(graph, targets, planned, &accesses, &mut faults);
    faults.0
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.0.push(fault());
        }
    }
}

/// The buffers that the shader declares, by number, and whether it may write there.
pub fn declared(shader: &Composed) -> BTreeMap<u32, bool> {
    let variables = shader.module.global_variables.iter();
    variables
        .filter_map(|(_, variable)| {
            let writes = match variable.space {
                AddressSpace::Storage { access } => access.contains(StorageAccess::STORE),
                AddressSpace::Uniform => false,
                _ => return None,
            };
            Some((variable.binding.as_ref()?.binding, writes))
        })
        .collect()
}

/// How many of them are storage buffers.
fn storage_buffers(shader: &Composed) -> usize {
    let variables = shader.module.global_variables.iter();
    variables
        .filter(|(_, variable)| matches!(variable.space, AddressSpace::Storage { .. }))
        .count()
}

fn accesses(planned: &Planned, faults: &mut Faults) -> Option<Vec<Access>> {
    let (plan, recording) = (&planned.plan, &planned.recording);
    let before = faults.0.len();
    faults.unless(plan.calls.len() == recording.commands.len(), || {
        "calls and commands differ in number".to_owned()
    });
    let mut accesses = Vec::new();
    for (index, (call, command)) in plan.calls.iter().zip(&recording.commands).enumerate() {
        let declared = declared(&command.shader);
        let numbers = [call.buffers.len(), call.writes.len(), command.ranges.len()];
        faults.unless(numbers == [declared.len(); 3], || {
            format!("call {index} binds other buffers than its shader declares")
        });
        for (slot, &writes) in declared.values().enumerate() {
            let (Some(buffer), Some(range)) = (call.buffers.get(slot), command.ranges.get(slot))
            else {
                continue;
            };
            faults.unless(call.writes.get(slot) == Some(&writes), || {
                format!("call {index} does not know whether it writes binding {slot}")
            });
            accesses.push(Access {
                call: index,
                buffer: plan.whole(*buffer).index(),
                bound: buffer.index(),
                writes,
                range: range.clone(),
            });
        }
    }
    (faults.0.len() == before).then_some(accesses)
}

/// A transient buffer is written first, and alone in its slot from its first to its last call.
fn lifetimes(planned: &Planned, accesses: &[Access], faults: &mut Faults) {
    let plan = &planned.plan;
    let spans = spans(planned, accesses);
    for (&buffer, &(first, _)) in &spans {
        let name = &plan.buffers[buffer].name;
        let writes = |a: &Access| a.call == first && a.buffer == buffer && a.writes;
        faults.unless(accesses.iter().any(writes), || {
            format!("`{name}` is read before it is written")
        });
        faults.unless(plan.slot_of[buffer].is_some(), || {
            format!("`{name}` has no slot")
        });
    }
    for (&a, &(first_a, last_a)) in &spans {
        for (&b, &(first_b, last_b)) in spans.range(a + 1..) {
            let apart = last_a < first_b || last_b < first_a;
            let shared = plan.slot_of[a].is_some() && plan.slot_of[a] == plan.slot_of[b];
            faults.unless(apart || !shared, || {
                format!(
                    "`{}` (calls {first_a} to {last_a}) and `{}` (calls {first_b} to {last_b}) \
                     share a slot",
                    plan.buffers[a].name, plan.buffers[b].name
                )
            });
        }
    }
}

/// First and last call of every transient buffer.
fn spans(planned: &Planned, accesses: &[Access]) -> BTreeMap<usize, (usize, usize)> {
    let mut spans: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for access in accesses {
        if planned.plan.buffers[access.buffer].home == Home::Step {
            let span = spans
                .entry(access.buffer)
                .or_insert((access.call, access.call));
            span.1 = access.call;
        }
    }
    spans
}

/// Pairs of transient buffers that are alive at one time.
pub fn alive_together(planned: &Planned) -> Vec<[usize; 2]> {
    let Some(accesses) = accesses(planned, &mut Faults::default()) else {
        return Vec::new();
    };
    let spans = spans(planned, &accesses);
    let mut pairs = Vec::new();
    for (&a, span_a) in &spans {
        for (&b, span_b) in spans.range(a + 1..) {
            if span_a.0 <= span_b.1 && span_b.0 <= span_a.1 {
                pairs.push([a, b]);
            }
        }
    }
    pairs
}

/// Elements that are alive at the fullest moment: no assignment needs less.
pub fn peak(planned: &Planned) -> usize {
    let Some(accesses) = accesses(planned, &mut Faults::default()) else {
        return 0;
    };
    let spans = spans(planned, &accesses);
    let alive_at = |call: usize| {
        let alive = spans
            .iter()
            .filter(|(_, (first, last))| (first..=last).contains(&&call));
        alive
            .map(|(&buffer, _)| planned.plan.buffers[buffer].len)
            .sum()
    };
    (0..planned.plan.calls.len())
        .map(alive_at)
        .max()
        .unwrap_or(0)
}

/// No dispatch reads and writes one buffer, or writes one place twice; none is larger than the
/// adapter allows.
fn dispatches(
    planned: &Planned,
    accesses: &[Access],
    adapter: &AdapterProfile,
    faults: &mut Faults,
) {
    for (index, command) in planned.recording.commands.iter().enumerate() {
        let touched: Vec<&Access> = accesses.iter().filter(|a| a.call == index).collect();
        for (i, a) in touched.iter().enumerate() {
            for b in &touched[i + 1..] {
                let (one, other) = (&a.range, &b.range);
                let same = one.place == other.place;
                faults.unless(!same || a.writes == b.writes, || {
                    format!("call {index} reads and writes {one} and {other}")
                });
                let apart =
                    one.offset + one.len <= other.offset || other.offset + other.len <= one.offset;
                faults.unless(!same || apart || !(a.writes && b.writes), || {
                    format!("call {index} writes {one} and {other}")
                });
            }
        }
        faults.unless(touched.iter().any(|a| a.writes), || {
            format!("call {index} writes nothing")
        });
        let storage = storage_buffers(&command.shader);
        faults.unless(storage <= adapter.max_storage_buffers, || {
            format!("call {index} binds {storage} storage buffers")
        });
        for range in &command.ranges {
            faults.unless(range.len <= adapter.most_elements(), || {
                format!("call {index} binds {} elements", range.len)
            });
        }
        let groups = command.workgroups;
        let limit = 1..=adapter.max_workgroups;
        faults.unless(groups.iter().all(|n| limit.contains(n)), || {
            format!("call {index} dispatches {groups:?} workgroups")
        });
    }
}

/// Every range lies within its slot or named buffer, where the plan says.
fn ranges(planned: &Planned, accesses: &[Access], faults: &mut Faults) {
    let (plan, recording) = (&planned.plan, &planned.recording);
    for access in accesses {
        let (info, range) = (&plan.buffers[access.bound], &access.range);
        let (room, place) = match &info.home {
            Home::Step => {
                let begin = info.part_of.map_or(0, |(_, offset)| offset);
                let whole = plan.buffers[access.buffer].len;
                let inside = begin + info.len <= whole && begin % ALIGNMENT == 0;
                faults.unless(range.offset == begin && inside, || {
                    format!("`{}` is bound at {range}, of {whole}", info.name)
                });
                let slot = plan.slot_of[access.buffer].unwrap_or(usize::MAX);
                (recording.slots.get(slot).copied(), Place::Slot(slot))
            }
            Home::Persistent { buffer, offset } => {
                faults.unless(range.offset == *offset, || {
                    format!("`{}` is bound at {range}", info.name)
                });
                faults.unless(offset % ALIGNMENT == 0, || {
                    format!("`{}` begins at {offset}, which is not aligned", info.name)
                });
                let room = recording.named.get(buffer).copied();
                (room, Place::Named(buffer.clone()))
            }
        };
        faults.unless(range.place == place && range.len == info.len, || {
            format!(
                "`{}` of {} elements is bound to {range}",
                info.name, info.len
            )
        });
        let end = range.offset + range.len;
        faults.unless(
            range.len > 0 && room.is_some_and(|room| end <= room),
            || format!("`{}` at {range} does not fit into {room:?}", info.name),
        );
    }
}

/// Buffers are as long as their values, parameters lie apart, and targets are computed.
fn values(
    graph: &Graph,
    targets: &[Var],
    planned: &Planned,
    accesses: &[Access],
    faults: &mut Faults,
) {
    let plan = &planned.plan;
    for target in targets {
        let name = &graph.value(*target).name;
        faults.unless(plan.buffer_of(*target).is_some(), || {
            format!("the target `{name}` is not planned")
        });
    }
    for var in all_values(graph, targets) {
        let value = graph.value(var);
        let Some(buffer) = plan.buffer_of(var) else {
            continue;
        };
        let info = &plan.buffers[buffer.index()];
        let needed = value.value_type.device_len(plan.options.batch);
        faults.unless(info.len >= needed, || {
            format!(
                "`{}` needs {needed} elements and has {}",
                value.name, info.len
            )
        });
        if value.home == Home::Step {
            continue;
        }
        faults.unless(info.home == value.home, || {
            format!("`{}` is not in its place", value.name)
        });
        let mut touched = accesses.iter().filter(|a| a.buffer == buffer.index());
        let written_first = touched.next().is_some_and(|a| a.writes);
        faults.unless(value.producer.is_none() || written_first, || {
            format!("`{}` is not written first", value.name)
        });
    }
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for parameter in graph.parameters() {
        let Home::Persistent { buffer, offset } = &graph.value(parameter.var()).home else {
            continue;
        };
        let end = ends.entry(buffer.clone()).or_insert(0);
        faults.unless(offset >= end, || {
            format!("`{}` lies in the parameter before it", parameter.name)
        });
        *end = offset + parameter.layout.size();
    }
}

/// Every value that a node or a target names.
fn all_values(graph: &Graph, targets: &[Var]) -> Vec<Var> {
    let nodes = graph.nodes().iter();
    let mut all: Vec<Var> = nodes
        .flat_map(|node| node.inputs.iter().chain(&node.outputs))
        .chain(targets)
        .copied()
        .collect();
    all.sort();
    all.dedup();
    all
}
