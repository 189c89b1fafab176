//! PostgreSQL: a row for each seat. A guarded `UPDATE` is one statement for each command; `SELECT ... FOR UPDATE` locks the
//! row first, in a transaction; `SKIP LOCKED` takes any seat that is free, so that nobody waits for a row.

use std::{
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use anyhow::{Context as _, ensure};
use rustix::process::Signal;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls, Statement, types::ToSql};

use super::{
    super::{
        Load, Ran,
        asked::{Asked, Told, Wants},
        link::Link,
        report::Run,
        run_over,
    },
    Form, How,
    process::{Process, find, free_port},
};

const BUYERS: u32 = 64;
/// Of a sale: several of them pass in a few seconds.
const SEATS: u32 = 2_000;
const ATTEMPTS_PER_SECOND_MAX: u64 = 60_000;
/// The role that it is used by.
const ROLE: &str = "usher";
const TABLE: &str = "\
CREATE TABLE seats (show int, seat int, status smallint NOT NULL DEFAULT 0, hold bytea, expires timestamptz,
PRIMARY KEY (show, seat)) WITH (fillfactor = 50)";
const HELD: &str = "UPDATE seats SET status = 1, hold = $3, expires = now() + interval '10 minutes'";
const IS_FREE: &str = "status <> 2 AND (status = 0 OR expires < now())";

/// In which way it sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Update,
    ForUpdate,
    SkipLocked,
}

pub(super) fn forms() -> Vec<Form> {
    let form = |text, way| Form {
        text,
        durable: true,
        buyers: BUYERS,
        connections: BUYERS,
        together: 1,
        seats: SEATS,
        attempts_per_second_max: ATTEMPTS_PER_SECOND_MAX,
        how: How::Postgres(way),
    };
    vec![
        form("one guarded UPDATE, synchronous commit", Way::Update),
        form("SELECT ... FOR UPDATE, synchronous commit", Way::ForUpdate),
        form("SKIP LOCKED (any seat), synchronous commit", Way::SkipLocked),
    ]
}

pub(super) async fn run(way: Way, load: &Load, seats: u32, dir: &Path) -> anyhow::Result<Run> {
    let (mut process, port) = start(dir)?;
    let address = format!("host=127.0.0.1 port={port} user={ROLE} dbname=postgres");
    let first = process.until(|| connect(&address)).await.context("PostgreSQL")?;
    first.batch_execute(TABLE).await?;
    let (last_show, last_seat) = (load.scenario.shows() - 1, seats - 1);
    let fill = format!(
        "INSERT INTO seats SELECT show, seat FROM generate_series(0, {last_show}) show, generate_series(0, {last_seat}) seat"
    );
    first.batch_execute(&fill).await?;
    if way == Way::SkipLocked {
        first.batch_execute("CREATE INDEX ON seats (show, seat) WHERE status <> 2").await?;
    }
    first.batch_execute("VACUUM ANALYZE seats").await?;
    first.batch_execute("CHECKPOINT").await?;
    let mut links = Vec::new();
    for _ in 0..load.connections {
        links.push(Seats::new(connect(&address).await?, way).await?);
    }
    let before = process.ticks();
    let mut ran = run_over(load, links).await?;
    ran.cpu.push(("PostgreSQL", process.ticks() - before));
    check(&first, &ran).await?;
    Ok(Run::new(ran, None))
}

/// A new cluster in this directory. It refuses to be root, and is somebody else then.
fn start(dir: &Path) -> anyhow::Result<(Process, u16)> {
    let directories: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|of| of.path().join("bin"))
        .collect();
    let find = |program| find(program, "postgresql", &directories);
    let (postgres, initdb, port) = (find("postgres")?, find("initdb")?, free_port()?);
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let somebody = if rustix::process::geteuid().is_root() { Some(other_user()?) } else { None };
    let command = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(dir).stdin(Stdio::null());
        if let Some((user, group)) = somebody {
            command.uid(user).gid(group);
        }
        command
    };
    if let Some((user, group)) = somebody {
        chown(dir, Some(user), Some(group)).with_context(|| format!("giving away {}", dir.display()))?;
    }
    let data = dir.join("cluster");
    let mut making = command(&initdb);
    making.arg("-D").arg(&data).args(["-U", ROLE, "--auth=trust", "--encoding=UTF8", "--no-locale"]);
    let made = making.output().context("running initdb")?;
    ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr).trim());
    let mut serving = command(&postgres);
    serving.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=on",
        "synchronous_commit=on",
        "max_connections=100",
        "shared_buffers=512MB",
        "max_wal_size=8GB",
        "checkpoint_timeout=30min",
    ] {
        serving.args(["-c", setting]);
    }
    Ok((Process::start(serving, Signal::INT, dir)?, port))
}

