//! A run as one HTML page, with nothing outside it.

use std::fmt::Write;
use std::path::Path;

use super::plot::{self, Picture};
use super::{Confusion, Filters, History, ReportError, file};

/// Confusions that the page lists.
const MISTAKES: usize = 10;

/// A report of a run as a single HTML page: figures, curves, confusions, filters, network. The page
/// refers to nothing outside it, and follows the reader's light or dark colours. What is not given
/// is left out.
///
/// ```
/// # use wgrad::report::{Epoch, History, Report};
/// let history: History = [Epoch { epoch: 1, train_loss: 0.5, ..Epoch::default() }].into_iter().collect();
/// let page = Report::new("digits <first try>", &history).html()?;
/// assert!(page.contains("<h1>digits &lt;first try&gt;</h1>") && page.contains("<svg"));
/// # Ok::<(), wgrad::report::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report<'a> {
    title: String,
    history: &'a History,
    facts: Vec<(String, String)>,
    network: Option<&'a str>,
    confusion: Option<&'a Confusion>,
    filters: Option<&'a Filters>,
}

impl<'a> Report<'a> {
    /// A report of a history.
    pub fn new(title: impl Into<String>, history: &'a History) -> Self {
        Self {
            title: title.into(),
            history,
            facts: Vec::new(),
            network: None,
            confusion: None,
            filters: None,
        }
    }

    /// Adds a line to the table of settings, such as the device.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.facts.push((name.into(), value.into()));
        self
    }

    /// Shows a network's summary.
    #[must_use]
    pub fn network(mut self, summary: &'a str) -> Self {
        self.network = Some(summary);
        self
    }

    /// Shows a confusion matrix, and which classes are mistaken most.
    #[must_use]
    pub fn confusion(mut self, confusion: &'a Confusion) -> Self {
        self.confusion = Some(confusion);
        self
    }

    /// Shows the filters of the first layer.
    #[must_use]
    pub fn filters(mut self, filters: &'a Filters) -> Self {
        self.filters = Some(filters);
        self
    }

    /// The page.
    ///
    /// # Errors
    /// [`ReportError::Draw`] if the drawing library refuses.
    pub fn html(&self) -> Result<String, ReportError> {
        let title = escape(&self.title);
        let style = include_str!("style.css");
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
             <meta name=\"viewport\" content=\"width=device-width\"/>\
             <title>{title}</title>\n<style>\n{style}</style></head>\n<body>\n<h1>{title}</h1>\n"
        );
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<p>{}</p>", escape(&self.outcome()));
        for picture in [
            plot::svg(self.history).map(Picture::from_svg),
            plot::learning_rate(self.history),
            plot::slopes(self.history),
        ] {
            figure(&mut page, picture, "")?;
        }
        if let Some(confusion) = self.confusion {
            page.push_str("<h2>Confusions</h2>\n");
            figure(&mut page, plot::confusion(confusion), "")?;
            mistakes(&mut page, confusion);
        }
        if let Some(filters) = self.filters {
            page.push_str("<h2>First layer</h2>\n");
            figure(&mut page, plot::filters(filters), "filters")?;
        }
        if !self.facts.is_empty() {
            page.push_str("<h2>Settings</h2>\n<table>\n");
            for (name, value) in &self.facts {
                let (name, value) = (escape(name), escape(value));
                let _ = writeln!(page, "<tr><th>{name}</th><td>{value}</td></tr>");
            }
            page.push_str("</table>\n");
        }
        let epochs = self.history.to_string();
        let tables = [("Network", self.network), ("Epochs", Some(epochs.as_str()))];
        for (heading, table) in tables {
            if let Some(table) = table {
                let table = escape(table);
                let _ = writeln!(
                    page,
                    "<h2>{heading}</h2>\n<div class=\"wide\"><pre>{table}</pre></div>"
                );
            }
        }
        page.push_str("</body></html>\n");
        Ok(page)
    }

    /// Writes the page to a file, which is replaced whole or not at all.
    ///
    /// # Errors
    /// As [`Report::html`]; [`ReportError::Write`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ReportError> {
        file::write(path.as_ref(), self.html()?)
    }

    /// The run in a sentence.
    fn outcome(&self) -> String {
        let (epochs, seconds) = (self.history.epochs().len(), self.history.seconds());
        let best = self.history.best().map(|best| match best.test_accuracy {
            Some(share) => format!(
                "; best accuracy {:.2} % in epoch {}",
                100.0 * share,
                best.epoch
            ),
            None => format!("; smallest test loss in epoch {}", best.epoch),
        });
        format!(
            "{epochs} epochs in {seconds:.1} s{}",
            best.unwrap_or_default()
        )
    }
}

/// Adds a picture, or nothing where there is nothing to draw.
fn figure(
    page: &mut String,
    picture: Result<Picture, ReportError>,
    class: &str,
) -> Result<(), ReportError> {
    match picture {
        Ok(picture) => {
            let _ = writeln!(page, "<figure class=\"{class}\">{picture}</figure>");
            Ok(())
        }
        Err(ReportError::NothingToDraw(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

fn mistakes(page: &mut String, confusion: &Confusion) {
    let name = |class: usize| {
        confusion
            .classes()
            .names()
            .get(class)
            .map(|name| escape(name))
    };
    page.push_str("<table>\n");
    for (truth, predicted, count) in confusion.mistakes().into_iter().take(MISTAKES) {
        let [truth, predicted] = [truth, predicted].map(|class| name(class).unwrap_or_default());
        let _ = writeln!(
            page,
            "<tr><td>{count} ×</td><td>{truth} taken for {predicted}</td></tr>"
        );
    }
    page.push_str("</table>\n");
}

/// Text as HTML: without what a browser would take for markup, or a control character that no page
/// may hold.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Epoch;

    /// The page is XML too, which a parser checks.
    fn parsed(report: &Report<'_>) -> String {
        let page = report.html().unwrap();
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        roxmltree::Document::parse_with_options(&page, options).unwrap();
        page
    }

    #[test]
    fn every_name_is_escaped_and_every_tag_closed() {
        let evil = "<script>\"&\u{7}";
        let epoch = Epoch {
            epoch: 1,
            train_loss: 1.0,
            learning_rate: 0.1,
            ..Epoch::default()
        };
        let history: History = [epoch].into_iter().collect();
        let confusion = Confusion::of([evil, "b"], &[0, 1], &[1, 1]).unwrap();
        let filters = Filters::new(evil, [1, 1, 1, 2], vec![1.0, -1.0]).unwrap();
        let report = Report::new(evil, &history).fact(evil, evil).network(evil);
        let page = parsed(&report.confusion(&confusion).filters(&filters));
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("<svg").count(), 4);
        assert!(page.contains("1 ×</td><td>&lt;script&gt;"), "{page}");
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !outside.contains("http") && !outside.contains("src="),
            "{page}"
        );
    }

    #[test]
    fn a_run_without_epochs_or_with_a_loss_that_is_none_has_a_page() {
        let page = parsed(&Report::new("a", &History::default()));
        assert!(
            !page.contains("<svg") && page.contains("0 epochs"),
            "{page}"
        );
        let epoch = Epoch {
            epoch: 1,
            train_loss: f64::NAN,
            ..Epoch::default()
        };
        let history: History = [epoch].into_iter().collect();
        assert!(parsed(&Report::new("a", &history)).contains("NaN"));
    }
}
