//! To be written.

fn main() {}

#[cfg(test)]
mod environment;
#[cfg(test)]
mod report {
    mod diagnostic;
}
