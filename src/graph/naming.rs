//! PyTorch-like paths for layers: a scope, a kind and a number.

use std::collections::BTreeMap;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    scopes: Vec<String>,
    used: BTreeMap<String, usize>,
}

impl Names {
    pub(super) fn enter(&mut self, scope: &str) {
        self.scopes.push(scope.to_owned());
    }

    pub(super) fn leave(&mut self) {
        self.scopes.pop();
    }

    pub(super) fn within_scope(&self, name: &str) -> String {
        let mut path = self.scopes.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        path
    }

    pub(super) fn next(&mut self, kind: &str) -> String {
        let path = self.within_scope(kind);
        let count = self.used.entry(path.clone()).or_insert(0);
        *count += 1;
        format!("{path}{count}")
    }

    /// Gives numbers free again that no remaining path has, from the highest down.
    pub(super) fn forget(&mut self, remains: impl Fn(&str) -> bool) {
        for (path, count) in &mut self.used {
            while *count > 0 && !remains(&format!("{path}{count}")) {
                *count -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn layers_are_numbered_by_kind_within_their_scope() {
        let mut names = Names::default();
        assert_eq!(names.next("conv"), "conv1");
        assert_eq!(names.next("conv"), "conv2");
        assert_eq!(names.next("linear"), "linear1");
        names.enter("layer1");
        names.enter("0");
        assert_eq!(names.next("conv"), "layer1.0.conv1");
        names.leave();
        assert_eq!(names.next("conv"), "layer1.conv1");
    }

    #[test]
    fn numbers_behind_the_last_that_remains_are_free_again() {
        let mut names = Names::default();
        for _ in 0..4 {
            names.next("conv");
        }
        names.next("linear");
        names.forget(|path| path == "conv2");
        assert_eq!(names.next("conv"), "conv3");
        assert_eq!(names.next("linear"), "linear1");
    }
}
