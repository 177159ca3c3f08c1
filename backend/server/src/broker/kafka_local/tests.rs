use std::collections::BTreeSet;
use std::io::Write as _;

use super::*;

/// Whether it is there; tells if not.
fn installed() -> bool {
    let installed = KafkaLocal::default().installed();
    if let Err(error) = &installed {
        // Straight to the output, which the harness does not capture.
        let _ = std::io::stdout().write_all(format!("not applicable: the local Kafka: {error}\n").as_bytes());
    }
    installed.is_ok()
}

/// The addresses that a process listens at, as Linux writes them.
fn listens_at(process: u32) -> BTreeSet<String> {
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let sockets: BTreeSet<_> = files
        .filter_map(|file| std::fs::read_link(file.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|name| Some(name.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|name| std::fs::read_to_string(format!("/proc/{process}/net/{name}")));
    let tables: String = tables.into_iter().flatten().collect();
    let rows = tables.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    // 0A: LISTEN.
    let ours = rows.filter(|row| row.get(3) == Some(&"0A") && row.get(9).is_some_and(|inode| sockets.contains(*inode)));
    ours.map(|row| row[1].to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_once_and_leaves_nothing() {
    if !installed() {
        return;
    }
    let local = KafkaLocal::default();
    assert_eq!((local.state(), local.memory()), (LocalState::Stopped, None));
    assert!(matches!(local.kill().await, Err(KafkaLocalError::NotRunning)));
    let other = local.clone();
    let (first, second) = tokio::join!(local.reach(), other.reach());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.socket, second.socket, "there is one");
    assert!(first.took.is_some() != second.took.is_some(), "one of them started it");
    assert_eq!(first.version, local.installed().unwrap());
    assert_eq!(local.state(), LocalState::Ready);
    assert!(local.memory().unwrap() > 1 << 20);

    let look = || local.node.look(|node| (node.home().folder().to_owned(), node.process().unwrap())).unwrap();
    let (folder, process) = look();
    // Loopback's number, byte by byte from the last.
    let listens = listens_at(process);
    assert!(listens.contains(&format!("0100007F:{:04X}", first.socket.port())), "{listens:?}");
    assert_eq!(listens.iter().filter(|address| address.starts_with("0100007F:")).count(), 2, "{listens:?}");
    assert_eq!(listens.len(), 2, "the broker and its controller, and nothing that others could reach: {listens:?}");

    local.kill().await.unwrap();
    assert_eq!(local.state(), LocalState::Stopped);
    assert!(folder.exists() && TcpStream::connect(first.socket).await.is_err());
    let again = local.reach().await.unwrap();
    assert_eq!((again.socket, again.took.is_some()), (first.socket, true), "the same one, started again");
    let (same, process) = look();
    assert_eq!(same, folder, "with what it had");

    local.stop().await;
    assert_eq!(local.state(), LocalState::Stopped);
    assert!(!folder.exists(), "its folder is gone");
    assert!(!std::path::Path::new(&format!("/proc/{process}")).exists());
    assert!(TcpStream::connect(first.socket).await.is_err());
    assert!(other.reach().await.is_err(), "it was stopped for good");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_last_handle_it_is_killed() {
    if !installed() {
        return;
    }
    let local = KafkaLocal::default();
    // Who asked goes at once; the start goes on, and the next one waits for it.
    drop(tokio::time::timeout(Duration::ZERO, local.reach()).await);
    local.reach().await.unwrap();
    let ended = local.node.look(|node| node.ended().clone()).unwrap();
    drop(local);
    ended.cancelled().await;
}

#[test]
fn what_is_installed_is_whole() {
    if installed() && Installation::find().unwrap().is_listed() {
        verify_kafka().unwrap();
    }
}
