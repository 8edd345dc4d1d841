//! SwiftShader, the second Vulkan CPU driver: a different compiler and a different scheduler, so
//! it finds mistakes (missing barriers, undefined values) that lavapipe happens to forgive.
//! It comes with Chromium and Chrome; it is looked for, never installed, by this program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::session::Failure;

/// Names the ICD file explicitly.
pub const ENV: &str = "WGRAD_SWIFTSHADER_ICD";

const FILE: &str = "vk_swiftshader_icd.json";

/// Where distributions and vendors put Chromium.
const FOLDERS: [&str; 9] = [
    "/usr/lib/chromium",
    "/usr/lib64/chromium",
    "/usr/lib/chromium-browser",
    "/usr/lib64/chromium-browser",
    "/opt/google/chrome",
    "/opt/chromium.org/chromium",
    "/opt/microsoft/msedge",
    "/snap/chromium/current/usr/lib/chromium-browser",
    "/usr/share/swiftshader",
];

/// Said when it is nowhere.
pub const HOW_TO_HAVE_IT: &str = "SwiftShader not found, so the GPU suite runs on one driver only; \
     to have it: sudo apt-get install chromium (Debian), snap install chromium (Ubuntu), or set \
     WGRAD_SWIFTSHADER_ICD to a vk_swiftshader_icd.json";

/// The ICD file, `None` if there is none; an explicitly named file that does not exist is an error.
pub fn find(
    named: Option<OsString>,
    is_file: &dyn Fn(&Path) -> bool,
) -> Result<Option<PathBuf>, String> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        return match is_file(&named) {
            true => Ok(Some(named)),
            false => Err(format!("{ENV} names {}, which is no file", named.display())),
        };
    }
    let places = FOLDERS.iter().map(|folder| Path::new(folder).join(FILE));
    Ok(places.into_iter().find(|place| is_file(place)))
}

/// The ICD file on this machine, absolute: children run in the repository's root.
pub fn locate() -> Result<Option<PathBuf>, Failure> {
    let found = find(std::env::var_os(ENV), &Path::is_file).map_err(Failure::new)?;
    Ok(found.map(|icd| std::path::absolute(&icd).unwrap_or(icd)))
}

/// The environment that makes SwiftShader the only Vulkan driver; loaders before 1.3.207 know only
/// the older of the two names.
pub fn environment(icd: &Path) -> [(&'static str, OsString); 2] {
    [
        ("VK_DRIVER_FILES", icd.into()),
        ("VK_ICD_FILENAMES", icd.into()),
    ]
}

/// `cargo xtask swiftshader`.
pub fn print() -> Result<(), Failure> {
    match locate()? {
        Some(icd) => {
            println!("{}", icd.display());
            Ok(())
        }
        None => Err(Failure::new(HOW_TO_HAVE_IT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_file_wins() {
        let found = find(Some("/my/icd.json".into()), &|_| true);
        assert_eq!(found, Ok(Some("/my/icd.json".into())));
    }

    #[test]
    fn a_named_file_that_is_missing_is_an_error_not_a_search() {
        let chromium = Path::new("/usr/lib/chromium/vk_swiftshader_icd.json");
        let complaint = find(Some("/typo.json".into()), &|path| path == chromium).unwrap_err();
        assert_eq!(
            complaint,
            "WGRAD_SWIFTSHADER_ICD names /typo.json, which is no file"
        );
    }

    #[test]
    fn usual_places_are_searched() {
        let chrome = Path::new("/opt/google/chrome/vk_swiftshader_icd.json");
        assert_eq!(find(None, &|path| path == chrome), Ok(Some(chrome.into())));
        assert_eq!(
            find(Some("".into()), &|path| path == chrome),
            Ok(Some(chrome.into()))
        );
        assert_eq!(find(None, &|_| false), Ok(None));
    }

    #[test]
    fn the_advice_is_one_line_and_names_the_variable() {
        assert!(HOW_TO_HAVE_IT.contains(ENV) && HOW_TO_HAVE_IT.contains(FILE));
        assert_eq!(HOW_TO_HAVE_IT.lines().count(), 1);
    }
}
