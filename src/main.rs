//! The binary: the command line, the reports of what went wrong, the exit code. See [`oc_cockpit`] for the rest.

use std::io::Write;
use std::process::ExitCode;

use oc_cockpit::{cli, runtime};

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let code = runtime::start(cli).unwrap_or_else(|report| {
        // The terminal may be gone by now: what cannot be written is dropped.
        let _ = writeln!(std::io::stderr(), "oc-cockpit: {report:#}");
        1
    });
    ExitCode::from(code)
}
