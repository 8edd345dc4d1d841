//! Patterns that choose parameters by their paths.

/// Whether a pattern chooses the parameter of this path: the parameter itself, or everything
/// below the path that is meant. `*` stands for any characters, dots too, `?` for one.
///
/// `layer1` is everything below it, `layer1.*.weight` the weights there, `*.bias` all biases, `*`
/// everything.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    let dots = (0..path.len()).filter(|at| path[*at] == '.');
    let mut ends = dots.chain([path.len()]);
    ends.any(|end| fits(&pattern, &path[..end]))
}

/// Whether all of `text` is what the pattern says.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and where it stops for now. What an earlier star could take, it can.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some('*'), _) => {
                p += 1;
                star = Some((p, t));
            }
            (Some(c), _) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            (_, Some((behind, stop))) => {
                p = behind;
                t = stop + 1;
                star = Some((p, t));
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::{fits, matches};

    #[test]
    fn paths_wildcards_and_what_lies_below() {
        let cases = [
            ("conv1", "conv1.weight", true),
            ("conv1.weight", "conv1.weight", true),
            ("conv1", "conv10.weight", false),
            ("conv", "conv1.weight", false),
            ("weight", "conv1.weight", false),
            ("layer1.*", "layer1.0.conv1.weight", true),
            ("layer1.*", "layer10.0.conv1.weight", false),
            ("layer?", "layer1.0.conv1.weight", true),
            ("layer1.*.weight", "layer1.0.conv1.weight", true),
            ("layer1.*.weight", "layer1.0.conv1.bias", false),
            ("*.bias", "layer1.0.conv1.bias", true),
            ("*.bias", "layer1.0.conv1.weight", false),
            ("*.bn?", "layer1.0.bn2.running_mean", true),
            ("*", "conv1.weight", true),
            ("", "conv1.weight", false),
            ("conv1.weight.*", "conv1.weight", false),
            ("größe?", "größe1.weight", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(matches(pattern, path), expected, "{pattern} for {path}");
        }
    }

    /// The definition, without a thought of speed.
    fn defined(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some(('*', rest)), None) => defined(rest, text),
            (Some(('*', rest)), Some((_, tail))) => defined(rest, text) || defined(pattern, tail),
            (Some((p, rest)), Some((t, tail))) => (*p == '?' || p == t) && defined(rest, tail),
            (Some(_), None) => false,
        }
    }

    /// All words of up to `len` letters.
    fn words(letters: &[char], len: usize) -> Vec<Vec<char>> {
        let mut all = vec![Vec::new()];
        let mut from = 0;
        for _ in 0..len {
            let shorter = all[from..].to_vec();
            from = all.len();
            let longer = |word: &Vec<char>| {
                letters
                    .iter()
                    .map(|c| [&word[..], &[*c]].concat())
                    .collect::<Vec<_>>()
            };
            all.extend(shorter.iter().flat_map(longer));
        }
        all
    }

    #[test]
    fn every_short_pattern_means_what_the_definition_says() {
        let texts = words(&['a', 'b'], 5);
        for pattern in words(&['a', 'b', '*', '?'], 4) {
            for text in &texts {
                let expected = defined(&pattern, text);
                assert_eq!(fits(&pattern, text), expected, "{pattern:?} for {text:?}");
            }
        }
    }
}
