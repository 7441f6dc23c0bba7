//! The traces of the protocol, each a world with a script: what went wrong under an earlier wording of a rule must
//! not go wrong under this one. The comment of a test says what it catches, with the place whose removal it was seen
//! to notice.

mod asked_again;
pub(crate) mod audit;
mod capture;
mod choices;
mod comparing;
mod dedupe;
mod delivery;
mod destination;
mod doubt;
mod gate;
mod gone;
mod limits;
mod linking;
mod mapped;
mod marks;
mod matching;
mod member;
mod missing;
mod older_state;
mod one_writer;
mod outbox;
mod pages;
mod renamed;
mod repeated;
mod second_look;
mod silence;
mod stage;
mod state_files;
mod steps;
mod update_only;
