//! "There is a device for wgpu": found, or installed, or one line that says what to do.

use std::ffi::OsString;
use std::path::Path;

use crate::cli;
use crate::install::{self, Facts, Privilege};
use crate::probe::{self, Device};
use crate::session::{self, Failure, Session};

/// Describes the device that wgpu will use. Only Linux can be without one: macOS has Metal, and
/// Windows has DX12 with the WARP driver.
pub fn ensure(session: &Session) -> Result<String, Failure> {
    if cfg!(target_os = "macos") {
        return Ok("Metal".to_owned());
    }
    if cfg!(windows) {
        return Ok("DX12 (its CPU driver WARP, if there is no GPU)".to_owned());
    }
    if !cfg!(target_os = "linux") {
        return Ok("unknown: this platform's drivers are not looked at".to_owned());
    }
    if let Ok(found) = vulkan_devices(session, &[]) {
        return Ok(describe(&found));
    }
    // Installing cannot help here: the loader would not look at what was installed.
    if let Some((name, value)) = driver_override(&|name| std::env::var_os(name)) {
        return Err(Failure::new(format!(
            "{name} restricts Vulkan to {}, which offers no device; unset it, or correct it",
            Path::new(&value).display()
        )));
    }
    install_lavapipe(session)?;
    match vulkan_devices(session, &[]) {
        Ok(found) => Ok(describe(&found)),
        Err(reason) => Err(Failure::new(format!(
            "the packages are installed, yet Vulkan offers no device: {reason}"
        ))),
    }
}

/// The Vulkan devices with extra environment for the loader, best first and at least one; the
/// error is the reason in words.
pub fn vulkan_devices(
    session: &Session,
    environment: &[(&str, OsString)],
) -> Result<Vec<Device>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = session.command(program);
    command
        .arg(cli::PROBE)
        .envs(environment.iter().map(|(name, value)| (*name, value)));
    let output = session
        .capture(command)
        .ok_or("the probe cannot be started")?;
    let devices = probe::usable(&String::from_utf8_lossy(&output.stdout));
    if !devices.is_empty() {
        return Ok(devices);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("xtask: "));
    Err(match last {
        Some(reason) => reason.to_owned(),
        None if output.status.success() => "the drivers list no device wgpu accepts".to_owned(),
        None => format!("a driver crashed ({})", output.status),
    })
}

fn describe(devices: &[Device]) -> String {
    let names: Vec<String> = devices.iter().map(Device::to_string).collect();
    names.join("; also ")
}

/// The variable by which the user told the Vulkan loader which drivers to see, if any.
fn driver_override(read: &dyn Fn(&str) -> Option<OsString>) -> Option<(&'static str, OsString)> {
    ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]
        .into_iter()
        .filter_map(|name| Some((name, read(name)?)))
        .find(|(_, value)| !value.is_empty())
}

fn install_lavapipe(session: &Session) -> Result<(), Failure> {
    let facts = Facts {
        has_program: &session::on_path,
        privilege: privilege(session),
    };
    let plan = install::plan(&facts).map_err(Failure::new)?;
    // Before a possible password question, so on stderr, where that question goes.
    eprintln!("xtask: {}", plan.announcement);
    for step in &plan.steps {
        let Some((program, args)) = step.argv.split_first() else {
            continue;
        };
        let status = session.command(program).args(args).status();
        let succeeded = status.is_ok_and(|status| status.success());
        if !succeeded && step.must_succeed {
            return Err(Failure::new(plan.advice));
        }
    }
    Ok(())
}

fn privilege(session: &Session) -> Privilege {
    if is_root(session) {
        Privilege::Root
    } else if session.succeeds("sudo", &["-n", "true"]) {
        Privilege::SudoSilent
    } else if session::on_path("sudo") && session::has_terminal() {
        Privilege::SudoAsks
    } else {
        Privilege::Unprivileged
    }
}

/// `id -u` rather than a call into libc: no `unsafe`, no dependency, and every Linux has it.
fn is_root(session: &Session) -> bool {
    let mut command = session.command("id");
    command.arg("-u");
    session
        .capture(command)
        .is_some_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_restricts_nothing() {
        let read = |name: &str| match name {
            "VK_DRIVER_FILES" => Some(OsString::new()),
            "VK_ICD_FILENAMES" => Some(OsString::from("/a.json")),
            _ => None,
        };
        assert_eq!(
            driver_override(&read),
            Some(("VK_ICD_FILENAMES", "/a.json".into()))
        );
        assert_eq!(driver_override(&|_| None), None);
    }
}