/// The package's own user, or nobody in particular.
fn other_user() -> anyhow::Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").context("reading /etc/passwd")?;
    let ids = |name: &str| {
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).context("there is no user `postgres` to run as")
}

async fn connect(address: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await?;
    // It ends with its client; what breaks it is told to whoever asks.
    tokio::spawn(connection);
    Ok(client)
}

/// As many seats are sold, each to another hold, as buyers were told.
async fn check(client: &Client, ran: &Ran) -> anyhow::Result<()> {
    let count = client.query_one("SELECT count(DISTINCT hold) FROM seats WHERE status = 2", &[]).await?;
    let (sold, told) = (count.get::<_, i64>(0), ran.sales.len());
    ensure!(i64::try_from(told) == Ok(sold), "PostgreSQL says that {sold} holds are sold, buyers were told {told}");
    Ok(())
}

/// A connection with its statements.
#[derive(Clone)]
struct Seats(Arc<Prepared>);

struct Prepared {
    client: Client,
    way: Way,
    select: Statement,
    hold: Statement,
    confirm: Statement,
    release: Statement,
    /// The seat that a buyer got who did not choose one: he is the only one on this connection.
    got: Mutex<i32>,
}

impl Seats {
    async fn new(client: Client, way: Way) -> anyhow::Result<Self> {
        let hold = match way {
            Way::Update => format!("{HELD} WHERE show = $1 AND seat = $2 AND {IS_FREE}"),
            Way::ForUpdate => format!("{HELD} WHERE show = $1 AND seat = $2"),
            Way::SkipLocked => format!(
                "{HELD} WHERE (show, seat) = (SELECT show, seat FROM seats WHERE show = $1 AND seat >= $2 AND {IS_FREE} \
                 ORDER BY seat LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING seat"
            ),
        };
        let select = format!("SELECT seat FROM seats WHERE show = $1 AND seat = $2 AND {IS_FREE} FOR UPDATE");
        let his = "WHERE show = $1 AND seat = $2 AND status = 1 AND hold = $3";
        let confirm = format!("UPDATE seats SET status = 2, expires = NULL {his}");
        let release = format!("UPDATE seats SET status = 0, hold = NULL, expires = NULL {his}");
        let prepared = Prepared {
            select: client.prepare(&select).await?,
            hold: client.prepare(&hold).await?,
            confirm: client.prepare(&confirm).await?,
            release: client.prepare(&release).await?,
            got: Mutex::new(0),
            client,
            way,
        };
        Ok(Self(Arc::new(prepared)))
    }
}

impl Prepared {
    async fn ask(&self, asked: &Asked) -> anyhow::Result<Told> {
        let (show, seat) = (i32::try_from(asked.show)?, i32::try_from(asked.seats.first)?);
        let hold_id = &asked.hold_id[..];
        let settles = match asked.wants {
            Wants::Confirm => Some((&self.confirm, Told::Sold)),
            Wants::Release => Some((&self.release, Told::Released)),
            _ => None,
        };
        if let Some((statement, told)) = settles {
            let seat = if self.way == Way::SkipLocked { *self.got.lock().await } else { seat };
            let changed = self.client.execute(statement, &[&show, &seat, &hold_id]).await?;
            return Ok(if changed == 1 { told } else { Told::Wrong("no such hold".into()) });
        }
        let is_held = match self.way {
            Way::Update => self.client.execute(&self.hold, &[&show, &seat, &hold_id]).await? == 1,
            Way::SkipLocked => match self.client.query_opt(&self.hold, &[&show, &0i32, &hold_id]).await? {
                Some(row) => {
                    *self.got.lock().await = row.get(0);
                    true
                }
                None => false,
            },
            Way::ForUpdate => self.hold_what_is_locked(show, seat, hold_id).await?,
        };
        Ok(if is_held { Told::Held } else { Told::Taken })
    }

    async fn hold_what_is_locked(&self, show: i32, seat: i32, hold_id: &[u8]) -> anyhow::Result<bool> {
        let (chosen, holder): ([&(dyn ToSql + Sync); 2], [&(dyn ToSql + Sync); 3]) =
            ([&show, &seat], [&show, &seat, &hold_id]);
        // Both are on their way at once, one behind the other.
        let (begun, row) =
            tokio::join!(self.client.batch_execute("BEGIN"), self.client.query_opt(&self.select, &chosen));
        begun?;
        if row?.is_none() {
            self.client.batch_execute("ROLLBACK").await?;
            return Ok(false);
        }
        let (held, done) = tokio::join!(self.client.execute(&self.hold, &holder), self.client.batch_execute("COMMIT"));
        done?;
        Ok(held? == 1)
    }
}

impl Link for Seats {
    async fn ask(&self, asked: &[Asked]) -> anyhow::Result<Vec<Told>> {
        let mut told = Vec::with_capacity(asked.len());
        for asked in asked {
            told.push(self.0.ask(asked).await?);
        }
        Ok(told)
    }
}
