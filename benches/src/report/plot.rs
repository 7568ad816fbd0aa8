//! The plot: what a layer adds to a request, in process and over sockets, as an SVG that is legible on light and dark.

use std::fmt::Write as _;

use super::{Results, counted};
use crate::{
    arguments::Arguments,
    in_process::{self, Cell},
    sockets,
    stacks::Stack,
};

const LAYERS: [(Stack, &str); 5] = [
    (Stack::Ours, "ours"),
    (Stack::Tower, "tower"),
    (Stack::TowerMoka, "moka"),
    (Stack::AxumSession, "axum"),
    (Stack::ActixCookie, "actix"),
];

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 110.0;
const LONGEST: f64 = 640.0;
const BAR: f64 = 13.0;
const GAP: f64 = 14.0;

/// Colours that keep their distance on both grounds, and for most who see fewer of them.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 17px; font-weight: 600 }
.small { font-size: 11px; fill: #59636e } .ground { fill: #ffffff } .axis { stroke: #8c959f }
.ours { fill: #0969da } .tower { fill: #d4731a } .moka { fill: #a6761d } .axum { fill: #2f8f6b } .actix { fill: #8b6fc0 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 } .ground { fill: #0d1117 } .axis { stroke: #6e7681 }
.ours { fill: #4493f8 } .tower { fill: #f0883e } .moka { fill: #d4a72c } .axum { fill: #3fb98a } .actix { fill: #b195e8 }
}
";

pub(super) fn plot(arguments: &Arguments, results: &Results) -> String {
    let sessions = arguments.usual();
    let here = in_process::PATHS.map(|path| {
        let own = |stack| results.in_process.own(Cell { sessions, workers: 1, path, stack });
        let bars = LAYERS.map(|(stack, class)| own(stack).map(|own| (own.median, class)));
        (path, bars.into_iter().flatten().collect())
    });
    let there = sockets::PATHS.map(|path| {
        let against = |stack: Stack| {
            let cell = sockets::Cell { sessions: arguments.usual(), path, stack };
            results.sockets.against(cell, stack.base())
        };
        let bars =
            LAYERS.map(|(stack, class)| against(stack).map(|ratio| ((ratio.median - 1.0) * 100.0, class)));
        (path, bars.into_iter().flatten().collect())
    });
    let mut body = String::new();
    let mut y = legend(&mut body, &results.machine);
    let title = format!("In process: µs that a layer adds to a request, {} sessions", counted(sessions));
    y = panel(&mut body, y, &title, &here, |value| format!("{value:.2} µs"));
    let title = "Over sockets: server CPU a request that a layer adds to its bare server";
    y = panel(&mut body, y + 10.0, title, &there, |value| format!("{value:+.0} %"));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {y}\" width=\"{WIDTH}\" height=\"{y}\" role=\"img\">\n\
         <title>What session layers add to a request</title>\n<style>\n{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{y}\"/>\n{body}</svg>\n"
    )
}

/// Title, machine and what the colours mean; tells where the rest begins.
fn legend(body: &mut String, machine: &str) -> f64 {
    text(body, (16.0, 28.0), "title", "What session layers add to a request (less is better)");
    text(body, (16.0, 47.0), "small", machine);
    let mut x = 16.0;
    for (stack, class) in LAYERS {
        rect(body, (x, 60.0), (12.0, 12.0), class);
        text(body, (x + 17.0, 70.5), "small", stack.title());
        x += 36.0 + 6.1 * f64::from(u32::try_from(stack.title().len()).unwrap_or_default());
    }
    88.0
}

/// Groups of bars under a title; tells where the next panel begins.
fn panel(
    body: &mut String,
    top: f64,
    title: &str,
    groups: &[(&str, Vec<(f64, &str)>)],
    shown: impl Fn(f64) -> String,
) -> f64 {
    let longest = groups.iter().flat_map(|(_, bars)| bars).map(|&(value, _)| value).fold(0.0, f64::max);
    text(body, (16.0, top + 16.0), "", title);
    let (begin, mut y) = (top + 26.0, top + 30.0);
    for (name, bars) in groups {
        text(body, (16.0, y + BAR), "", name);
        for &(value, class) in bars {
            let length = if longest > 0.0 { (value.max(0.0) / longest * LONGEST).max(1.0) } else { 1.0 };
            rect(body, (LEFT, y), (length, BAR - 2.0), class);
            text(body, (LEFT + length + 6.0, y + BAR - 3.0), "small", &shown(value));
            y += BAR;
        }
        y += GAP;
    }
    let _ = writeln!(
        body,
        "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{begin:.1}\" x2=\"{LEFT}\" y2=\"{:.1}\"/>",
        y - GAP + 4.0
    );
    y
}

fn text(body: &mut String, (x, y): (f64, f64), class: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a text does not fail.
    let _ = writeln!(body, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

fn rect(body: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), class: &str) {
    let _ = writeln!(
        body,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cannot_break_the_plot() {
        let results = Results { machine: "a <b> & c".to_owned(), ..Results::default() };
        let plot = plot(&Arguments::default(), &results);
        assert!(plot.contains("a &lt;b> &amp; c") && plot.ends_with("</svg>\n"));
    }

    #[test]
    fn the_longest_bar_has_the_full_length_and_nothing_is_negative() {
        let mut body = String::new();
        panel(&mut body, 0.0, "title", &[("read", vec![(2.0, "ours"), (-1.0, "tower")])], |v| v.to_string());
        assert!(body.contains("width=\"640.0\"") && body.contains("width=\"1.0\""), "{body}");
    }
}
