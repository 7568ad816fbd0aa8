//! Finds one cookie among all that a client sends, in bounded work and without an allocation.
//!
//! Strict on purpose: names are bytes, nothing is decoded, unquoted or repaired. Every leniency in this place has let
//! someone forge a `__Host-` name (CVE-2020-8184, CVE-2022-31629, CVE-2022-36032, CVE-2023-23934).

use http::{HeaderValue, header::GetAll};

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Bytes of all `Cookie` lines, as if they were one.
    pub(super) bytes: usize,
    /// Pairs, with or without a name. Empty ones don't count.
    pub(super) pairs: usize,
}

/// What stands under a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Nothing,
    /// One value, or the same one several times.
    One(&'a [u8]),
    /// Different values.
    Several,
    /// More bytes or pairs than the limits.
    TooMuch,
}

/// Looks for the cookie `name` in all lines, which are one list however it is cut (RFC 6265bis 4.2.1, RFC 9113 8.2.3).
///
/// All lines are read to the end, so that neither the order of the pairs nor that of the lines changes the outcome.
pub(super) fn find<'a>(lines: GetAll<'a, HeaderValue>, name: &[u8], limits: Limits) -> Found<'a> {
    let mut found = Found::Nothing;
    let (mut bytes, mut pairs) = (0, 0);
    for line in lines {
        let line = line.as_bytes();
        // Crumbs count as if "; " stood between them.
        bytes += line.len() + if bytes == 0 { 0 } else { 2 };
        if bytes > limits.bytes {
            return Found::TooMuch;
        }
        let mut rest = Some(line);
        while let Some(line) = rest {
            let (pair, after) = split_pair(line);
            rest = after;
            let pair = trim(pair);
            if pair.is_empty() {
                continue;
            }
            pairs += 1;
            if pairs > limits.pairs {
                return Found::TooMuch;
            }
            let Some(value) = value(pair, name) else { continue };
            found = match found {
                Found::Nothing => Found::One(value),
                Found::One(first) if first == value => found,
                _ => Found::Several,
            };
        }
    }
    found
}

/// The first pair, and what follows its `;`, if there is one.
fn split_pair(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    // A block at a time, which the compiler makes one comparison of: values are long, and `;` is rare.
    let (blocks, _) = line.as_chunks::<16>();
    let without = |block: &&[u8; 16]| block.iter().fold(0, |any, byte| any | u8::from(*byte == b';')) == 0;
    let passed = 16 * blocks.iter().take_while(without).count();
    match line[passed..].iter().position(|byte| *byte == b';') {
        Some(more) => (&line[..passed + more], Some(&line[passed + more + 1..])),
        None => (line, None),
    }
}

/// The value of a trimmed pair, if its name is `name`. A pair without `=` has no name, and an empty name is another.
fn value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let after = trim(pair.strip_prefix(name)?);
    after.strip_prefix(b"=").map(trim)
}

