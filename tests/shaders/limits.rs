//! What every adapter guarantees, and what the kernels promise.

use naga::proc::{GlobalCtx, Layouter};
use naga::valid::GlobalUse;
use naga::{AddressSpace, Module, StorageAccess};

use crate::variants::{ALL, validator};

/// WebGPU's guaranteed limits: invocations of a workgroup, its extents, its shared bytes.
const INVOCATIONS: u32 = 256;
const EXTENTS: [u32; 3] = [256, 256, 64];
const SHARED_BYTES: u32 = 16_384;

/// Kernels that change a buffer in place: one number after the other, each by its own
/// invocation, or by atomic additions.
const IN_PLACE: &[&str] = &[
    "accumulate",
    "adadelta",
    "adagrad",
    "adam",
    "clip_norm",
    "clip_value",
    "conclude",
    "count_answers",
    "count_decisions",
    "lars",
    "quickprop",
    "rmsprop",
    "running_average",
    "sgd",
    "weight_average",
];

fn shared_bytes(module: &Module) -> u32 {
    let mut layouter = Layouter::default();
    let context = GlobalCtx {
        types: &module.types,
        constants: &module.constants,
        overrides: &module.overrides,
        global_expressions: &module.global_expressions,
    };
    layouter.update(context).unwrap();
    module
        .global_variables
        .iter()
        .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
        .map(|(_, variable)| layouter[variable.ty].size)
        .sum()
}

#[test]
fn workgroups_fit_every_adapter() {
    for variant in ALL.iter() {
        let size = variant.shader.workgroup_size;
        let name = variant.name();
        assert!(
            size.iter().product::<u32>() <= INVOCATIONS,
            "{name}: {size:?}"
        );
        assert!(
            (0..3).all(|axis| size[axis] <= EXTENTS[axis]),
            "{name}: {size:?}"
        );
        let bytes = shared_bytes(&variant.shader.module);
        assert!(bytes <= SHARED_BYTES, "{name}: {bytes} bytes are shared");
    }
}

/// The planner trusts the declarations: a buffer that is declared for writing is written, one
/// for reading is read, and none is both but in the kernels that say so.
#[test]
fn buffers_are_used_as_they_are_declared() {
    for variant in ALL.iter() {
        let module = &variant.shader.module;
        let name = variant.name();
        let mut validator = validator(true);
        let info = validator.validate(module).unwrap();
        let main = info.get_entry_point(0);
        for (handle, variable) in module.global_variables.iter() {
            let AddressSpace::Storage { access } = variable.space else {
                continue;
            };
            let buffer = variable.name.as_deref().unwrap_or_default();
            let (used, writes) = (main[handle], access.contains(StorageAccess::STORE));
            assert_eq!(
                used.contains(GlobalUse::WRITE),
                writes,
                "{name}: `{buffer}` is used as {used:?}"
            );
            let in_place = IN_PLACE.contains(&variant.shader.name);
            let reads = used.contains(GlobalUse::READ);
            assert!(
                if writes { !reads || in_place } else { reads },
                "{name}: `{buffer}` is used as {used:?}"
            );
        }
    }
}
