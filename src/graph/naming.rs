//! PyTorch-like paths for layers: a scope, a kind and a number.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    scopes: Vec<String>,
    used: BTreeMap<String, usize>,
    /// Paths that users chose.
    given: BTreeSet<String>,
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

    /// The path of a layer that a user named. No layer gets it by its number.
    pub(super) fn give(&mut self, name: &str) -> String {
        let path = self.within_scope(name);
        self.given.insert(path.clone());
        path
    }

    pub(super) fn next(&mut self, kind: &str) -> String {
        let kind = self.within_scope(kind);
        let count = self.used.entry(kind.clone()).or_insert(0);
        loop {
            *count += 1;
            let path = format!("{kind}{count}");
            if !self.given.contains(&path) {
                return path;
            }
        }
    }

    /// Counts a path that is there already, so that the next of its kind gets a higher number.
    pub(super) fn take(&mut self, path: &str) {
        let kind = path.trim_end_matches(|c: char| c.is_ascii_digit());
        if let Ok(number) = path[kind.len()..].parse::<u32>() {
            let count = self.used.entry(kind.to_owned()).or_insert(0);
            *count = (*count).max(number as usize);
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
    fn numbers_that_users_gave_are_left_out() {
        let mut names = Names::default();
        names.give("conv1");
        names.give("conv3");
        assert_eq!(names.next("conv"), "conv2");
        assert_eq!(names.next("conv"), "conv4");
        names.enter("layer1");
        assert_eq!(names.next("conv"), "layer1.conv1");
    }

    #[test]
    fn numbers_follow_those_that_are_taken() {
        let mut names = Names::default();
        for path in ["conv2", "conv1", "fc", "layer1.0.conv3"] {
            names.take(path);
        }
        assert_eq!(names.next("conv"), "conv3");
        assert_eq!(names.next("fc"), "fc1");
        names.enter("layer1.0");
        assert_eq!(names.next("conv"), "layer1.0.conv4");
    }
}
