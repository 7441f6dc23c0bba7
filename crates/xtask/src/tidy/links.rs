//! Relative links in Markdown must lead somewhere.

use std::path::{Component, Path, PathBuf};

use super::{Finding, SourceFile};

/// Reports links to files that `exists` does not know. Web addresses and anchors are not followed.
pub(super) fn check(file: &SourceFile, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    if !file.has_extension("md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(file.text.lines()) {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for target in targets(line) {
            let path = target.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let leads_to = from_root(&file.path, path);
            if !leads_to.as_deref().is_some_and(&exists) {
                findings.push(Finding {
                    place: format!("{}:{number}", file.path),
                    message: format!("the link to `{target}` leads nowhere"),
                });
            }
        }
    }
    findings
}

/// The targets of the inline links and pictures of a line: `](target)` and `](target "title")`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let (inside, _) = rest.split_once(')')?;
        inside.split_whitespace().next()
    })
}

/// The path from the project's root, or `None` where it leaves the project.
fn from_root(file: &str, link: &str) -> Option<String> {
    let mut path: PathBuf = Path::new(file).parent()?.to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    path.to_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(path: &str, text: &str) -> usize {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned() };
        check(&file, |path| ["docs/GLOSSARY.md", "README.md"].contains(&path)).len()
    }

    #[test]
    fn links_are_followed_from_their_own_folder() {
        assert_eq!(dead("README.md", "[words](docs/GLOSSARY.md)"), 0);
        assert_eq!(
            dead("docs/a.md", "[words](GLOSSARY.md#row) and [home](../README.md \"Home\")"),
            0
        );
        assert_eq!(dead("docs/a.md", "[words](docs/GLOSSARY.md)"), 1);
        assert_eq!(dead("README.md", "[a](one.md) [b](two.md)"), 2);
    }

    #[test]
    fn a_link_out_of_the_project_leads_nowhere() {
        assert_eq!(dead("docs/a.md", "[up](../../README.md)"), 1);
        assert_eq!(dead("README.md", "[abs](/README.md)"), 1);
    }

    #[test]
    fn addresses_anchors_and_code_are_not_followed() {
        assert_eq!(dead("README.md", "[web](https://example.com/x) [here](#below)"), 0);
        assert_eq!(dead("README.md", "```\n[not](a-link.md)\n```\n"), 0);
        assert_eq!(dead("main.rs", "[not](a-link.md)"), 0);
    }
}
