//! Compiles `usher/v1/*.proto` with a compiler written in Rust, so that nobody has to install `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

const PROTOS: [&str; 6] = [
    "usher/v1/common.proto",
    "usher/v1/inventory.proto",
    "usher/v1/groups.proto",
    "usher/v1/shows.proto",
    "usher/v1/availability.proto",
    "usher/v1/operations.proto",
];

/// What few messages have is behind a pointer: a batch of plain holds stays small in memory.
const RARE: [&str; 9] = [
    ".usher.v1.Command.command.hold_best",
    ".usher.v1.Command.command.sell_places",
    ".usher.v1.Command.command.exchange_seats",
    ".usher.v1.Command.command.join_waitlist",
    ".usher.v1.GroupMember.what.wish",
    ".usher.v1.HoldSeatsRequest.terms",
    ".usher.v1.JoinWaitlistResponse.standing.hold",
    ".usher.v1.Hold.placement",
    ".usher.v1.GetHoldResponse.waiting",
];

fn main() -> Result<(), Box<dyn Error>> {
    for proto in ["usher", "google"] {
        println!("cargo:rerun-if-changed={proto}");
    }
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true).open_files(PROTOS)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // As the compiler has them: prost's types know no options but protobuf's own, and would lose the methods' paths.
    fs::write(out.join("usher.v1.bin"), compiler.encode_file_descriptor_set())?;
    let mut descriptors = compiler.file_descriptor_set();
    // What is read from the descriptors alone needs no code.
    descriptors.file.retain(|file| file.package() == "usher.v1");
    let mut generated = tonic_prost_build::configure().bytes(".usher.v1").btree_map(".usher.v1");
    for rare in RARE {
        generated = generated.boxed(rare);
    }
    generated.compile_fds(descriptors)?;
    Ok(())
}
