//! Random walks over a store beside the [model](super::model), reproducible by a seed and shortened when they fail.

use std::time::{Duration, Instant};

use super::{
    Subject,
    dice::Dice,
    kit::{Kit, NOW, Wrote, change, creation, login, of, owner, stamp},
    model::{Judged, Model},
};
use crate::store::{
    Admit, BehaviorOnLimit, Cas, End, EndReason, EndTarget, Limit, Millis, Owner, SessionId, SessionStore,
    Touch,
};

/// The variable that names the seed of the one walk to run.
const SEED: &str = "SESSIONS_TEST_SEED";
const STEPS: usize = 1_000;
const BEHAVIORS: [BehaviorOnLimit; 3] =
    [BehaviorOnLimit::Reject, BehaviorOnLimit::EvictOldest, BehaviorOnLimit::EvictAll];

/// One of a few sessions, so that the steps meet each other: of an owner, or anonymous in an owner's bucket.
#[derive(Clone, Copy, Debug)]
struct Who {
    user: usize,
    number: usize,
    anonymous: bool,
}

impl Who {
    fn roll(dice: &mut Dice) -> Self {
        Self { user: dice.index(3), number: dice.index(8), anonymous: dice.once_in(3) }
    }

    fn id(self) -> SessionId {
        of(owner(self.user), if self.anonymous { 50 + self.number } else { self.number })
    }

    fn owner(self) -> Option<Owner> {
        (!self.anonymous).then(|| owner(self.user))
    }
}

/// One step, as it is told when a walk fails. Lives and delays are in milliseconds.
#[derive(Clone, Debug)]
enum Step {
    Wait(Millis),
    Load(Who),
    Create(Who, Millis),
    WriteOnCurrent(Who, Millis),
    WriteOn(Who, u64, Millis),
    Touch(Who, Millis),
    Admit {
        user: usize,
        number: usize,
        limit: Option<Limit>,
        replaces: Option<usize>,
        began_ago: Millis,
        lives: Millis,
    },
    End(Who, EndReason),
    EndOwner {
        user: usize,
        except: Option<Who>,
    },
    List {
        user: usize,
        after: Option<usize>,
        limit: usize,
    },
    Sweep(usize),
    Count,
}

impl Step {
    fn roll(dice: &mut Dice) -> Self {
        let who = Who::roll(dice);
        let (user, number, lives) = (who.user, who.number, dice.roll(90_000));
        match dice.roll(20) {
            0..4 => Self::Wait([1, 7, 400, 20_000][dice.index(4)]),
            4 | 5 => Self::Load(who),
            6 => Self::Create(Who { anonymous: true, ..who }, lives),
            7 | 8 => Self::WriteOnCurrent(who, lives),
            9 => Self::WriteOn(who, dice.roll(4), lives),
            10 | 11 => Self::Touch(who, lives),
            12..15 => {
                let limit = Limit {
                    max: u32::try_from(dice.roll(4)).unwrap_or_default() + 1,
                    behavior: BEHAVIORS[dice.index(3)],
                };
                Self::Admit {
                    user,
                    number,
                    limit: (!dice.once_in(4)).then_some(limit),
                    replaces: dice.once_in(3).then(|| dice.index(8)),
                    began_ago: dice.roll(2) * 30_000,
                    lives,
                }
            }
            15 => Self::End(who, [EndReason::LoggedOut, EndReason::Reuse][dice.index(2)]),
            16 => Self::EndOwner { user, except: dice.once_in(2).then(|| Who::roll(dice)) },
            17 => {
                Self::List { user, after: dice.once_in(2).then_some(number), limit: [2, 100][dice.index(2)] }
            }
            18 => Self::Sweep(dice.index(5)),
            _ => Self::Count,
        }
    }
}

/// A walk on its way.
struct Walk<'a, S> {
    kit: &'a Kit<S>,
    model: Model,
    now: Millis,
}

