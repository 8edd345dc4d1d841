//! How a Linux machine without a Vulkan device gets Mesa's CPU driver (lavapipe).
//!
//! Everything here is a decision: it turns [`Facts`] into command lines or one line of advice.
//! `device` gathers the facts and carries the plan out.

/// One package manager and the names lavapipe and the Vulkan loader have there.
#[derive(Debug, PartialEq, Eq)]
pub struct PackageManager {
    /// The program that is looked up on PATH.
    pub program: &'static str,
    /// Packages: the driver, then the loader.
    pub packages: [&'static str; 2],
    /// Refreshes the package lists; empty where the install command does so itself.
    refresh: &'static [&'static str],
    /// Installs without asking; the packages follow.
    install: &'static [&'static str],
    /// Set for both, as `NAME=value`.
    environment: Option<&'static str>,
}

/// In order of preference: a machine may have a second one for containers.
const MANAGERS: [PackageManager; 3] = [
    PackageManager {
        program: "apt-get",
        packages: ["mesa-vulkan-drivers", "libvulkan1"],
        refresh: &["update"],
        install: &["install", "--yes", "--no-install-recommends"],
        environment: Some("DEBIAN_FRONTEND=noninteractive"),
    },
    PackageManager {
        program: "dnf",
        packages: ["mesa-vulkan-drivers", "vulkan-loader"],
        refresh: &[],
        install: &["install", "--assumeyes"],
        environment: None,
    },
    // Not `-Sy`: refreshing without upgrading is what breaks an Arch system. If the lists are too
    // old, pacman says so and the advice below follows.
    PackageManager {
        program: "pacman",
        packages: ["vulkan-swrast", "vulkan-icd-loader"],
        refresh: &[],
        install: &["-S", "--noconfirm", "--needed"],
        environment: None,
    },
];

/// How this process may become root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// It is root.
    Root,
    /// `sudo` works without a question.
    SudoSilent,
    /// `sudo` may ask for a password: there is a terminal.
    SudoAsks,
    /// No way.
    Unprivileged,
}

/// What the plan depends on.
pub struct Facts<'a> {
    /// Is this program on PATH?
    pub has_program: &'a dyn Fn(&str) -> bool,
    /// The way to root.
    pub privilege: Privilege,
}

/// A command line of the plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Whether failure ends the plan. A stale third-party repository makes a refresh fail on
    /// machines that can install well enough, so there the installation is the judge.
    pub must_succeed: bool,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Said before anything is installed.
    pub announcement: String,
    /// Run in order.
    pub steps: Vec<Step>,
    /// Said if a step fails.
    pub advice: String,
}

/// The plan for this machine, or one line that tells the user what to do instead.
pub fn plan(facts: &Facts) -> Result<Plan, String> {
    let Some(manager) = MANAGERS
        .iter()
        .find(|manager| (facts.has_program)(manager.program))
    else {
        return Err(
            "no Vulkan device, and no apt-get, dnf or pacman here to install one: \
                    install Mesa's lavapipe driver and the Vulkan loader (libvulkan.so.1)"
                .to_owned(),
        );
    };
    let advice = manager.advice(facts.privilege);
    let prefix: &[&str] = match facts.privilege {
        Privilege::Root => &[],
        Privilege::SudoSilent => &["sudo", "-n"],
        Privilege::SudoAsks => &["sudo"],
        Privilege::Unprivileged => return Err(advice),
    };
    let [driver, loader] = manager.packages;
    let announcement = format!(
        "no Vulkan device found; installing Mesa's CPU driver lavapipe with {} ({driver} {loader})",
        manager.program
    );
    let steps = manager.steps(prefix);
    Ok(Plan {
        announcement,
        steps,
        advice,
    })
}

impl PackageManager {
    fn steps(&self, prefix: &[&str]) -> Vec<Step> {
        let argv = |tail: &[&[&str]]| -> Vec<String> {
            // sudo drops the environment, so the variable is set behind it.
            let environment: Vec<&str> =
                self.environment.iter().flat_map(|v| ["env", *v]).collect();
            let words = [prefix, &environment, &[self.program], &tail.concat()].concat();
            words.into_iter().map(str::to_owned).collect()
        };
        let refresh = Step {
            argv: argv(&[self.refresh]),
            must_succeed: false,
        };
        let install = Step {
            argv: argv(&[self.install, &self.packages]),
            must_succeed: true,
        };
        if self.refresh.is_empty() {
            vec![install]
        } else {
            vec![refresh, install]
        }
    }

