//! To be written.

fn main() {}

#[cfg(test)]
mod report {
    mod diagnostic;
}
