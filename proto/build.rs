//! Compiles `usher/v1/*.proto` with a compiler written in Rust, so that nobody has to install `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const PROTOS: [&str; 4] =
    ["usher/v1/common.proto", "usher/v1/inventory.proto", "usher/v1/shows.proto", "usher/v1/availability.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    for proto in PROTOS {
        println!("cargo:rerun-if-changed={proto}");
    }
    let descriptors = protox::compile(PROTOS, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("usher.v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().bytes(".usher.v1").btree_map(".usher.v1").compile_fds(descriptors)?;
    Ok(())
}
