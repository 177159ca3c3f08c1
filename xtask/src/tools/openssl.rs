//! OpenSSL, by which librdkafka speaks TLS: linked into the program from the system's archives where these are, else compiled with it,
//! which takes five minutes of a processor.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::Result;

use super::{Missing, apt};
use crate::browser::on_path;

/// Where its headers are when it comes with the system.
const HEADERS: &str = "/usr/include";
/// By these a person says where it is; then nothing is said here.
const SAID: [&str; 4] = ["OPENSSL_DIR", "OPENSSL_LIB_DIR", "OPENSSL_NO_VENDOR", "OPENSSL_STATIC"];

/// What to have where packages can be had: without it all works too, later.
pub(super) fn missing() -> Result<Option<Missing>> {
    let has_apt = cfg!(target_os = "linux") && on_path("apt-get").is_some();
    if !has_apt || is_said() || found().is_some() {
        return Ok(None);
    }
    apt::missing(&["libssl-dev"], "TLS to brokers of Kafka, which else is compiled for minutes").map(Some)
}

/// Tells a cargo where it is, so that it compiles none.
pub(crate) fn tell(cargo: &mut Command) {
    if let Some(folder) = found().filter(|_| !is_said()) {
        cargo.env("OPENSSL_NO_VENDOR", "1").env("OPENSSL_STATIC", "1");
        cargo.env("OPENSSL_LIB_DIR", folder).env("OPENSSL_INCLUDE_DIR", HEADERS);
    }
}

fn is_said() -> bool {
    SAID.iter().any(|name| std::env::var_os(name).is_some())
}

/// The folder of the system's archives; asked once, for it is there from the first or from when a package was installed.
fn found() -> Option<&'static Path> {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    if FOUND.get().is_none()
        && let Some(folder) = look()
    {
        FOUND.get_or_init(|| folder);
    }
    FOUND.get().map(PathBuf::as_path)
}

/// Asks the linker's compiler, which repeats the name of what it does not find.
fn look() -> Option<PathBuf> {
    let archive = |name: &str| {
        let told = Command::new("cc").arg(format!("-print-file-name={name}")).output().ok()?;
        let path = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
        if path.is_absolute() { path.canonicalize().ok() } else { None }
    };
    let (tls, _) = archive("libssl.a").zip(archive("libcrypto.a"))?;
    let headers = Path::new(HEADERS).join("openssl/ssl.h").is_file();
    tls.parent().filter(|_| headers).map(Path::to_owned)
}
