//! Asks Vulkan which devices there are.
//!
//! File checks would not do: distributions ship the ICD files of every GPU maker whether or not
//! such a GPU is present, and a loader with only those enumerates nothing. So the real question is
//! put to the real loader, through ash, which wgpu uses too.
//!
//! The question is asked in a process of its own (`xtask __probe`): a broken driver may crash or
//! write to stderr, the loader reads its environment once, and asking again after an installation
//! must start afresh. The answer travels as one line of text per device.

use std::fmt;

use crate::session::Failure;

/// What a device is, best first, in the order wgpu's high-performance preference ranks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A card with its own memory.
    Discrete,
    /// Shares the processor's memory.
    Integrated,
    /// A share of a host's GPU.
    Virtual,
    /// The driver does not say.
    Other,
    /// A CPU driver such as lavapipe or SwiftShader.
    Cpu,
}

/// One physical device as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Marketing name, e.g. `llvmpipe (LLVM 15.0.6, 256 bits)`.
    pub name: String,
    /// Driver and its version, e.g. `llvmpipe, Mesa 22.3.6`; empty if the driver is too old to say.
    pub driver: String,
    /// Kind of hardware.
    pub kind: Kind,
    /// False for a driver that never passed Khronos' tests; wgpu hides such a device.
    pub conformant: bool,
}

const KINDS: [(Kind, &str, &str); 5] = [
    (Kind::Discrete, "discrete", "discrete GPU"),
    (Kind::Integrated, "integrated", "integrated GPU"),
    (Kind::Virtual, "virtual", "virtual GPU"),
    (Kind::Other, "other", "unknown kind"),
    (Kind::Cpu, "cpu", "CPU driver"),
];

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = KINDS
            .iter()
            .find(|row| row.0 == self.kind)
            .map_or("", |row| row.2);
        write!(f, "{} [{kind}", self.name)?;
        if !self.driver.is_empty() {
            write!(f, ", driver {}", self.driver)?;
        }
        write!(f, "]")
    }
}

impl Device {
    /// The line that `parse_line` reads. Tabs separate, so a tab in a name becomes a space.
    fn to_line(&self) -> String {
        let kind = KINDS
            .iter()
            .find(|row| row.0 == self.kind)
            .map_or("other", |row| row.1);
        let clean = |text: &str| text.replace(['\t', '\n', '\r'], " ");
        let (name, driver) = (clean(&self.name), clean(&self.driver));
        format!("{LINE_MARK}\t{kind}\t{}\t{name}\t{driver}", self.conformant)
    }

    /// `None` for a line that is not a device: drivers chatter on stdout too.
    fn parse_line(line: &str) -> Option<Device> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [LINE_MARK, kind, conformant, name, driver] = fields[..] else {
            return None;
        };
        Some(Device {
            kind: KINDS.iter().find(|row| row.1 == kind)?.0,
            conformant: conformant.parse().ok()?,
            name: name.to_owned(),
            driver: driver.to_owned(),
        })
    }
}

const LINE_MARK: &str = "vulkan-device";

/// The devices wgpu would offer, best first, from what the probe process printed.
pub fn usable(output: &str) -> Vec<Device> {
    let mut devices: Vec<Device> = output.lines().filter_map(Device::parse_line).collect();
    devices.retain(|device| device.conformant);
    devices.sort_by_key(|device| device.kind);
    devices
}

