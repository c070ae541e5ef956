//! The `nlog` command.

fn main() -> std::process::ExitCode {
    nlog::cli::main()
}
