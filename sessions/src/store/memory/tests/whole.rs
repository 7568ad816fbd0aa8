//! Random steps on stores with and without room: every shard stays whole.

use super::*;
use crate::{store::BehaviorOnLimit, testing::Dice};

const SEEDS: u64 = 12;
const STEPS: usize = 4_000;

/// A few ids, so that the steps meet each other.
fn step(store: &MemoryStore, dice: &mut Dice, now: Millis) {
    let (user, number) = (owner(dice.index(30)), dice.index(60));
    let expires = now + 1 + dice.roll(4_000);
    match dice.roll(9) {
        0 | 1 => {
            let max = u32::try_from(dice.roll(3)).unwrap() + 1;
            let limit = dice.once_in(2).then_some(Limit { max, behavior: BehaviorOnLimit::EvictOldest });
            let replaces = dice.once_in(3).then(|| of(user, dice.index(60)));
            let admit = Admit { expires, limit, replaces, ..login(of(user, number), user, now) };
            drop(at_once(store.admit(admit)));
        }
        2 | 3 => drop(store.write(Cas { expires, ..creation(anonymous(number), now) })),
        4 => drop(store.write(Cas { expires, ..change(anonymous(number), 1, now) })),
        5 => {
            let touch = Touch { id: of(user, number), owner: Some(user), seen: now, expires };
            _ = at_once(store.touch(touch));
        }
        6 => _ = store.look(anonymous(number), now),
        7 => drop(store.end_one(of(user, number), EndReason::LoggedOut, now)),
        _ => drop(store.end_all(user, dice.once_in(2).then(|| of(user, number)), now)),
    }
}

#[test]
fn a_store_stays_whole_whatever_happens() {
    for (max, seed) in [40, 10_000].into_iter().flat_map(|max| (0..SEEDS).map(move |seed| (max, seed))) {
        let (store, mut dice, mut now) = (MemoryStore::new(max), Dice(seed), NOW);
        for number in 0..STEPS {
            now += dice.roll(3) * 50;
            step(&store, &mut dice, now);
            assert!(store.counts().sessions <= max as u64);
            if number % 20 == 0 {
                store.space.assert_whole();
            }
        }
    }
}