/// The probe process: one line per device on stdout, or a failure that says what is missing.
pub fn print() -> Result<(), Failure> {
    for device in vulkan::devices().map_err(Failure::new)? {
        println!("{}", device.to_line());
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
mod vulkan {
    pub fn devices() -> Result<Vec<super::Device>, String> {
        Err("only Linux is asked for Vulkan devices".to_owned())
    }
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "calls into the Vulkan loader; the one place in this program"
)]
mod vulkan {
    use std::ffi::CStr;

    use ash::vk;

    use super::{Device, Kind};

    /// Every physical device behind the loader, unfiltered.
    pub fn devices() -> Result<Vec<Device>, String> {
        // SAFETY: dlopen of the system's Vulkan loader runs its initialisers, which every Vulkan
        // program does; `entry` outlives all that is made from it, to the end of this function.
        let entry = unsafe { ash::Entry::load() }
            .map_err(|error| format!("the Vulkan loader cannot be loaded: {error}"))?;
        // 1.1 is what `get_physical_device_properties2` needs; a 1.0 loader refuses it.
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_1);
        let create = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: `create` and what it points to live until the call returns.
        let instance = unsafe { entry.create_instance(&create, None) }
            .map_err(|error| format!("no Vulkan driver answers: {error}"))?;
        // SAFETY: the instance is valid, and its devices are used only before it is destroyed.
        let found = unsafe { instance.enumerate_physical_devices() }
            .map(|devices| {
                devices
                    .iter()
                    .map(|&device| describe(&instance, device))
                    .collect()
            })
            .map_err(|error| format!("the Vulkan drivers list no device: {error}"));
        // SAFETY: nothing made from the instance is left.
        unsafe { instance.destroy_instance(None) };
        found
    }

    fn describe(instance: &ash::Instance, device: vk::PhysicalDevice) -> Device {
        // SAFETY: `device` was just enumerated from `instance`, in this call and the one below.
        let plain = unsafe { instance.get_physical_device_properties(device) };
        let mut described = Device {
            name: text(plain.device_name_as_c_str().ok()),
            driver: String::new(),
            kind: match plain.device_type {
                vk::PhysicalDeviceType::DISCRETE_GPU => Kind::Discrete,
                vk::PhysicalDeviceType::INTEGRATED_GPU => Kind::Integrated,
                vk::PhysicalDeviceType::VIRTUAL_GPU => Kind::Virtual,
                vk::PhysicalDeviceType::CPU => Kind::Cpu,
                _ => Kind::Other,
            },
            conformant: true,
        };
        // Driver properties are core from 1.2 on; older drivers are taken at their word.
        if plain.api_version >= vk::API_VERSION_1_2 {
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            // SAFETY: as above; the chained structure is one that a 1.2 device knows.
            unsafe { instance.get_physical_device_properties2(device, &mut properties) };
            let name = text(driver.driver_name_as_c_str().ok());
            let info = text(driver.driver_info_as_c_str().ok());
            described.driver = [name, info].join(", ").trim_matches([',', ' ']).to_owned();
            described.conformant = driver.conformance_version.major > 0;
        }
        described
    }

    fn text(bytes: Option<&CStr>) -> String {
        bytes
            .map(|bytes| bytes.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, kind: Kind) -> Device {
        Device {
            name: name.into(),
            driver: "Mesa, 22.3".into(),
            kind,
            conformant: true,
        }
    }

    #[test]
    fn a_device_survives_the_pipe() {
        for (kind, ..) in KINDS {
            let sent = device("card", kind);
            assert_eq!(Device::parse_line(&sent.to_line()), Some(sent));
        }
        let awkward = Device::parse_line(&device("a\tb\nc", Kind::Cpu).to_line()).unwrap();
        assert_eq!(awkward.name, "a b c");
    }

    #[test]
    fn the_best_device_comes_first_and_chatter_is_ignored() {
        let lines = [
            "WARNING: some driver is not ready\t1\t2\t3\t4".to_owned(),
            device("llvmpipe", Kind::Cpu).to_line(),
            device("card", Kind::Discrete).to_line(),
            device("chip", Kind::Integrated).to_line(),
        ];
        let names: Vec<String> = usable(&lines.join("\n"))
            .into_iter()
            .map(|d| d.name)
            .collect();
        assert_eq!(names, ["card", "chip", "llvmpipe"]);
    }

    #[test]
    fn a_device_that_wgpu_hides_does_not_count() {
        let hidden = Device {
            conformant: false,
            ..device("Microsoft Direct3D12", Kind::Discrete)
        };
        assert_eq!(usable(&hidden.to_line()), []);
    }

    #[test]
    fn a_device_reads_well() {
        let mut shown = device("llvmpipe (256 bits)", Kind::Cpu);
        assert_eq!(
            shown.to_string(),
            "llvmpipe (256 bits) [CPU driver, driver Mesa, 22.3]"
        );
        shown.driver.clear();
        assert_eq!(shown.to_string(), "llvmpipe (256 bits) [CPU driver]");
    }
}
