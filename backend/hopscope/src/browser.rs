//! The page in the user's browser, for `--open`.
//!
//! What opens it (xdg-open, gio, macOS' open, WSL's wslview) is the crate `open`'s to know. Where no browser can come up, the
//! address is told instead: the server serves all the same.

use hopscope_scenario::text;

use crate::say::{note, say};

/// Opens an address, without waiting for the browser. The connection waits in the listener until the server takes it.
pub(crate) fn open(address: String) {
    if !has_display() {
        note(&say(text!("cli.open.no-display"), [("address", address)]));
        return;
    }
    let failed =
        |address, reason: String| note(&say(text!("cli.open.failed"), [("address", address), ("reason", reason)]));
    let told = address.clone();
    // What opens it may stay until the browser is closed.
    let opening = std::thread::Builder::new().name("hs-open".into()).spawn(move || {
        if let Err(reason) = try_all(&address) {
            failed(address, reason);
        }
    });
    if let Err(error) = opening {
        failed(told, error.to_string());
    }
}

/// Tries what this system has, one after the other, until one says that it has opened the address; else tells why the last
/// one did not.
fn try_all(address: &str) -> Result<(), String> {
    let mut reason = String::new();
    for mut command in ::open::commands(address) {
        use std::process::Stdio;
        // A browser's chatter is none of ours, and what it reads is not for it.
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let program = quiet.get_program().to_string_lossy().into_owned();
        match quiet.status() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => reason = format!("{program}: {status}"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !reason.is_empty() => {}
            Err(error) => reason = format!("{program}: {error}"),
        }
    }
    Err(reason)
}

/// Whether a window can come up. What opens addresses on other systems needs to be told nothing for that, nor does a program
/// that the user chose to open them.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let asks = cfg!(all(unix, not(target_os = "macos")));
    !asks || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"].into_iter().any(set)
}
