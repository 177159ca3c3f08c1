use std::sync::atomic::AtomicI64;

use futures_util::StreamExt as _;

use super::*;

fn millis(count: i64) -> i64 {
    count * 1_000_000
}

#[tokio::test]
async fn nothing_resolves_before_its_deadline() {
    let timer = Timer::start().unwrap();
    for distance in [0, 1, 1_000, 50_000, 1_000_000, 3_000_000] {
        let deadline = monotonic_ns() + distance;
        timer.until(deadline).await;
        assert!(monotonic_ns() >= deadline);
    }
    let before = monotonic_ns();
    timer.after(Duration::from_millis(2)).await;
    assert!(monotonic_ns() - before >= millis(2));
}

#[tokio::test]
async fn the_past_resolves_at_once_and_again_after_that() {
    let timer = Timer::start().unwrap();
    let mut sleep = timer.until(i64::MIN);
    (&mut sleep).await;
    (&mut sleep).await;
}

#[test]
fn what_is_due_is_woken_in_the_order_of_deadlines() {
    let (mut heap, mut due) = (BinaryHeap::new(), Vec::new());
    for deadline in [70, 20, 90, 40, 0, 80, 10, 60, 30, 50] {
        heap.push(Alarm { deadline, wake: oneshot::channel().0 });
    }
    take_due(&mut heap, 40, &mut due);
    let taken: Vec<_> = due.drain(..).map(|alarm| alarm.deadline).collect();
    assert_eq!(taken, [0, 10, 20, 30, 40]);
    take_due(&mut heap, 49, &mut due);
    assert!(due.is_empty(), "nothing is due before its deadline");
    take_due(&mut heap, i64::MAX, &mut due);
    assert_eq!(due.len(), 5);
}

#[tokio::test]
async fn a_later_but_nearer_deadline_is_not_held_up_by_a_far_one() {
    let timer = Timer::start().unwrap();
    let mut far = timer.after(Duration::from_secs(3600));
    assert!(futures_util::poll!(&mut far).is_pending());
    timer.after(Duration::from_micros(200)).await;
    assert!(futures_util::poll!(&mut far).is_pending());
}

#[tokio::test]
async fn given_up_sleeps_are_swept() {
    let timer = Timer::start().unwrap();
    for _ in 0..10_000 {
        let mut sleep = timer.after(Duration::from_secs(3600));
        assert!(futures_util::poll!(&mut sleep).is_pending());
    }
    assert!(timer.thread.shared.lock().heap.len() <= 2 * SWEEP_FROM);
    timer.after(Duration::from_micros(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sleepers_on_many_threads_all_wake_in_time_order_of_their_own() {
    let timer = Timer::start().unwrap();
    let latest = Arc::new(AtomicI64::new(0));
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let (timer, latest) = (timer.clone(), Arc::clone(&latest));
            tokio::spawn(async move {
                for step in 0..10 {
                    let deadline = monotonic_ns() + (task * 37 + step * 11) % 400_000;
                    timer.until(deadline).await;
                    assert!(monotonic_ns() >= deadline);
                    latest.fetch_max(deadline, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(monotonic_ns() >= latest.load(Ordering::Relaxed));
}

#[test]
fn the_thread_ends_with_the_last_handle() {
    let timer = Timer::start().unwrap();
    let shared = Arc::downgrade(&timer.thread.shared);
    let sleep = timer.after(Duration::from_secs(3600));
    drop(timer);
    assert!(shared.upgrade().is_some_and(|shared| !shared.lock().ended));
    drop(sleep);
    assert!(shared.upgrade().is_none(), "the thread is joined, and nothing else holds on");
}

#[test]
fn a_thread_of_its_own_sleeps_to_its_deadlines_by_itself() {
    let timer = Timer::start().unwrap();
    let order = timer.block_on(async {
        loop {
            let begun = monotonic_ns();
            let deadlines = [3, 1, 2].map(|count| begun + millis(count));
            let mut sleeps = deadlines.map(|deadline| timer.until(deadline));
            let mut order = Vec::new();
            for sleep in &mut sleeps {
                order.push(futures_util::poll!(sleep).is_pending());
            }
            // The timer's thread knows nothing of them.
            assert!(timer.thread.shared.lock().heap.is_empty());
            if order.iter().all(|waits| *waits) {
                let waits = sleeps.into_iter().zip(deadlines).map(|(sleep, deadline)| async move {
                    sleep.await;
                    assert!(monotonic_ns() >= deadline);
                    deadline - begun
                });
                let waits: futures_util::stream::FuturesUnordered<_> = waits.collect();
                break waits.collect::<Vec<_>>().await;
            }
            // A machine that is so busy that one was over before it was waited for: again.
        }
    });
    assert_eq!(order, [1, 2, 3].map(millis));
    assert!(timer.take_late().count() >= 3);
    // Afterwards the thread is like any other: nothing is left of it.
    assert!(own::add(Alarm { deadline: 0, wake: oneshot::channel().0 }).is_err());
}

#[test]
fn others_can_wake_a_thread_that_sleeps_to_a_deadline() {
    let timer = Timer::start().unwrap();
    let (sender, receiver) = oneshot::channel();
    let (asleep, sleeps) = std::sync::mpsc::channel();
    let waker = std::thread::spawn(move || {
        sleeps.recv().unwrap();
        sender.send(7).unwrap();
    });
    let woken = timer.block_on(async {
        tokio::select! {
            biased;
            () = timer.after(Duration::from_secs(3_600)) => None,
            woken = async { asleep.send(()).unwrap(); receiver.await.ok() } => woken,
        }
    });
    waker.join().unwrap();
    assert_eq!(woken, Some(7));
}
