//! What must hold for any plan, whatever the operators did.

use std::collections::BTreeMap;

use super::{BufferId, Plan};
use crate::error::{Error, Result};
use crate::graph::Home;

/// Checks that no dispatch reads and writes one buffer, that no two live values share a slot,
/// and that nothing transient is read before it is written.
pub(super) fn check(plan: &Plan) -> Result<()> {
    let mut owner: BTreeMap<usize, BufferId> = BTreeMap::new();
    for call in &plan.calls {
        let fail = |reason: String| {
            Err(Error::Shader {
                shader: call.kernel.shader.name.to_owned(),
                reason: format!("in `{}`: {reason}", call.node),
            })
        };
        let bound = || call.buffers.iter().zip(&call.writes);
        for (buffer, _) in bound().filter(|(_, writes)| !**writes) {
            if let Some(slot) = plan.slot_of[buffer.0]
                && owner.get(&slot) != Some(&plan.whole(*buffer))
            {
                let name = &plan.buffers[buffer.0].name;
                return fail(format!("`{name}` is read but no longer, or not yet, there"));
            }
            if bound().any(|(other, writes)| *writes && same_memory(plan, *buffer, *other)) {
                let name = &plan.buffers[buffer.0].name;
                return fail(format!("`{name}` is read and written by one dispatch"));
            }
        }
        for (buffer, _) in bound().filter(|(_, writes)| **writes) {
            if let Some(slot) = plan.slot_of[buffer.0] {
                owner.insert(slot, plan.whole(*buffer));
            }
        }
        let written: Vec<BufferId> = bound().filter(|(_, w)| **w).map(|(b, _)| *b).collect();
        for (i, a) in written.iter().enumerate() {
            let shares_slot = |b: &BufferId| {
                plan.slot_of[a.0].is_some() && plan.slot_of[a.0] == plan.slot_of[b.0]
            };
            if written[..i].iter().any(shares_slot) {
                return fail("two results share memory".to_owned());
            }
        }
    }
    Ok(())
}

/// Whether two buffers lie in one buffer of the device, where ranges do not matter.
fn same_memory(plan: &Plan, a: BufferId, b: BufferId) -> bool {
    if let (Some(a), Some(b)) = (plan.slot_of[a.0], plan.slot_of[b.0]) {
        return a == b;
    }
    match (&plan.buffers[a.0].home, &plan.buffers[b.0].home) {
        (Home::Persistent { buffer: a, .. }, Home::Persistent { buffer: b, .. }) => a == b,
        _ => false,
    }
}
