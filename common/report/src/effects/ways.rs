//! Which effects a request comes to, whatever chance decides on its way.

use hopscope_scenario::plan::{Passage, Plan, Step};

/// For each link of a plan the effects, by number, some perhaps twice, that every message over it comes to; those of the links that its
/// bodies call and publish over are among them. Where several services take from a queue, those that all of them come to.
pub(super) fn certain(plan: &Plan) -> Vec<Vec<u32>> {
    (0..plan.links.len()).map(|link| over(plan, link, &mut Vec::new())).collect()
}

/// `passed`: the nodes on the way there, as a circle through what chance leaves out leads nowhere new.
fn over(plan: &Plan, link: usize, passed: &mut Vec<u32>) -> Vec<u32> {
    let Some(row) = plan.links.get(link) else { return Vec::new() };
    if passed.contains(&row.to) {
        return Vec::new();
    }
    passed.push(row.to);
    let effects = match plan.service_at(row.to) {
        Some(service) => steps(plan, &service.body, passed),
        None => {
            let own = |row: &hopscope_scenario::plan::PlanLink| row.replies_of.is_none();
            let taking = plan.links.iter().enumerate().filter(|(_, taking)| own(taking));
            let delivers: Vec<_> = taking.filter(|(_, taking)| plan.passage(taking) == Passage::Deliver).collect();
            // A copy comes to each queue, and one of those who take from it has that.
            let mut comes = |queue: &u32| {
                let takers = delivers.iter().filter(|(_, taking)| taking.from == *queue);
                let each: Vec<_> = takers.map(|(taking, _)| over(plan, *taking, passed)).collect();
                // Every group reads a topic.
                if plan.topic_at(*queue).is_some() { each.concat() } else { shared(&each) }
            };
            plan.reached(row).iter().flat_map(&mut comes).collect()
        }
    };
    passed.pop();
    effects
}

fn steps(plan: &Plan, body: &[Step], passed: &mut Vec<u32>) -> Vec<u32> {
    let mut effects = Vec::new();
    for step in body {
        match step {
            Step::Effect { effect } => {
                effects.push(*effect);
            }
            Step::Call { link } | Step::Publish { link } => effects.extend(over(plan, usize::from(*link), passed)),
            Step::Parallel { branches } => {
                branches.iter().for_each(|branch| effects.extend(steps(plan, branch, passed)));
            }
            Step::Choose { branches } => {
                let each: Vec<_> = branches.iter().map(|branch| steps(plan, &branch.steps, passed)).collect();
                effects.extend(shared(&each));
            }
            Step::Work { .. } | Step::Reply => {}
        }
    }
    effects
}

/// What all of them have.
fn shared(sets: &[Vec<u32>]) -> Vec<u32> {
    let Some((first, others)) = sets.split_first() else { return Vec::new() };
    let mut all = first.clone();
    all.retain(|effect| others.iter().all(|set| set.contains(effect)));
    all
}
