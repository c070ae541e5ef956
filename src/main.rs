//! The `nlog` command.

fn main() {}
