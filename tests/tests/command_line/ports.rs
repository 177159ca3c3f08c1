//! Ports that a run is given for its nodes.

use anyhow::{Result, ensure};

use crate::desk::{Desk, ensure_code, ten};

/// The ports of a run are fixed by name, and what fixes none, or one that is taken, is told with what could be meant.
#[tokio::test]
async fn ports_are_fixed_or_refused_by_name() -> Result<()> {
    let desk = Desk::new()?;
    let file = desk.scenario(ten)?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let ports = format!("shop/http1={port}");
    for (ports, told) in [
        ("shop", "shop fixes no port"),
        ("shop/grpc=50051", "Nothing listens by shop/grpc=50051"),
        ("nobody/http1=50051", "Nothing listens by nobody/http1=50051"),
    ] {
        let refused = desk.hopscope(&[&"run", &file, &"--ports", &ports]).await?;
        ensure_code(&refused, 64)?;
        let said = &refused.stderr;
        ensure!(said.starts_with("--ports: ") && said.contains(told) && said.contains("shop/http1"), "{refused:?}");
    }
    let refused = desk.hopscope(&[&"run", &file, &"--ports", &ports]).await?;
    ensure!(refused.code != 0 && refused.stderr.contains(&format!("127.0.0.1:{port}")), "{refused:?}");
    drop(taken);
    for placement in ["tasks", "processes"] {
        let ran = desk.hopscope(&[&"run", &file, &"--ports", &ports, &"--placement", &placement]).await?;
        ensure_code(&ran, 0)?;
    }
    Ok(())
}
