//! A short answer of a command that does one thing: sentences for people, or the same facts for machines.

use serde_json::{Map, Value};

use super::Screen;
use crate::exit::Exit;

/// What a command has to say.
pub(crate) struct Answer<'s> {
    screen: &'s Screen,
    facts: Option<Map<String, Value>>,
}

impl<'s> Answer<'s> {
    /// `as_json`: one JSON object at the end, and no sentences.
    pub(crate) fn new(screen: &'s Screen, as_json: bool) -> Self {
        Self { screen, facts: as_json.then(Map::new) }
    }

    /// A sentence.
    pub(crate) fn say(&self, text: &str) {
        if self.facts.is_none() {
            self.screen.say(text);
        }
    }

    /// A fact.
    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(facts) = &mut self.facts {
            facts.insert(name.to_owned(), value.into());
        }
    }

    /// The end.
    pub(crate) fn end(self, exit: Exit) -> Exit {
        if let Some(mut facts) = self.facts {
            facts.insert("exit_code".to_owned(), exit.code().into());
            self.screen.say(&format!("{:#}", Value::Object(facts)));
        }
        exit
    }
}
