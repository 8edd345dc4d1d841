//! A barrier must be reached by all invocations of a workgroup or by none: browsers refuse other
//! shaders, and drivers hang on them or go on with half-written memory. naga does not look.
//!
//! What is found: a barrier under a condition that differs within a workgroup, or behind a return
//! under such a condition. What is not: a loop of different lengths around a barrier.

use naga::valid::FunctionInfo;
use naga::{Block, Expression, Function, Handle, Module, Statement};

use crate::variants::{ALL, validator};

/// Walks one function in the order of its statements.
struct Walk<'a> {
    module: &'a Module,
    info: &'a FunctionInfo,
    /// Some invocations may have returned.
    left: bool,
}

impl Walk<'_> {
    /// Whether every barrier of the block is reached by all or by none; `apart` if the
    /// invocations of a workgroup may not all be here.
    fn is_sound(&mut self, block: &Block, apart: bool) -> bool {
        block.iter().all(|statement| match statement {
            Statement::Block(block) => self.is_sound(block, apart),
            Statement::If {
                condition,
                accept,
                reject,
            } => {
                let apart = apart || self.differs(*condition);
                self.is_sound(accept, apart) && self.is_sound(reject, apart)
            }
            Statement::Switch { selector, cases } => {
                let apart = apart || self.differs(*selector);
                cases.iter().all(|case| self.is_sound(&case.body, apart))
            }
            Statement::Loop {
                body, continuing, ..
            } => self.is_sound(body, apart) && self.is_sound(continuing, apart),
            Statement::Return { .. } => {
                self.left |= apart;
                true
            }
            Statement::ControlBarrier(_) => !apart && !self.left,
            Statement::Call { function, .. } => {
                let called = &self.module.functions[*function];
                !has_barrier(self.module, &called.body) || !apart && !self.left
            }
            _ => true,
        })
    }

    /// Whether a value may differ within a workgroup.
    fn differs(&self, value: Handle<Expression>) -> bool {
        self.info[value].uniformity.non_uniform_result.is_some()
    }
}

fn has_barrier(module: &Module, block: &Block) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Block(block) => has_barrier(module, block),
        Statement::If { accept, reject, .. } => {
            has_barrier(module, accept) || has_barrier(module, reject)
        }
        Statement::Switch { cases, .. } => cases.iter().any(|c| has_barrier(module, &c.body)),
        Statement::Loop {
            body, continuing, ..
        } => has_barrier(module, body) || has_barrier(module, continuing),
        Statement::ControlBarrier(_) => true,
        Statement::Call { function, .. } => has_barrier(module, &module.functions[*function].body),
        _ => false,
    })
}

/// Whether all functions of a module are sound, and whether it has a barrier at all.
fn check(module: &Module) -> (bool, bool) {
    let mut validator = validator(true);
    let info = validator.validate(module).unwrap();
    let walk = |function: &Function, info: &FunctionInfo| {
        let mut walk = Walk {
            module,
            info,
            left: false,
        };
        walk.is_sound(&function.body, false)
    };
    let entry = &module.entry_points[0].function;
    let mut functions = module.functions.iter();
    let sound = functions.all(|(handle, function)| walk(function, &info[handle]))
        && walk(entry, info.get_entry_point(0));
    (sound, has_barrier(module, &entry.body))
}

#[test]
fn barriers_are_reached_by_whole_workgroups() {
    let mut with_barriers = 0;
    for variant in ALL.iter() {
        let (sound, has_barrier) = check(&variant.shader.module);
        assert!(sound, "{}", variant.name());
        with_barriers += usize::from(has_barrier);
    }
    assert!(with_barriers > 50, "{with_barriers} variants with barriers");
}

/// The test itself.
#[test]
fn barriers_of_part_of_a_workgroup_are_found() {
    let check = |body: &str| {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
             fn wait() {{ workgroupBarrier(); }}
             @compute @workgroup_size(64) fn main(
                @builtin(local_invocation_index) lane: u32,
                @builtin(workgroup_id) group: vec3u,
             ) {{ y[lane] = 1.0; {body} }}"
        );
        check(&naga::front::wgsl::parse_str(&text).unwrap())
    };
    assert_eq!(check("y[0] = 2.0;"), (true, false));
    assert_eq!(check("workgroupBarrier();"), (true, true));
    assert_eq!(check("if group.x > 3u { return; } wait();"), (true, true));
    assert_eq!(check("wait(); if lane > 3u { return; }"), (true, true));
    for body in [
        "if lane > 3u { return; } workgroupBarrier();",
        "if lane > 3u { return; } wait();",
        "if lane > 3u { workgroupBarrier(); }",
        "for (var i = 0; i < 3; i++) { if lane > 3u { wait(); } }",
    ] {
        assert_eq!(check(body), (false, true), "{body}");
    }
}
