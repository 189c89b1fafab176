//! The README's terminal sessions against the real server: what it prints is what its reader gets.
//!
//! Every `console` block is run, from the first to the last, by one bash: variables, files and the working directory
//! stay. A line `$ ...` is a command, with a here-document `<<END` up to its `END`; the lines behind it are what it
//! prints, on both outputs, and are compared exactly but for instants. What cannot be run stands in blocks of other
//! languages. `USHER_README=write` puts into the README what was printed, where it differs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod common;

use std::{env, fmt::Write as _, fs, iter, net::SocketAddr, ops::Range, path::Path};

use common::process::{Process, program, run};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
/// Stands for any instant, in UTC or in milliseconds.
const INSTANT: &str = "<instant>";
/// The ways of writing an instant; `0` is any digit.
const INSTANTS: [&str; 3] = ["0000-00-00T00:00:00Z", "00000000T000000Z", "0000000000000"];
/// Ends the output of a command: nothing prints it.
const END_OF_OUTPUT: &str = "\u{1e}\n";

/// A command and what the README says that it prints.
struct Step {
    command: String,
    /// Lines of the README, from 0; where the first is, if there is none. The command stands before it.
    printed: Range<usize>,
}

#[test]
fn the_readme_prints_what_its_reader_gets() {
    let text = fs::read_to_string(README).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let steps = steps(&lines);
    // Its reader begins where the server's `./data` is, too.
    let work = tempfile::tempdir().unwrap();
    let (mut server, address) = Process::serve(&work.path().join("data"), 1);
    let outputs = outputs(&steps, address, work.path());
    server.kill();
    let differing = |(step, output): &(&Step, &Vec<String>)| {
        let printed = lines[step.printed.clone()].iter().map(|line| normalised(line));
        !printed.eq(output.iter().map(|line| normalised(line)))
    };
    let differences: Vec<(&Step, &Vec<String>)> = iter::zip(&steps, &outputs).filter(differing).collect();
    if env::var("USHER_README").is_ok_and(|what| what == "write") {
        fs::write(README, rewritten(&lines, &differences)).unwrap();
        return;
    }
    let report: String = differences.iter().map(|(step, output)| difference(&lines, step, output)).collect();
    assert!(
        differences.is_empty(),
        "the README says otherwise (- README, + printed):\n{report}\nUSHER_README=write puts it right."
    );
}

/// The commands of all `console` blocks.
fn steps(lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut is_console, mut in_document) = (false, false);
    for (line, next) in iter::zip(lines, 1..) {
        if !is_console {
            is_console = *line == "```console";
        } else if in_document {
            let step = steps.last_mut().unwrap();
            (step.command, step.printed) = (format!("{}\n{line}", step.command), next..next);
            in_document = *line != "END";
        } else if *line == "```" {
            is_console = false;
        } else if let Some(command) = line.strip_prefix("$ ") {
            in_document = command.contains("<<END");
            steps.push(Step { command: command.to_owned(), printed: next..next });
        } else {
            let step = steps.last_mut().filter(|step| step.printed.end + 1 == next);
            step.unwrap_or_else(|| panic!("README.md:{next}: no command prints this")).printed.end = next;
        }
    }
    assert!(!steps.is_empty() && !is_console, "the README has no console block, or one without an end");
    steps
}

/// What each command prints, in lines.
fn outputs(steps: &[Step], address: SocketAddr, work: &Path) -> Vec<Vec<String>> {
    let mut script = "exec 2>&1\n".to_owned();
    for step in steps {
        writeln!(script, "{}\nprintf '\\x1e\\n'", step.command).unwrap();
    }
    let own = Path::new(env!("CARGO_BIN_EXE_usher")).parent().unwrap().to_owned();
    let path = iter::once(own).chain(env::split_paths(&env::var_os("PATH").unwrap())).collect::<Vec<_>>();
    let mut bash = program("bash");
    bash.args(["--norc", "-c", &script]).current_dir(work).env("PATH", env::join_paths(path).unwrap());
    bash.env("USHER_SERVER", format!("http://{address}")).env("LC_ALL", "C");
    let (_, printed, _) = run(bash);
    // Editors take spaces at the end of a line away.
    let in_lines = |output: &str| output.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut outputs: Vec<Vec<String>> = printed.split(END_OF_OUTPUT).map(in_lines).collect();
    let behind = outputs.pop().unwrap();
    assert!(outputs.len() == steps.len() && behind.is_empty(), "bash gave up:\n{printed}");
    outputs
}

/// A line without its instants.
fn normalised(line: &str) -> String {
    let mut rest = line;
    let mut normalised = String::new();
    while let Some(symbol) = rest.chars().next() {
        if let Some(instant) = INSTANTS.iter().find(|instant| begins_like(rest, instant)) {
            normalised.push_str(INSTANT);
            rest = &rest[instant.len()..];
        } else {
            normalised.push(symbol);
            rest = &rest[symbol.len_utf8()..];
        }
    }
    without_lsn(&normalised)
}

/// A line without LSNs: frames are as many as batches, and what comes or expires at the same time shares one.
fn without_lsn(line: &str) -> String {
    let mut rest = line.to_owned();
    for mark in ["LSN ", " 0/"] {
        let parts: Vec<&str> = rest.split(mark).collect();
        let parts: Vec<&str> = iter::once(parts[0])
            .chain(parts[1..].iter().map(|part| part.trim_start_matches(|symbol: char| symbol.is_ascii_digit())))
            .collect();
        rest = parts.join(mark);
    }
    rest
}

fn begins_like(text: &str, pattern: &str) -> bool {
    let is_like = |(own, wanted): (u8, u8)| if wanted == b'0' { own.is_ascii_digit() } else { own == wanted };
    text.len() >= pattern.len() && iter::zip(text.bytes(), pattern.bytes()).all(is_like)
}

/// The command with its line, what the README says and what was printed.
fn difference(lines: &[&str], step: &Step, output: &[String]) -> String {
    let mut text = format!("\nREADME.md:{}: $ {}\n", step.printed.start, step.command);
    let said = &lines[step.printed.clone()];
    let is_same = |(said, printed): &(&&str, &String)| normalised(said) == normalised(printed);
    let before = iter::zip(said, output).take_while(is_same).count();
    let after = iter::zip(said[before..].iter().rev(), output[before..].iter().rev()).take_while(is_same).count();
    said[..before].iter().for_each(|line| writeln!(text, "  {line}").unwrap());
    said[before..said.len() - after].iter().for_each(|line| writeln!(text, "- {line}").unwrap());
    output[before..output.len() - after].iter().for_each(|line| writeln!(text, "+ {line}").unwrap());
    said[said.len() - after..].iter().for_each(|line| writeln!(text, "  {line}").unwrap());
    text
}

/// The README with what was printed.
fn rewritten(lines: &[&str], differences: &[(&Step, &Vec<String>)]) -> String {
    let mut text = String::new();
    let mut next = 0;
    for (step, output) in differences {
        let before = lines[next..step.printed.start].iter().copied();
        before.chain(output.iter().map(String::as_str)).for_each(|line| writeln!(text, "{line}").unwrap());
        next = step.printed.end;
    }
    lines[next..].iter().for_each(|line| writeln!(text, "{line}").unwrap());
    text
}
