//! Makes the gRPC services' code and their descriptors, which reflection hands out, from `proto/`; without protoc.

use std::error::Error;
use std::path::PathBuf;

/// The folder that the files' imports and names start from.
const FOLDER: &str = "proto";
/// Every file, each a package of its own.
const FILES: [&str; 2] = ["hopscope/v1/node.proto", "helloworld/helloworld.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={FOLDER}");
    let mut compiler = protox::Compiler::new([FOLDER])?;
    compiler.include_source_info(true).include_imports(true).open_files(FILES)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".hopscope.v1")
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
