//! A graph as a table for people.

use std::fmt::Write;

use super::{Graph, Role};

impl Graph {
    /// A table of the layers with the shapes of their responses and numbers of parameters.
    pub fn summary(&self) -> String {
        let mut table = format!(
            "{:24} {:20} {:>16} {:>12}\n",
            "layer", "operator", "shape", "parameters"
        );
        let mut total = 0;
        for node in self.nodes() {
            let prefix = format!("{}.", node.name);
            let own = self
                .parameters()
                .iter()
                .filter(|p| p.role != Role::Statistic && p.name.starts_with(&prefix));
            let count: usize = own.map(|p| p.shape.elements()).sum();
            total += count;
            let shape = node.outputs.first().map(|o| self.shape(*o).to_string());
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "{:24} {:20} {:>16} {:>12}",
                node.name,
                node.operator.name(),
                shape.unwrap_or_default(),
                if count > 0 {
                    count.to_string()
                } else {
                    String::new()
                },
            );
        }
        let _ = write!(table, "{total} learned parameters");
        table
    }
}
