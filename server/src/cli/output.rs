//! Standard output, as every command writes to it: whoever reads it may stop reading at any time.

use std::{
    fmt::Arguments,
    io::{self, BufWriter, ErrorKind, StdoutLock, Write as _, stderr, stdout},
    process::exit,
};

/// As the standard library's, which panics when nobody reads any more.
macro_rules! println {
    ($($text:tt)*) => { $crate::cli::output::print_line(format_args!($($text)*)) };
}

/// Prints a line. Ends the process quietly, as done, where the reader has gone (`usher show list | head -1`): what the
/// command did is done, and the log needs no farewell.
pub(super) fn print_line(text: Arguments<'_>) {
    written(writeln!(stdout(), "{text}"));
}

fn written(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => exit(0),
        Err(error) => {
            print_error(format_args!("error: writing to standard output: {error}"));
            exit(1)
        }
    }
}

/// Standard output for very many lines: written in large pieces, ended by [`Lines::flush`].
pub(super) struct Lines(BufWriter<StdoutLock<'static>>);

impl Default for Lines {
    fn default() -> Self {
        Self(BufWriter::with_capacity(1 << 16, stdout().lock()))
    }
}

impl Lines {
    /// As [`print_line`].
    pub(super) fn print(&mut self, text: Arguments<'_>) {
        written(writeln!(self.0, "{text}"));
    }

    /// Writes what is still to be written.
    pub(super) fn flush(&mut self) {
        written(self.0.flush());
    }
}

/// Prints a line on standard error, if anybody reads it: the exit code says it, too.
pub(super) fn print_error(text: Arguments<'_>) {
    let _ = writeln!(stderr(), "{text}");
}