    /// One line with the whole command, for a person.
    fn advice(&self, privilege: Privilege) -> String {
        let [driver, loader] = self.packages;
        let program = match privilege {
            Privilege::Root => self.program.to_owned(),
            _ => format!("sudo {}", self.program),
        };
        let verb = if self.program == "pacman" {
            "-Syu"
        } else {
            "install"
        };
        let refresh = match self.refresh {
            [] => String::new(),
            words => format!("{program} {} && ", words.join(" ")),
        };
        format!(
            "no Vulkan device; install Mesa's CPU driver: \
             {refresh}{program} {verb} {driver} {loader}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_with(programs: &[&str], privilege: Privilege) -> Result<Plan, String> {
        plan(&Facts {
            has_program: &|name| programs.contains(&name),
            privilege,
        })
    }

    fn command_lines(programs: &[&str], privilege: Privilege) -> Vec<(String, bool)> {
        let steps = plan_with(programs, privilege).unwrap().steps;
        steps
            .into_iter()
            .map(|step| (step.argv.join(" "), step.must_succeed))
            .collect()
    }

    fn expected(lines: &[(&str, bool)]) -> Vec<(String, bool)> {
        lines
            .iter()
            .map(|&(line, must)| (line.to_owned(), must))
            .collect()
    }

    #[test]
    fn apt_as_root() {
        let lines = expected(&[
            ("env DEBIAN_FRONTEND=noninteractive apt-get update", false),
            (
                "env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
                 mesa-vulkan-drivers libvulkan1",
                true,
            ),
        ]);
        assert_eq!(command_lines(&["apt-get", "dnf"], Privilege::Root), lines);
    }

    #[test]
    fn apt_with_sudo_keeps_the_environment() {
        let lines = command_lines(&["apt-get"], Privilege::SudoSilent);
        assert!(
            lines[1]
                .0
                .starts_with("sudo -n env DEBIAN_FRONTEND=noninteractive apt-get")
        );
        let lines = command_lines(&["apt-get"], Privilege::SudoAsks);
        assert!(
            lines[0]
                .0
                .starts_with("sudo env DEBIAN_FRONTEND=noninteractive apt-get update")
        );
    }

    #[test]
    fn dnf_and_pacman() {
        let dnf = expected(&[(
            "dnf install --assumeyes mesa-vulkan-drivers vulkan-loader",
            true,
        )]);
        assert_eq!(command_lines(&["dnf"], Privilege::Root), dnf);
        let pacman = expected(&[(
            "sudo pacman -S --noconfirm --needed vulkan-swrast vulkan-icd-loader",
            true,
        )]);
        assert_eq!(command_lines(&["pacman"], Privilege::SudoAsks), pacman);
    }

    #[test]
    fn the_announcement_says_what_and_why() {
        let plan = plan_with(&["apt-get"], Privilege::Root).unwrap();
        assert_eq!(
            plan.announcement,
            "no Vulkan device found; installing Mesa's CPU driver lavapipe with apt-get \
             (mesa-vulkan-drivers libvulkan1)"
        );
        assert_eq!(
            plan.advice,
            "no Vulkan device; install Mesa's CPU driver: \
             apt-get update && apt-get install mesa-vulkan-drivers libvulkan1"
        );
    }

    #[test]
    fn without_root_there_is_one_line_with_the_full_command() {
        let cases = [
            (
                "apt-get",
                "sudo apt-get update && sudo apt-get install mesa-vulkan-drivers libvulkan1",
            ),
            ("dnf", "sudo dnf install mesa-vulkan-drivers vulkan-loader"),
            ("pacman", "sudo pacman -Syu vulkan-swrast vulkan-icd-loader"),
        ];
        for (program, command) in cases {
            let advice = plan_with(&[program], Privilege::Unprivileged).unwrap_err();
            assert!(advice.ends_with(&format!(": {command}")), "{advice}");
            assert_eq!(advice.lines().count(), 1);
        }
    }

    #[test]
    fn an_unknown_system_gets_advice() {
        let advice = plan_with(&["zypper"], Privilege::Root).unwrap_err();
        assert!(
            advice.contains("lavapipe") && advice.lines().count() == 1,
            "{advice}"
        );
    }
}
