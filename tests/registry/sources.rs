//! What the sources say of an operator: the methods that apply it, and how its attributes are
//! given. The defaults are those of a value, not of a text.

use std::collections::BTreeSet;
use std::fmt::Debug;

use wgrad::ops::registry::Entry;
use wgrad::ops::*;

use super::text;

/// The text of an operator's own file.
fn source(stem: &str) -> String {
    let alone = text(format!("src/ops/{stem}.rs"));
    let file = match alone.is_empty() {
        true => text(format!("src/ops/{stem}/mod.rs")),
        false => alone,
    };
    // `rustfmt` may have broken a signature into lines.
    file.replace("(\n", "(").replace(",\n", ", ")
}

/// What stands between `open` and the line that ends it.
fn block<'a>(text: &'a str, open: &str) -> Option<&'a str> {
    let begin = text.find(open)? + open.len();
    let end = text[begin..].find("\n}")?;
    Some(&text[begin..begin + end])
}

/// The public functions of a block: the name, the parameters and whether the first is `self`.
fn functions(block: &str) -> impl Iterator<Item = (&str, Vec<&str>, bool)> {
    let starts = ["pub fn ", "pub const fn "];
    let lines = block.lines().map(str::trim);
    lines.filter_map(move |line| {
        let signature = starts.iter().find_map(|start| line.strip_prefix(start))?;
        let (name, rest) = signature.split_once('(')?;
        let name = name.split('<').next()?;
        let rest = rest.split_once(") ->").map_or(rest, |(list, _)| list);
        let parameters = rest.split(", ").map(str::trim);
        let names = parameters.filter_map(|p| Some(p.split_once(':')?.0));
        Some((name, names.collect(), rest.contains("self")))
    })
}

/// The methods of `Graph` in the operator's file.
pub fn graph_methods(entry: &Entry) -> Vec<String> {
    let source = source(entry.stem);
    let methods = block(&source, "\nimpl Graph {").map(functions);
    let methods = methods.into_iter().flatten();
    methods.map(|(name, ..)| name.to_owned()).collect()
}

/// The methods of `Network` that add a layer which is applied by one of these methods of `Graph`.
pub fn chain_methods(graph_methods: &[String]) -> Vec<String> {
    let layers = text("src/graph/layer.rs");
    let arms = layers.split("            Self::").skip(1);
    let is_applied = |arm: &&str| {
        let call = arm.rsplit("graph.").next().unwrap_or(arm);
        let method = call.split('(').next().unwrap_or(call);
        graph_methods.iter().any(|own| own == method)
    };
    let variants: BTreeSet<&str> = arms
        .filter(is_applied)
        .filter_map(|arm| arm.split(['(', ' ']).next())
        .collect();
    let chains = ["network", "activations", "chain"];
    let chains = chains.map(|file| text(format!("src/graph/{file}.rs")));
    let adds = |body: &str| {
        let variant = body.split("Layer::").nth(1)?.split(['(', ')']).next()?;
        (body.contains("self.layer(") && variants.contains(variant)).then_some(())
    };
    let mut methods = Vec::new();
    for text in &chains {
        for function in text.split("    pub fn ").skip(1) {
            let body = function.split("\n    }").next().unwrap_or(function);
            if let (Some(()), Some((name, _))) = (adds(body), body.split_once('(')) {
                methods.push(name.to_owned());
            }
        }
    }
    methods
}

/// A struct of attributes, as it is where nothing but what must be given is given.
struct Attributes {
    stem: &'static str,
    name: &'static str,
    value: String,
    /// Whether nothing must be given.
    is_default: bool,
}

fn attributes<T: Debug>(stem: &'static str, value: T) -> Attributes {
    let name = std::any::type_name::<T>().rsplit("::").next();
    Attributes {
        stem,
        name: name.unwrap_or(stem),
        value: format!("{value:?}"),
        is_default: false,
    }
}

fn defaults<T: Debug + Default>(stem: &'static str) -> Attributes {
    Attributes {
        is_default: true,
        ..attributes(stem, T::default())
    }
}

