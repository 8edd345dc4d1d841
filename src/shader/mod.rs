//! Shaders as data: composed from files, reflected, cached. Knows naga, not wgpu.
//!
//! `naga_oil` links them: `#import` of shared functions, `#ifdef` for structural variants,
//! `#{NAME}` for integers (tiles and shapes, so that loops unroll and divisions are by
//! constants). Floating attributes are WGSL `override` constants. What a kernel binds, and
//! whether it writes there, is read from the composed module and nowhere retyped.

mod kernel;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use naga::{AddressSpace, StorageAccess};
use naga_oil::compose::{
    ComposableModuleDescriptor, Composer, NagaModuleDescriptor, ShaderDefValue,
};

use crate::error::{Error, Result};
pub use kernel::{Grid, Kernel};

/// A WGSL source with a name for messages.
#[derive(Clone, Copy, Debug)]
pub struct Shader {
    /// Name in plans and error messages.
    pub name: &'static str,
    /// The text, usually by `include_str!`.
    pub source: &'static str,
}

impl Shader {
    /// A shader of this name and text.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source }
    }
}

/// The shader `shaders/<stem>.wgsl` of this crate.
macro_rules! shader {
    ($stem:literal) => {
        $crate::shader::Shader::new(
            $stem,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/shaders/",
                $stem,
                ".wgsl"
            )),
        )
    };
}
pub(crate) use shader;

/// Modules that any shader may import, from outside the crate too, each after those that it
/// imports itself.
const MODULES: &[Shader] = &[
    shader!("common"),
    shader!("epilogue"),
    shader!("functions"),
    shader!("max_pool_route"),
    shader!("norm"),
    shader!("philox"),
    shader!("draws"),
    shader!("rows"),
    shader!("winograd"),
];

/// A buffer of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The variable's name in the shader.
    pub name: String,
    /// Its number in group 0.
    pub index: u32,
    /// Whether the kernel may write there.
    pub writes: bool,
    /// Whether it is a uniform buffer, a few numbers that all invocations read, in place of a storage
    /// buffer, of which adapters allow fewer.
    pub uniform: bool,
}

/// A variant of a shader, ready for a driver.
#[derive(Debug)]
pub struct Composed {
    /// The shader's name.
    pub name: &'static str,
    /// Its text and integers, to compose it again for a better message.
    pub(crate) origin: (Shader, Defines),
    /// The intermediate representation.
    pub module: naga::Module,
    /// The buffers, by number.
    pub bindings: Vec<Binding>,
    /// Invocations of a workgroup along x, y, z.
    pub workgroup_size: [u32; 3],
}

type Defines = Vec<(String, i64)>;

/// Composes shaders and keeps the results.
pub struct Shaders {
    state: Mutex<State>,
}

struct State {
    composer: Composer,
    cache: HashMap<(&'static str, usize, Defines), Arc<Composed>>,
}

impl std::fmt::Debug for Shaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shaders").finish_non_exhaustive()
    }
}

impl Shaders {
    /// A composer that knows the importable modules: `wgrad::common`, `wgrad::functions`,
    /// `wgrad::philox`, `wgrad::draws`, `wgrad::epilogue` and others.
    ///
    /// # Errors
    /// [`Error::Shader`] if one of them does not compile.
    pub fn new() -> Result<Self> {
        // wgpu validates whatever it is given.
        let composer = with_modules(Composer::non_validating())?;
        let cache = HashMap::new();
        Ok(Self {
            state: Mutex::new(State { composer, cache }),
        })
    }

    /// The variant that `kernel` asks for.
    ///
    /// # Errors
    /// [`Error::Shader`] with the compiler's message, or when the shader breaks the rules
    /// (bindings other than buffers of group 0, no entry point).
    pub fn compose(&self, kernel: &Kernel) -> Result<Arc<Composed>> {
        let shader = kernel.shader;
        let key = (
            shader.name,
            shader.source.as_ptr() as usize,
            kernel.defines.clone(),
        );
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(composed) = state.cache.get(&key) {
            return Ok(composed.clone());
        }
        let composed = Arc::new(compose(&mut state.composer, kernel)?);
        state.cache.insert(key, composed.clone());
        Ok(composed)
    }
}

