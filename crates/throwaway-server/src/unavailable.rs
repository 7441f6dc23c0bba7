//! The one failure that a test may pass over: a server that this machine cannot get.

use std::fmt;

use anyhow::Result;

use crate::Flavor;

/// No server of this flavor is on the machine and none could be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The flavor that was wanted.
    pub flavor: Flavor,
    /// Why it is not to be had, for people.
    pub reason: String,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no {} server: {}", self.flavor, self.reason)
    }
}

impl std::error::Error for Unavailable {}

/// Turns [`Unavailable`] into `None` with a loud line on standard error; every other error stays.
#[expect(clippy::print_stderr, reason = "a skipped suite must be seen")]
pub fn skip_if_unavailable<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.downcast::<Unavailable>() {
            Ok(unavailable) => {
                eprintln!("\n*** SKIPPED: {unavailable} ***\n");
                Ok(None)
            }
            Err(error) => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unavailable_is_skipped() {
        let absent = Unavailable { flavor: Flavor::MySql, reason: "offline".to_owned() };
        assert_eq!(skip_if_unavailable::<()>(Err(absent.into())).unwrap(), None);
        assert_eq!(skip_if_unavailable(Ok(7)).unwrap(), Some(7));
        assert!(skip_if_unavailable::<()>(Err(anyhow::anyhow!("crashed"))).is_err());
    }
}
