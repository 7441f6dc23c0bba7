//! What an expression can call.

use super::{
    Kind,
    evaluate::{Arguments, EvaluationFault},
};
use crate::{config::nearest, value::Value};

mod choose;
mod digits;
mod words;

/// A function.
pub(super) struct Function {
    /// Its name, in lower case.
    pub(super) name: &'static str,
    /// How it is called.
    pub(super) usage: &'static str,
    /// What it answers, for the manual.
    pub(super) meaning: &'static str,
    /// Fewest and most arguments.
    least: usize,
    most: usize,
    /// What each argument must be; the last holds for all that follow.
    parameters: &'static [Kind],
    /// The kind of the answer; `None`: that of the arguments from this one on.
    answer: Answer,
    /// Computes the answer; asks only for the arguments that it needs.
    pub(super) apply: fn(&Arguments<'_, '_>) -> Result<Value, EvaluationFault>,
}

/// The kind of a function's answer.
#[derive(Clone, Copy)]
enum Answer {
    Always(Kind),
    /// That of its arguments, without the first so many.
    LikeArguments(usize),
}

impl Function {
    pub(super) fn takes(&self, arguments: usize) -> bool {
        (self.least..=self.most).contains(&arguments)
    }

    /// What the argument at this place must be.
    pub(super) fn parameter(&self, at: usize) -> Kind {
        self.parameters.get(at).or(self.parameters.last()).copied().unwrap_or(Kind::Any)
    }

    /// The kind of the answer to arguments of these kinds.
    pub(super) fn result(&self, arguments: &[Kind]) -> Kind {
        match self.answer {
            Answer::Always(kind) => kind,
            Answer::LikeArguments(skipped) => {
                let kinds = arguments.iter().skip(skipped).copied();
                kinds.reduce(Kind::or).unwrap_or(Kind::Any)
            }
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every function.
fn all() -> impl Iterator<Item = &'static Function> {
    choose::FUNCTIONS.iter().chain(digits::FUNCTIONS).chain(words::FUNCTIONS)
}

/// The function with this name, in lower case.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// What may have been meant by a name that no function has.
pub(super) fn suggestion(name: &str) -> String {
    match nearest(name, all().map(|function| function.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<_> = all().map(|function| function.name).collect();
            format!("there are {}", names.join(", "))
        }
    }
}

/// Usage and meaning of every function, for the manual.
pub fn reference() -> Vec<(&'static str, &'static str)> {
    all().map(|function| (function.usage, function.meaning)).collect()
}
