//! Redis: a key for each seat, with an expiry while it is held. Lua scripts hold all seats of a buyer or none, and only he
//! pays for them or gives them back; a bare `SET NX` takes one seat and asks nobody later.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};
use redis::{Pipeline, aio::MultiplexedConnection};
use rustix::process::Signal;

use super::{
    super::{
        Load, Ran,
        asked::{Asked, Told, Wants},
        link::Link,
        report::Run,
        run_over,
        tally::Sale,
    },
    Form, How,
    process::{Process, find, free_port},
};

/// Of a sale: several of them pass in a few seconds.
const SEATS: u32 = 20_000;
const ATTEMPTS_PER_SECOND_MAX: u64 = 1_500_000;
/// How long a hold lasts.
const HOLD_MS: u64 = 600_000;
/// Takes all seats of a hold, or none.
const HOLD: &str = "\
for i = 1, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end end
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 1";
/// Sells the seats of a hold that still has them all.
const CONFIRM: &str = "\
for i = 1, #KEYS do if redis.call('GET', KEYS[i]) ~= ARGV[1] then return 0 end end
for i = 1, #KEYS do redis.call('SET', KEYS[i], 'sold:' .. ARGV[1]) end
return 1";
/// Before the hold of a seat that is sold.
const SOLD: &[u8] = b"sold:";
/// Gives them back.
const RELEASE: &str = "\
for i = 1, #KEYS do if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end end
return 1";

/// In which way it sells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    is_lua: bool,
    appendfsync: &'static str,
}

pub(super) fn forms() -> Vec<Form> {
    let form = |text, is_lua, appendfsync, (buyers, connections): (u32, u32)| Form {
        text,
        durable: appendfsync == "always",
        buyers,
        connections,
        together: buyers / connections,
        seats: SEATS,
        attempts_per_second_max: ATTEMPTS_PER_SECOND_MAX,
        how: How::Redis(Way { is_lua, appendfsync }),
    };
    vec![
        form("SET NX, appendfsync always, pipelined", false, "always", (4_096, 64)),
        form("SET NX, appendfsync always, pipelined", false, "always", (256, 4)),
        form("Lua, appendfsync always, pipelined", true, "always", (4_096, 64)),
        form("Lua, appendfsync always, pipelined", true, "always", (256, 4)),
        form("Lua, appendfsync always, a connection each", true, "always", (256, 256)),
        form("Lua, appendfsync everysec, pipelined", true, "everysec", (4_096, 64)),
    ]
}

pub(super) async fn run(way: Way, load: &Load, dir: &Path) -> anyhow::Result<Run> {
    std::fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    let (program, port) = (find("redis-server", "redis-server", &[])?, free_port()?);
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", way.appendfsync, "--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]);
    command.arg("--dir").arg(dir);
    let mut process = Process::start(command, Signal::TERM, dir)?;
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/"))?;
    let mut first =
        process.until(async || Ok(client.get_multiplexed_async_connection().await?)).await.context("Redis")?;
    let mut scripts = [const { String::new() }; 3];
    for (sha, script) in scripts.iter_mut().zip([HOLD, CONFIRM, RELEASE]) {
        *sha = redis::cmd("SCRIPT").arg("LOAD").arg(script).query_async(&mut first).await?;
    }
    let mut links = Vec::new();
    for _ in 0..load.connections {
        let connection = client.get_multiplexed_async_connection().await?;
        links.push(Seats { connection, scripts: way.is_lua.then(|| scripts.clone()) });
    }
    let before = process.ticks();
    let mut ran = run_over(load, links).await?;
    ran.cpu.push(("Redis", process.ticks() - before));
    check(&mut first, way, &ran).await?;
    Ok(Run::new(ran, None))
}

/// Every seat that a buyer was told he has bought is his.
async fn check(connection: &mut MultiplexedConnection, way: Way, ran: &Ran) -> anyhow::Result<()> {
    let mut wrong = 0;
    for sales in ran.sales.chunks(1_024) {
        let mut pipeline = Pipeline::with_capacity(sales.len());
        let seats = sales.iter().flat_map(|sale| sale.seats.each().map(move |seat| (sale, seat)));
        for (sale, seat) in seats.clone() {
            pipeline.get(key(sale.show, seat));
        }
        let values: Vec<Option<Vec<u8>>> = pipeline.query_async(connection).await?;
        let sold: &[u8] = if way.is_lua { SOLD } else { b"" };
        let is_his = |(sale, _): (&Sale, u32), value: Option<Vec<u8>>| {
            value.as_deref().and_then(|value| value.strip_prefix(sold)) == Some(&sale.hold_id.as_bytes()[..])
        };
        wrong += seats.zip(values).filter(|(seat, value)| !is_his(*seat, value.clone())).count();
    }
    ensure!(wrong == 0, "Redis sold {wrong} seats twice, or lost them");
    Ok(())
}

fn key(show: u32, seat: u32) -> String {
    format!("s:{show}:{seat}")
}

/// A connection. Scripts by their hashes, or none for a bare `SET NX`.
#[derive(Clone)]
struct Seats {
    connection: MultiplexedConnection,
    scripts: Option<[String; 3]>,
}

impl Seats {
    fn add(&self, pipeline: &mut Pipeline, asked: &Asked) {
        let holder = &asked.hold_id[..];
        match (&self.scripts, asked.wants) {
            (Some([_, confirm, release]), Wants::Confirm | Wants::Release) => {
                let script = if asked.wants == Wants::Confirm { confirm } else { release };
                keys(pipeline.cmd("EVALSHA").arg(script), asked).arg(holder);
            }
            (Some([hold, ..]), _) => {
                keys(pipeline.cmd("EVALSHA").arg(hold), asked).arg(holder).arg(HOLD_MS);
            }
            (None, Wants::Confirm) => {
                pipeline.cmd("PERSIST").arg(key(asked.show, asked.seats.first));
            }
            (None, Wants::Release) => {
                pipeline.cmd("DEL").arg(key(asked.show, asked.seats.first));
            }
            (None, _) => {
                let key = key(asked.show, asked.seats.first);
                pipeline.cmd("SET").arg(key).arg(holder).arg("NX").arg("PX").arg(HOLD_MS);
            }
        }
    }
}

fn keys<'a>(command: &'a mut Pipeline, asked: &Asked) -> &'a mut Pipeline {
    command.arg(asked.seats.count);
    for seat in asked.seats.each() {
        command.arg(key(asked.show, seat));
    }
    command
}

impl Link for Seats {
    async fn ask(&self, asked: &[Asked]) -> anyhow::Result<Vec<Told>> {
        let mut pipeline = Pipeline::with_capacity(asked.len());
        asked.iter().for_each(|asked| self.add(&mut pipeline, asked));
        let values: Vec<redis::Value> = pipeline.query_async(&mut self.connection.clone()).await?;
        let told = asked.iter().zip(values).map(|(asked, value)| {
            let is_done = matches!(value, redis::Value::Int(1) | redis::Value::Okay);
            match (asked.wants, is_done) {
                (Wants::Confirm, true) => Told::Sold,
                (Wants::Release, true) => Told::Released,
                (Wants::Confirm | Wants::Release, false) => Told::Wrong(format!("{value:?}").into()),
                (_, true) => Told::Held,
                (_, false) => Told::Taken,
            }
        });
        Ok(told.collect())
    }
}
