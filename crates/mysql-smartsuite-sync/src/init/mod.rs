//! `init`: from two schemas to a mapping file.
//!
//! Reading order: `proposal` decides, `link` follows foreign keys, `yaml` writes it down; `column_kind` and `name` say what columns hold and which
//! names mean the same. `asking` is the person at the terminal, `account` the settings that it is asked for, `making` changes
//! SmartSuite.

pub(crate) mod account;
pub(crate) mod asking;
pub(crate) mod column_kind;
pub(crate) mod link;
pub(crate) mod making;
pub(crate) mod name;
pub(crate) mod proposal;
pub(crate) mod yaml;
