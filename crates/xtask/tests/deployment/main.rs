//! The files that people deploy with, tried out as far as one machine without a container engine can:
//! the image's build steps and the installation that `deploy/README.md` describes are executed in a
//! throw-away root, systemd checks the units, and the compose files are read as YAML.

#![cfg(test)]

mod command_line;
mod compose;
mod dockerfile;
mod host;
mod image;
mod package;
mod project;
mod throwaway_root;
mod units;