/// Every struct by which users say attributes.
#[rustfmt::skip]
fn all() -> Vec<Attributes> {
    vec![
        attributes("adaptive_max_pool2d", AdaptiveMaxPool2d::new(1)),
        attributes("adaptive_mean_pool2d", AdaptiveMeanPool2d::new(1)),
        attributes("batch_norm", BatchNorm::new()),
        attributes("binary_cross_entropy", BinaryCrossEntropy::new()),
        defaults::<Celu>("celu"),
        attributes("channel_dropout", ChannelDropout::new(0.5)),
        attributes("conv2d", Conv2d::new(1, 1)),
        attributes("conv_transpose2d", ConvTranspose2d::new(1, 1)),
        attributes("dropout", Dropout::new(0.5)),
        defaults::<Elu>("elu"),
        attributes("gelu", Gelu::new()),
        attributes("group_norm", GroupNorm::new(1)),
        attributes("group_norm", LayerNorm::new()),
        attributes("group_norm", InstanceNorm::new()),
        attributes("hinge_loss", HingeLoss::new()),
        defaults::<HuberLoss>("huber_loss"),
        attributes("l1_loss", L1Loss::new()),
        defaults::<LeakyRelu>("leaky_relu"),
        attributes("linear", Linear::new(1)),
        attributes("local_response_norm", LocalResponseNorm::new(1)),
        attributes("max_pool2d", MaxPool2d::new(1)),
        attributes("mean_pool2d", MeanPool2d::new(1)),
        attributes("mse", MeanSquaredError::new()),
        defaults::<Prelu>("prelu"),
        attributes("reshape", reshape::Reshape::new([1])),
        defaults::<Rrelu>("rrelu"),
        attributes("slice", Slice::new()),
        attributes("softmax_cross_entropy", SoftmaxCrossEntropy::new()),
        defaults::<Softplus>("softplus"),
        attributes("stochastic_depth", StochasticDepth::new(0.5)),
        attributes("upsample", Upsample::bilinear(1)),
        attributes("zero_pad", ZeroPad::new(0)),
    ]
}

/// How attributes are given, a text for each struct: `Celu::new(alpha)`, and options with defaults.
pub fn forms(entry: &Entry) -> Vec<String> {
    let source = source(entry.stem);
    let own = all().into_iter().filter(|a| a.stem == entry.stem);
    own.map(|attributes| form(&source, &attributes)).collect()
}

fn form(source: &str, attributes: &Attributes) -> String {
    let name = attributes.name;
    let own = block(source, &format!("\nimpl {name} {{")).unwrap_or_default();
    let shared = match own.contains("options!();") {
        true => block(source, "macro_rules! options {").unwrap_or_default(),
        false => "",
    };
    let (mut constructors, mut options) = (Vec::new(), Vec::new());
    for (function, parameters, is_option) in functions(own).chain(functions(shared)) {
        if is_option {
            options.push(option(function, &attributes.value));
        } else {
            if attributes.is_default {
                let given = parameters.iter();
                let known = given.filter(|p| attributes.value.contains(&format!("{p}: ")));
                options.extend(known.map(|name| option(name, &attributes.value)));
            }
            constructors.push(format!("`{name}::{function}({})`", parameters.join(", ")));
        }
    }
    if source.contains(&format!("reduced!({name})")) {
        options.push(option("reduction", &attributes.value));
    }
    let constructors = constructors.join(", ");
    match options.is_empty() {
        true => constructors,
        false => format!("{constructors}; {}", options.join(", ")),
    }
}

/// The name of an option, with the default where it is a plain value.
fn option(name: &str, value: &str) -> String {
    let field = value.split_once(&format!("{name}: "));
    let default = field.and_then(|(_, rest)| plain(rest));
    match default {
        Some(default) => format!("`{name}` {default}"),
        None => format!("`{name}`"),
    }
}

/// A field's value at the start of this text, if it is short: `Size2d` and padding of equal numbers
/// are one number.
fn plain(text: &str) -> Option<String> {
    let end = text.find([',', '}']).unwrap_or(text.len());
    let first = text[..end].trim();
    // A value that is not given, or a range.
    if first == "None" || first.starts_with('(') {
        return None;
    }
    if !first.contains('{') {
        return Some(first.to_lowercase());
    }
    let inner = &text[text.find('{')? + 1..text.find('}')?];
    let inner = inner.rsplit('{').next()?;
    let values: BTreeSet<&str> = inner
        .split(',')
        .filter_map(|field| Some(field.split_once(':')?.1.trim()))
        .collect();
    match values.len() {
        1 => values.first().map(|value| (*value).to_owned()),
        _ => None,
    }
}