impl<S: SessionStore> Walk<'_, S> {
    async fn step(&mut self, step: &Step) -> Judged {
        if let Step::Wait(by) = step {
            self.now += by;
        }
        self.model.advance(self.now);
        let (kit, now) = (self.kit, self.now);
        match step {
            Step::Wait(_) => Ok(()),
            Step::Load(who) => {
                answer(kit.look(who.id(), now).await, |look| self.model.judge_look(who.id(), *look))
            }
            Step::Create(who, lives) => self.write(creation(who.id(), now), *who, *lives).await,
            Step::WriteOnCurrent(who, lives) => {
                let current = self.model.version(who.id());
                self.write(change(who.id(), current, now), *who, *lives).await
            }
            Step::WriteOn(who, from, lives) => self.write(change(who.id(), *from, now), *who, *lives).await,
            Step::Touch(who, lives) => {
                let touch = Touch { id: who.id(), owner: who.owner(), seen: now, expires: now + lives };
                answer(kit.touch(touch).await, |touched| self.model.judge_touch(&touch, *touched))
            }
            Step::Admit { user, number, limit, replaces, began_ago, lives } => {
                let user = owner(*user);
                let admit = Admit {
                    limit: *limit,
                    replaces: replaces.map(|number| of(user, number)),
                    began: stamp(now - began_ago),
                    expires: now + lives,
                    ..login(of(user, *number), user, now)
                };
                answer(kit.admit(admit.clone()).await, |admitted| self.model.judge_admit(&admit, admitted))
            }
            Step::End(who, reason) => {
                self.end(EndTarget::Session { id: who.id(), owner: who.owner() }, *reason).await
            }
            Step::EndOwner { user, except } => {
                let target = EndTarget::Owner { owner: owner(*user), except: except.map(Who::id) };
                self.end(target, EndReason::Revoked).await
            }
            Step::List { user, after, limit } => {
                let user = owner(*user);
                let after = after.map(|number| of(user, number));
                let listed = kit.listed(user, after, *limit, now).await;
                let ids: Vec<_> = listed.iter().map(|listed| listed.id).collect();
                answer(ids, |ids| self.model.judge_list(user, after, *limit, ids))
            }
            Step::Sweep(limit) => {
                let freed = kit.sweep(now, *limit).await;
                answer(
                    freed,
                    |freed| if freed <= limit { Ok(()) } else { Err("as many as it may".to_owned()) },
                )
            }
            Step::Count => {
                kit.sweep_all(now).await;
                let stats = kit.stats().await;
                let due = self.model.counts();
                answer((stats.sessions, stats.principals), |counts| {
                    if *counts == due { Ok(()) } else { Err(format!("{due:?}")) }
                })
            }
        }
    }

    async fn write(&mut self, write: Cas, who: Who, lives: Millis) -> Judged {
        let write = Cas { owner: who.owner(), expires: self.now + lives, ..write };
        let outcome: Wrote = self.kit.cas(write.clone()).await;
        answer(outcome, |outcome| self.model.judge_cas(&write, *outcome))
    }

    async fn end(&mut self, target: EndTarget, reason: EndReason) -> Judged {
        let end = End { target, reason, now: self.now, stamp: stamp(self.now) };
        answer(self.kit.end(end).await, |ended| self.model.judge_end(&end, ended))
    }
}

/// The model's judgement of an answer, with the answer.
fn answer<T: std::fmt::Debug>(answer: T, judge: impl FnOnce(&T) -> Judged) -> Judged {
    judge(&answer).map_err(|due| format!("{answer:?}, not {due}"))
}

/// Walks these steps on a fresh store: the first that goes wrong, and how.
async fn walk<S: SessionStore>(kit: &Kit<S>, steps: &[Step]) -> Option<(usize, String)> {
    let mut walk = Walk { kit, model: Model::default(), now: NOW };
    for (place, step) in steps.iter().enumerate() {
        if let Err(why) = walk.step(step).await {
            return Some((place, why));
        }
    }
    None
}

/// Leaves out what a failure does not need: halves, quarters and so on, for some seconds.
async fn shortened<P: Subject>(
    fresh: &impl AsyncFn() -> (Kit<P::Store>, P::Keep),
    mut steps: Vec<Step>,
    mut why: String,
) -> (Vec<Step>, String) {
    let begin = Instant::now();
    let mut chunk = steps.len() / 2;
    while chunk > 0 {
        let mut from = 0;
        while from + chunk < steps.len() {
            if begin.elapsed() > Duration::from_secs(10) {
                return (steps, why);
            }
            let without: Vec<_> = [&steps[..from], &steps[from + chunk..]].concat();
            let (kit, _keep) = fresh().await;
            match walk(&kit, &without).await {
                Some((place, other)) => {
                    steps = without;
                    steps.truncate(place + 1);
                    why = other;
                }
                None => from += chunk,
            }
        }
        chunk /= 2;
    }
    (steps, why)
}

/// Every answer of thousands of random operations is one that the model allows.
pub(super) async fn every_answer_is_that_of_a_simple_model<P: Subject>(
    promise: &'static str,
    fresh: impl AsyncFn() -> (Kit<P::Store>, P::Keep),
) {
    let given: Option<u64> = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let begin = Instant::now();
    let first = given.unwrap_or(0);
    for seed in first..given.map_or(12, |seed| seed + 1) {
        // A slow store walks two of them.
        if seed > first + 1 && begin.elapsed() > Duration::from_secs(3) {
            break;
        }
        let mut dice = Dice(seed);
        let mut steps: Vec<_> = (0..STEPS).map(|_| Step::roll(&mut dice)).collect();
        let (kit, keep) = fresh().await;
        let Some((place, why)) = walk(&kit, &steps).await else { continue };
        drop((kit, keep));
        steps.truncate(place + 1);
        let (steps, why) = shortened::<P>(&fresh, steps, why).await;
        let told: Vec<_> = steps.iter().map(|step| format!("    {step:?}")).collect();
        let (kit, _keep) = fresh().await;
        let last = format!(
            "{why}, as the answer to the last of these steps\n{}\n      seed: {seed} ({SEED}={seed} runs it alone)",
            told.join("\n")
        );
        kit.holds("the whole contract, as a model of it", false, format_args!("[{promise}] {last}"));
    }
}
