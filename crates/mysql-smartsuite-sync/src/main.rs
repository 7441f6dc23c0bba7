//! To be written.

#[cfg(test)]
mod report {
    mod diagnostic;
}

fn main() {}
