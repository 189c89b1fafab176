//! `usher top`: what a server does, in a terminal, while it does it.
//!
//! The pictures are in [`draw`]; this opens the stream, listens to keys, and gives the terminal back whatever happens.

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use clap::Args;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions, prost::Message as _};
use ratatui::{
    DefaultTerminal, Terminal,
    backend::TestBackend,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tonic::Streaming;
use usher_proto::v1::{self, operations_client::OperationsClient};

use super::{
    client::{ServerArgs, WrongUsage, told},
    format::Format,
};
use draw::{Picture, draw};

mod draw;

/// How often keys are looked for: as long as the end may take.
const KEYS_INTERVAL: Duration = Duration::from_millis(100);
/// Before a server that went away is called again.
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// The size of the picture of `--once` where standard output is no terminal.
const SIZE: (u16, u16) = (80, 24);

/// Shows what a server does: shards, latencies, shows with the most commands, what is refused and why. Ends with q or Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Whoever asks needs the scope `operate`. Latencies are of batches in all shards (queue, decide, append
with its fsync, answer) and of unary calls, within the bounds of the buckets that they are counted in
(1, 2, 5, 10, ...).

Examples:
  $ usher top
  $ usher top --once
  $ usher top --output jsonl | jq .shards")]
pub(super) struct Top {
    /// Milliseconds of an interval, 100 to 60000
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(100..=60_000))]
    every: u32,
    /// Shows that are named
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100))]
    shows: u32,
    /// Print one interval and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Top {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let format = self.server.format();
        let is_picture = format == Format::Table && !self.once;
        if is_picture && !std::io::stdout().is_terminal() {
            return Err(WrongUsage("standard output is no terminal: use --once or --output jsonl".to_owned()).into());
        }
        if is_picture { self.show() } else { self.print(format) }
    }

    /// Prints intervals as they come, or one.
    fn print(&self, format: Format) -> anyhow::Result<()> {
        self.server.block_on_channel(async |channel| {
            let mut client = OperationsClient::new(channel);
            let mut answers = client.watch_status(self.request()).await?.into_inner();
            while let Some(status) = answers.message().await? {
                match format {
                    Format::Table => println!("{}", text(&status)?),
                    Format::Json | Format::Jsonl => println!("{}", json(&status)?),
                }
                if self.once {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Draws until it is told to end.
    fn show(&self) -> anyhow::Result<()> {
        self.server.block_on_channel(async |channel| {
            let mut screen = Screen::open()?;
            let mut client = OperationsClient::new(channel);
            let mut told_to_end = Ends::listen()?;
            let mut picture = Picture::new(console::colors_enabled());
            loop {
                let answers = client.watch_status(self.request()).await;
                let problem = match answers {
                    Ok(answers) => {
                        let drawing = follow(&mut screen, &mut picture, answers.into_inner());
                        tokio::select! {
                            problem = drawing => problem?,
                            () = told_to_end.wait() => return Ok(()),
                        }
                    }
                    Err(status) if !is_passing(&status) => return Err(status.into()),
                    Err(status) => status.message().to_owned(),
                };
                picture.problem = Some(problem);
                screen.draw(&picture)?;
                tokio::select! {
                    () = tokio::time::sleep(RETRY_WAIT) => {}
                    () = told_to_end.wait() => return Ok(()),
                }
            }
        })
    }

    fn request(&self) -> v1::WatchStatusRequest {
        v1::WatchStatusRequest { interval_ms: self.every, shows_max: self.shows }
    }
}

/// Draws what comes until the stream ends; why it did.
async fn follow(
    screen: &mut Screen,
    picture: &mut Picture,
    mut answers: Streaming<v1::WatchStatusResponse>,
) -> anyhow::Result<String> {
    loop {
        match answers.message().await {
            Ok(Some(status)) => {
                picture.add(status);
                screen.draw(picture)?;
            }
            Ok(None) => return Ok("the server ended the stream".to_owned()),
            Err(status) if is_passing(&status) => return Ok(told(&status.into())),
            Err(status) => return Err(status.into()),
        }
    }
}

/// It may be there again in a moment.
fn is_passing(status: &tonic::Status) -> bool {
    use tonic::Code::{Cancelled, ResourceExhausted, Unavailable, Unknown};
    matches!(status.code(), Unavailable | Cancelled | Unknown | ResourceExhausted)
}

/// The terminal, which is given back when this is dropped, and when the process panics.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> anyhow::Result<Self> {
        Ok(Self(ratatui::try_init().context("taking the terminal")?))
    }

    fn draw(&mut self, picture: &Picture) -> anyhow::Result<()> {
        self.0.draw(|frame| draw(frame, picture)).context("drawing")?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// What ends it: a key, or a signal.
struct Ends {
    keys: mpsc::UnboundedReceiver<()>,
    term: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Ends {
    fn listen() -> anyhow::Result<Self> {
        let (sender, keys) = mpsc::unbounded_channel();
        // It ends with the process, or when nobody listens any more.
        std::thread::spawn(move || {
            while !sender.is_closed() {
                match is_end_pressed() {
                    Ok(false) => {}
                    // Without keys there is another way to end it.
                    Err(_) => return,
                    Ok(true) => drop(sender.send(())),
                }
            }
        });
        let listen = |kind| signal(kind).context("listening for signals");
        Ok(Self { keys, term: listen(SignalKind::terminate())?, hangup: listen(SignalKind::hangup())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            Some(()) = self.keys.recv() => {}
            _ = self.term.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn is_end_pressed() -> std::io::Result<bool> {
    if !event::poll(KEYS_INTERVAL)? {
        return Ok(false);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
            KeyCode::Char('q') | KeyCode::Esc => true,
            KeyCode::Char('c') => key.modifiers.contains(KeyModifiers::CONTROL),
            _ => false,
        },
        _ => false,
    })
}

/// One picture as text.
fn text(status: &v1::WatchStatusResponse) -> anyhow::Result<String> {
    let size = console::Term::stdout().size_checked().map_or(SIZE, |(rows, columns)| (columns, rows.max(SIZE.1)));
    let picture = Picture::printed(status.clone());
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1))?;
    terminal.draw(|frame| draw(frame, &picture))?;
    let buffer = terminal.backend().buffer();
    let rows = buffer.content.chunks(usize::from(size.0)).map(|row| {
        let row: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        row.trim_end().to_owned()
    });
    let rows: Vec<String> = rows.collect();
    Ok(rows.join("\n").trim_end().to_owned())
}

/// As JSON, with the names of the `.proto` file.
fn json(status: &v1::WatchStatusResponse) -> anyhow::Result<String> {
    let pool = DescriptorPool::decode(usher_proto::FILE_DESCRIPTOR_SET)?;
    let kind = pool.get_message_by_name("usher.v1.WatchStatusResponse").context("the descriptor")?;
    let message = DynamicMessage::decode(kind, status.encode_to_vec().as_slice())?;
    let options =
        SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true).skip_default_fields(false);
    let mut text = Vec::new();
    message.serialize_with_options(&mut serde_json::Serializer::new(&mut text), &options)?;
    Ok(String::from_utf8(text)?)
}
