use futures_util::future::join_all;

use super::*;

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn burning_spends_the_cpu_time_of_its_thread() {
    let before = thread_cpu();
    burn(5 * MS, || false);
    assert!(thread_cpu() - before >= 5 * MS);
}

#[test]
fn what_is_given_up_burns_no_longer() {
    let looks = std::cell::Cell::new(0);
    burn(HOUR, || {
        looks.set(looks.get() + 1);
        looks.get() == 10
    });
    assert_eq!(looks.get(), 10);
}

#[tokio::test]
async fn works_under_way_at_once_have_a_thread_each_up_to_the_workers() {
    let cpu = Cpu::start(3).unwrap();
    for _ in 0..20 {
        cpu.burn(MS / 10).await;
    }
    assert_eq!(cpu.shared.lock().threads.len(), 1, "one after the other needs one");
    // Without end, so that no thread is free again before the next one comes.
    let mut endless: Vec<_> = (0..8).map(|_| Box::pin(cpu.burn(HOUR))).collect();
    for (burning, threads) in endless.iter_mut().zip([1, 2, 3, 3, 3, 3, 3, 3]) {
        assert!(futures_util::poll!(burning.as_mut()).is_pending());
        assert_eq!(cpu.shared.lock().threads.len(), threads);
    }
    drop(endless);
    join_all((0..8).map(|_| cpu.burn(MS))).await;
}

#[test]
fn a_replica_of_many_workers_has_a_bounded_number_of_threads() {
    assert_eq!(Cpu::start(1_024).unwrap().most, MOST_THREADS);
}

/// On one thread: the runtime has gone on while the other thread burns, and a work that was given up makes room.
#[tokio::test]
async fn a_work_that_is_dropped_frees_its_thread() {
    let cpu = Cpu::start(1).unwrap();
    {
        let endless = cpu.burn(HOUR);
        assert!(futures_util::poll!(Box::pin(endless)).is_pending());
    }
    cpu.burn(MS).await;
}

#[tokio::test]
async fn no_thread_outlives_it() {
    let cpu = Cpu::start(4).unwrap();
    join_all((0..4).map(|_| cpu.burn(MS))).await;
    let shared = Arc::downgrade(&cpu.shared);
    drop(cpu);
    assert_eq!(shared.strong_count(), 0);
}
