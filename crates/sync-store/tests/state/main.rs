//! What the state does, through its port and through `sqlite3`'s eyes.

#[cfg(test)]
mod capturing;
#[cfg(test)]
mod comparing;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod definitions;
mod delivering;
#[cfg(test)]
mod effects;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod holders;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod model;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod older_state;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod reporting;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scanning;
#[cfg(test)]
mod size;
#[cfg(test)]
mod sweeping;
#[cfg(test)]
mod taking_over;
#[cfg(test)]
mod views;