/// Adds what shaders may import.
fn with_modules(mut composer: Composer) -> Result<Composer> {
    for module in MODULES {
        composer
            .add_composable_module(ComposableModuleDescriptor {
                source: module.source,
                file_path: module.name,
                ..Default::default()
            })
            .map(drop)
            .map_err(|error| Error::Shader {
                shader: module.name.to_owned(),
                reason: error.to_string(),
            })?;
    }
    Ok(composer)
}

fn link(composer: &mut Composer, shader: Shader, defines: &Defines) -> Result<naga::Module> {
    let fail = |reason: String| Error::Shader {
        shader: shader.name.to_owned(),
        reason,
    };
    let shader_defs = defines.iter().map(|(name, value)| {
        let value = i32::try_from(*value).map_err(|_| fail(format!("{name} = {value}")))?;
        Ok((name.clone(), ShaderDefValue::Int(value)))
    });
    let shader_defs = shader_defs.collect::<Result<_>>()?;
    composer
        .make_naga_module(NagaModuleDescriptor {
            source: shader.source,
            file_path: shader.name,
            shader_defs,
            ..Default::default()
        })
        .map_err(|error| fail(error.emit_to_string(composer)))
}

impl Composed {
    /// The validator's message with the place in the text, for a variant that a driver refused:
    /// the driver saw no text. `None` if the variant itself is valid.
    pub(crate) fn complaint(&self) -> Option<Error> {
        let (shader, defines) = &self.origin;
        let composer = Composer::default().with_capabilities(naga::valid::Capabilities::all());
        let mut composer = with_modules(composer).ok()?;
        link(&mut composer, *shader, defines).err()
    }

    /// Expressions of all functions: about how long a driver takes to compile it.
    pub(crate) fn size(&self) -> usize {
        let functions = self.module.functions.iter().map(|(_, function)| function);
        let entries = self.module.entry_points.iter().map(|entry| &entry.function);
        functions.chain(entries).map(|f| f.expressions.len()).sum()
    }
}

fn compose(composer: &mut Composer, kernel: &Kernel) -> Result<Composed> {
    let shader = kernel.shader;
    let fail = |reason: String| Error::Shader {
        shader: shader.name.to_owned(),
        reason,
    };
    let module = link(composer, shader, &kernel.defines)?;
    let [entry] = module.entry_points.as_slice() else {
        return Err(fail("one entry point is needed".to_owned()));
    };
    let workgroup_size = entry.workgroup_size;
    let bindings = reflect(&module).map_err(fail)?;
    Ok(Composed {
        name: shader.name,
        origin: (shader, kernel.defines.clone()),
        module: with_an_override(module),
        bindings,
        workgroup_size,
    })
}

fn reflect(module: &naga::Module) -> Result<Vec<Binding>, String> {
    let mut bindings = Vec::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(place) = variable.binding else {
            continue;
        };
        let name = variable.name.clone().unwrap_or_default();
        // A variable of an imported module carries the module's name behind its own.
        let name = name.split("X_naga_oil_mod_X").next().unwrap_or_default();
        let name = name.to_owned();
        let writes = match variable.space {
            AddressSpace::Uniform => false,
            AddressSpace::Storage { access } => access.contains(StorageAccess::STORE),
            _ => return Err(format!("`{name}` is not a buffer")),
        };
        if place.group != 0 {
            return Err(format!("`{name}` is not in group 0"));
        }
        bindings.push(Binding {
            name,
            index: place.binding,
            writes,
            uniform: variable.space == AddressSpace::Uniform,
        });
    }
    bindings.sort_by_key(|binding| binding.index);
    Ok(bindings)
}

/// wgpu honours unchecked loops and uninitialised workgroup memory only for modules with a
/// pipeline-overridable constant; others are compiled before those wishes are known.
fn with_an_override(mut module: naga::Module) -> naga::Module {
    if module.overrides.is_empty() {
        let span = naga::Span::UNDEFINED;
        let ty = module.types.insert(
            naga::Type {
                name: None,
                inner: naga::TypeInner::Scalar(naga::Scalar::U32),
            },
            span,
        );
        let zero = naga::Expression::Literal(naga::Literal::U32(0));
        let init = module.global_expressions.append(zero, span);
        let constant = naga::Override {
            name: Some("wgrad_unused".to_owned()),
            id: None,
            ty,
            init: Some(init),
        };
        module.overrides.append(constant, span);
    }
    module
}