/// Without spaces and tabs at both ends. Other white space, as in `trim_ascii`, is part of a name or value.
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, header::COOKIE};

    use super::*;

    const NAME: &str = "__Host-Http-sid";
    const LIMITS: Limits = Limits { bytes: 16 * 1024, pairs: 128 };

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    /// What is found, with its value copied.
    fn found(lines: &[&[u8]], limits: Limits) -> (bool, Vec<u8>) {
        match find(headers(lines).get_all(COOKIE), NAME.as_bytes(), limits) {
            Found::One(value) => (true, value.to_vec()),
            other => (false, format!("{other:?}").into_bytes()),
        }
    }

    fn one(value: &str) -> (bool, Vec<u8>) {
        (true, value.as_bytes().to_vec())
    }

    fn none(what: &str) -> (bool, Vec<u8>) {
        (false, what.as_bytes().to_vec())
    }

    #[test]
    fn the_value_is_found_wherever_it_stands() {
        for line in
            ["N=T", "a=1; N=T", "N=T; a=1", "a=1;N=T;b=2", " N=T\t", "N =\tT", ";;N=T;", "N=T;", "a; N=T"]
        {
            assert_eq!(found(&[line.replace('N', NAME).as_bytes()], LIMITS), one("T"), "{line}");
        }
        assert_eq!(found(&[format!("{NAME}=a=b").as_bytes()], LIMITS), one("a=b"));
        assert_eq!(found(&[format!("{NAME}=").as_bytes()], LIMITS), one(""));
    }

    #[test]
    fn names_that_only_look_alike_are_others() {
        let variants = [
            "__host-http-sid=T",
            "__HOST-HTTP-SID=T",
            "__Host%2DHttp-sid=T",
            "%5F_Host-Http-sid=T",
            "=__Host-Http-sid=T",
            "__Host-Http-sid",
            "__Host-Http-sid;=T",
            "\"__Host-Http-sid\"=T",
            "__Host-Http-sid.x=T",
            "__Host-Http-si=T",
            "__Host-Http-sid2=T",
            "x__Host-Http-sid=T",
            "$__Host-Http-sid=T",
            "__Host.Http.sid=T",
            "__Host-Http-sid x=T",
            "__Host_Http_sid=T",
            "_ _Host-Http-sid=T",
            "__Host-Http-sid:T",
            "==__Host-Http-sid=T",
            "a=__Host-Http-sid=T",
            "a,__Host-Http-sid=T",
            "a=\"; x__Host-Http-sid=T",
        ];
        for variant in variants {
            assert_eq!(found(&[variant.as_bytes()], LIMITS), none("Nothing"), "{variant}");
        }
    }

    #[test]
    fn white_space_of_other_alphabets_is_part_of_the_name() {
        for space in ["\u{a0}", "\u{2003}", "\u{3000}", "\u{feff}", "\u{85}"] {
            for line in [format!("{space}{NAME}=T"), format!("{NAME}{space}=T")] {
                assert_eq!(found(&[line.as_bytes()], LIMITS), none("Nothing"), "{line:?}");
            }
            let value = format!("T{space}");
            assert_eq!(found(&[format!("{NAME}={value}").as_bytes()], LIMITS), one(&value));
        }
    }

    #[test]
    fn versions_and_quotes_mean_nothing() {
        let line = format!("$Version=1; {NAME}=\"T\"; $Path=/; $Domain=a");
        assert_eq!(found(&[line.as_bytes()], LIMITS), one("\"T\""));
        let hidden = format!("a=\"x; {NAME}=T; y\"");
        assert_eq!(found(&[hidden.as_bytes()], LIMITS), one("T"));
    }

    #[test]
    fn crumbs_are_one_list_however_it_is_cut() {
        let pairs = ["a=1", "__Host-Http-sid=T", "b=2", "c", "=d"];
        for cuts in 0..1_u32 << (pairs.len() - 1) {
            let mut lines = vec![pairs[0].to_owned()];
            for (place, pair) in pairs[1..].iter().enumerate() {
                match lines.last_mut() {
                    Some(line) if cuts & (1 << place) == 0 => line.extend(["; ", *pair]),
                    _ => lines.push((*pair).to_owned()),
                }
            }
            let lines: Vec<_> = lines.iter().map(String::as_bytes).collect();
            let whole = pairs.join("; ").len();
            assert_eq!(found(&lines, LIMITS), one("T"), "{cuts:b}");
            assert_eq!(found(&lines, Limits { bytes: whole, pairs: 5 }), one("T"), "{cuts:b}");
            assert_eq!(found(&lines, Limits { bytes: whole - 1, pairs: 5 }), none("TooMuch"), "{cuts:b}");
            assert_eq!(found(&lines, Limits { bytes: whole, pairs: 4 }), none("TooMuch"), "{cuts:b}");
        }
    }

    #[test]
    fn duplicates_are_judged_alike_in_every_order() {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let cases = [
            (["T", "T", "T"], true),
            (["T", "T", "U"], false),
            (["T", "U", "V"], false),
            (["T", "", "T"], false),
            (["T", "t", "T"], false),
            (["T", "\"T\"", "T"], false),
        ];
        for ((values, same), order) in cases.into_iter().flat_map(|case| orders.map(|order| (case, order))) {
            let pairs = order.map(|place| format!("{NAME}={}", values[place]));
            let expected = if same { one("T") } else { none("Several") };
            assert_eq!(found(&[pairs.join("; ").as_bytes()], LIMITS), expected, "{pairs:?}");
            let lines = [pairs[0].as_bytes(), pairs[1].as_bytes(), pairs[2].as_bytes()];
            assert_eq!(found(&lines, LIMITS), expected, "{pairs:?} as crumbs");
        }
    }

    #[test]
    fn bad_neighbours_hide_nothing() {
        let broken = [
            "", "=", "==", ";", "a", "=a", "a==", "\"", "a=\"", "\\", "%00=%00", "$", ",", " ", "é=é",
            "a b=c d",
        ];
        for before in broken {
            for after in broken {
                let line = format!("{before}; {NAME}=T; {after}");
                assert_eq!(found(&[line.as_bytes()], LIMITS), one("T"), "{line:?}");
            }
        }
    }

    #[test]
    fn every_byte_in_every_place_is_read_without_a_panic() {
        let line = format!("a=1; {NAME}=T; b=2").into_bytes();
        for place in 0..line.len() {
            for byte in (0..=255_u8).filter(|byte| HeaderValue::from_bytes(&[*byte]).is_ok()) {
                let mut changed = line.clone();
                changed[place] = byte;
                let (is_one, value) = found(&[&changed], LIMITS);
                let expected = reference(&changed);
                assert_eq!(is_one.then_some(value), expected, "{:?}", String::from_utf8_lossy(&changed));
            }
        }
    }

    /// The rule once more, in the words of RFC 6265bis, for a line with at most one pair of the name.
    fn reference(line: &[u8]) -> Option<Vec<u8>> {
        let edges: &[u8] = b" \t";
        let cut = |text: &[u8]| {
            let start = text.iter().position(|byte| !edges.contains(byte)).unwrap_or(text.len());
            let end = text.iter().rposition(|byte| !edges.contains(byte)).map_or(start, |last| last + 1);
            text[start..end].to_vec()
        };
        line.split(|byte| *byte == b';').find_map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            (cut(&pair[..equals]) == NAME.as_bytes()).then(|| cut(&pair[equals + 1..]))
        })
    }

    #[test]
    fn limits_are_exact_and_hide_everything_beyond() {
        let line = format!("{NAME}=T").into_bytes();
        assert_eq!(found(&[&line], Limits { bytes: line.len(), pairs: 1 }), one("T"));
        assert_eq!(found(&[&line], Limits { bytes: line.len() - 1, pairs: 1 }), none("TooMuch"));
        let two = [line.as_slice(), b"; a"].concat();
        assert_eq!(found(&[&two], Limits { bytes: two.len(), pairs: 1 }), none("TooMuch"));
        let empty = [b";;;; ; ;".as_slice(), &line].concat();
        assert_eq!(found(&[&empty], Limits { bytes: empty.len(), pairs: 1 }), one("T"));
    }

    #[test]
    fn a_flood_is_refused_in_bounded_work() {
        let mut flood = b"a=;".repeat(16 * 1024);
        flood.extend(format!("{NAME}=T").bytes());
        let crumbs: Vec<&[u8]> = std::iter::repeat_n(b"a=".as_slice(), 16 * 1024).collect();
        let blanks: Vec<&[u8]> = std::iter::repeat_n(b"".as_slice(), 16 * 1024).collect();
        let (flood, crumbs, blanks) = (headers(&[&flood]), headers(&crumbs), headers(&blanks));
        let start = std::time::Instant::now();
        for headers in [&flood, &crumbs] {
            assert_eq!(find(headers.get_all(COOKIE), NAME.as_bytes(), LIMITS), Found::TooMuch);
        }
        assert_eq!(find(blanks.get_all(COOKIE), NAME.as_bytes(), LIMITS), Found::Nothing);
        assert!(start.elapsed().as_millis() < 100, "{:?}", start.elapsed());
    }

    #[test]
    fn pairs_end_at_each_semicolon_wherever_it_stands() {
        for length in 0..50 {
            for at in 0..length {
                let mut line = vec![b'a'; length];
                line[at] = b';';
                assert_eq!(split_pair(&line), (&line[..at], Some(&line[at + 1..])), "{at} of {length}");
            }
            assert_eq!(split_pair(&vec![b'a'; length]), (&*vec![b'a'; length], None));
        }
    }
}
