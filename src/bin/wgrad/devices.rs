//! `wgrad devices`.

use serde_json::{Value, json};
use wgrad::{AdapterDescription, AdapterKind, Device, DeviceOptions};

use crate::failure::Failure;
use crate::output::Output;

/// Lists the adapters, best first.
pub fn list(as_json: bool, output: &Output) -> Result<(), Failure> {
    let all = Device::adapters(&DeviceOptions::default())?;
    let chosen = Device::adapters(&DeviceOptions::from_env())?
        .into_iter()
        .next();
    // Two cards of a kind are described alike; the first is taken.
    let chosen = all
        .iter()
        .position(|adapter| Some(adapter) == chosen.as_ref());
    let marked = all
        .iter()
        .enumerate()
        .map(|(i, adapter)| (Some(i) == chosen, adapter));
    if as_json {
        let list: Vec<Value> = marked
            .map(|(chosen, adapter)| described(chosen, adapter))
            .collect();
        return output.result(&format!("{:#}", Value::from(list)));
    }
    for (chosen, adapter) in marked {
        let mark = if chosen { "*" } else { " " };
        output.result(&format!("{mark} {adapter}"))?;
    }
    if chosen.is_none() {
        // The error says what was looked for, and what to install.
        Device::open()?;
    }
    Ok(())
}

fn described(chosen: bool, adapter: &AdapterDescription) -> Value {
    let kind = match adapter.kind {
        AdapterKind::DiscreteGpu => "discrete GPU",
        AdapterKind::IntegratedGpu => "integrated GPU",
        AdapterKind::VirtualGpu => "virtual GPU",
        AdapterKind::Cpu => "CPU",
        _ => "other",
    };
    json!({
        "name": adapter.name,
        "kind": kind,
        "backend": adapter.backend,
        "driver": adapter.driver,
        "chosen": chosen,
    })
}
