//! Asking before something is done that cannot be taken back, or that replaces what is there.

use std::io::{IsTerminal as _, stdin};

use anyhow::bail;

use super::{client::WrongUsage, output::print_error};

/// Goes on where the answer is yes, or was given beforehand.
///
/// # Errors
/// Where it is no; [`WrongUsage`] where nobody can be asked.
pub(super) fn go_on(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(WrongUsage(format!("{question} Nobody can be asked here: say --yes")).into());
    }
    print_error(format_args!("{question} [y/N]"));
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        bail!("nothing was done");
    }
    Ok(())
}
