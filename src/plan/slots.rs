//! Memory by lifetime: transient buffers whose lifetimes do not overlap share a slot.

use super::Plan;
use crate::graph::Home;

/// First and last call that touch a buffer, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetime {
    first: usize,
    last: usize,
}

impl Lifetime {
    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Gives every transient buffer a slot: the largest first, each into the smallest slot that
/// is free for its whole lifetime, else into a new one (greedy by size, as in Pisarchyk and
/// Lee, "Efficient memory management for deep neural net inference", 2020).
pub(super) fn assign(plan: &mut Plan) {
    let lifetimes = lifetimes(plan);
    let mut order: Vec<usize> = (0..plan.buffers.len())
        .filter(|&b| plan.buffers[b].home == Home::Step && plan.buffers[b].part_of.is_none())
        .collect();
    order.sort_by_key(|&b| (std::cmp::Reverse(plan.buffers[b].len), b));
    let mut tenants: Vec<Vec<Lifetime>> = Vec::new();
    plan.slot_of = vec![None; plan.buffers.len()];
    for buffer in order {
        // A buffer that no call touches (the result of an unused view) needs no memory.
        let Some(lifetime) = lifetimes[buffer] else {
            continue;
        };
        let free = |slot: &usize| !tenants[*slot].iter().any(|t| t.overlaps(lifetime));
        let slot = (0..tenants.len())
            .rev()
            .filter(|_| plan.options.reuse)
            .find(free)
            .unwrap_or(tenants.len());
        if slot == tenants.len() {
            tenants.push(Vec::new());
            plan.slots.push(plan.buffers[buffer].len);
        }
        tenants[slot].push(lifetime);
        plan.slot_of[buffer] = Some(slot);
    }
    for part in 0..plan.buffers.len() {
        if let Some((whole, _)) = plan.buffers[part].part_of {
            plan.slot_of[part] = plan.slot_of[whole.0];
        }
    }
}

fn lifetimes(plan: &Plan) -> Vec<Option<Lifetime>> {
    let mut lifetimes: Vec<Option<Lifetime>> = vec![None; plan.buffers.len()];
    for (index, call) in plan.calls.iter().enumerate() {
        for buffer in &call.buffers {
            let lifetime = lifetimes[plan.whole(*buffer).0].get_or_insert(Lifetime {
                first: index,
                last: index,
            });
            lifetime.last = index;
        }
    }
    lifetimes
}
