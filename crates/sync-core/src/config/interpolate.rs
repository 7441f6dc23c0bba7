//! `${VAR}` and `${VAR:-default}` in the scalars of the file.
//!
//! Replaced after the YAML is read, so that a value can never change the file's structure, and never in comments.

use std::ops::Range;

use super::scalar::Scalar;

/// Gives the value of an environment variable.
pub type Lookup<'l> = dyn Fn(&str) -> Option<String> + 'l;

/// A variable that cannot be replaced, by its place in the scalar's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    pub(super) part: Range<usize>,
    pub(super) reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Not set, and no default is given.
    Unset { name: String },
    /// Not of the form `${NAME}` or `${NAME:-default}`.
    Malformed,
}

/// Replaces the variables of `scalar`; all that cannot be are returned together.
pub(super) fn interpolate(scalar: Scalar, lookup: &Lookup<'_>) -> Result<Scalar, Vec<Unresolved>> {
    if !scalar.text.contains("${") {
        return Ok(scalar);
    }
    let mut out = Replaced::default();
    let mut unresolved = Vec::new();
    let mut done = 0;
    while let Some(at) =
        scalar.text.get(done..).and_then(|rest| rest.find("${")).map(|at| done + at)
    {
        if scalar.text.get(done..at).is_some_and(|before| before.ends_with('$')) {
            // `$${` stands for `${`: the first dollar goes.
            out.copy(&scalar, done..at - 1);
            out.copy(&scalar, at..at + 2);
            done = at + 2;
            continue;
        }
        out.copy(&scalar, done..at);
        let reference = Reference::read(scalar.text.get(at..).unwrap_or(""));
        done = at + reference.length;
        match reference.resolve(lookup) {
            Ok(value) => out.replace(&scalar, at, &value),
            Err(reason) => unresolved.push(Unresolved { part: at..done, reason }),
        }
    }
    out.copy(&scalar, done..scalar.text.len());
    if !unresolved.is_empty() {
        return Err(unresolved);
    }
    out.origin.push(scalar.origin.last().copied().unwrap_or(scalar.span.end));
    let written = (!out.variables.is_empty()).then_some(scalar.text);
    Ok(Scalar {
        text: out.text,
        span: scalar.span,
        typed: scalar.typed || written.is_some(),
        written,
        variables: out.variables,
        origin: out.origin,
    })
}

/// Replaces the variables of a plain text, where `${` that begins none stands for itself. The error names a variable
/// that is not set.
pub(super) fn expand(text: &str, lookup: &Lookup<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, _)) = rest.split_once("${") {
        out.push_str(before);
        let reference = Reference::read(rest.get(before.len()..).unwrap_or(""));
        match reference.resolve(lookup) {
            Ok(value) => out.push_str(&value),
            Err(Reason::Malformed) => {
                out.push_str(rest.get(before.len()..before.len() + reference.length).unwrap_or(""));
            }
            Err(Reason::Unset { name }) => return Err(name),
        }
        rest = rest.get(before.len() + reference.length..).unwrap_or("");
    }
    out.push_str(rest);
    Ok(out)
}

/// The text so far, with the origin of each byte.
#[derive(Default)]
struct Replaced {
    text: String,
    origin: Vec<usize>,
    variables: Vec<Range<usize>>,
}

impl Replaced {
    fn copy(&mut self, scalar: &Scalar, part: Range<usize>) {
        self.text.push_str(scalar.text.get(part.clone()).unwrap_or(""));
        self.origin.extend_from_slice(scalar.origin.get(part).unwrap_or(&[]));
    }

    fn replace(&mut self, scalar: &Scalar, at: usize, value: &str) {
        let origin = scalar.origin.get(at).copied().unwrap_or(scalar.span.start);
        self.variables.push(self.text.len()..self.text.len() + value.len());
        self.text.push_str(value);
        self.origin.extend(std::iter::repeat_n(origin, value.len()));
    }
}

/// `${NAME}` or `${NAME:-default}` at the beginning of a text.
struct Reference<'t> {
    /// `None`: not of that form.
    name: Option<&'t str>,
    default: Option<&'t str>,
    /// In bytes, with the braces.
    length: usize,
}

impl<'t> Reference<'t> {
    fn read(text: &'t str) -> Self {
        let line = text.lines().next().unwrap_or(text);
        let Some(end) = line.find('}') else {
            return Self { name: None, default: None, length: 2 };
        };
        let inside = line.get(2..end).unwrap_or("");
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let nested = default.is_some_and(|default| default.contains("${"));
        let name = (is_name(name) && !nested).then_some(name);
        Self { name, default, length: end + 1 }
    }

    /// As in a shell, a default also stands in for an empty value.
    fn resolve(&self, lookup: &Lookup<'_>) -> Result<String, Reason> {
        let name = self.name.ok_or(Reason::Malformed)?;
        match (lookup(name), self.default) {
            (Some(value), None) => Ok(value),
            (Some(value), Some(_)) if !value.is_empty() => Ok(value),
            (_, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err(Reason::Unset { name: name.to_owned() }),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}
