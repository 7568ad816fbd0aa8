//! Looks at every key of a Redis server: none may be without an expiry.

use sessions_tests::servers::redis::RedisServer;

use crate::checker::Report;

/// How many keys there are, and how many of them stay for good.
const COUNT: &str = "local c, n, w = '0', 0, 0 repeat local r = redis.call('SCAN', c, 'COUNT', 1000) c = r[1] \
                     for _, k in ipairs(r[2]) do n = n + 1 if redis.call('PTTL', k) == -1 then w = w + 1 end end \
                     until c == '0' return {n, w}";

/// Counts, and adds to the report what has no end.
pub(crate) fn check(servers: &[&RedisServer], report: &mut Report, keys: &mut u64) {
    for server in servers {
        let told = server.ask(&["EVAL", COUNT, "0"]);
        let mut numbers = told.lines().filter_map(|line| line.strip_prefix(':')?.parse::<u64>().ok());
        let (Some(all), Some(endless)) = (numbers.next(), numbers.next()) else {
            report.violations.push(format!("the keys of a server can't be counted: {told}"));
            continue;
        };
        *keys += all;
        if endless > 0 {
            report.violations.push(format!("{endless} of {all} keys have no expiry"));
        }
    }
}
