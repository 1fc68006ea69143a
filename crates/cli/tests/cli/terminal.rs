//! On a terminal: pictures in its own protocol, or text; the terminal is asked nothing, and nothing is left behind.

use crate::harness::Bench;
use crate::training::trained;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::{File, OpenOptions};
use std::io::Read;

/// What the program writes to a terminal of 100 columns that never answers; a question would wait for ever.
fn screen(bench: &Bench, arguments: &str, variables: &[(&str, &str)]) -> String {
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&main).unwrap();
    unlockpt(&main).unwrap();
    let name = ptsname(&main, Vec::new()).unwrap().into_string().unwrap();
    tcsetwinsize(&main, Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut command = bench.command(arguments);
    for inherited in ["TERM", "TERM_PROGRAM", "COLORTERM", "TMUX", "STY", "KITTY_WINDOW_ID", "LC_TERMINAL"] {
        command.env_remove(inherited);
    }
    command.envs(variables.iter().copied());
    command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap());
    command.stderr(terminal.try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    // The command holds copies of the terminal's end: without dropping them, reading would not end with the program.
    drop((command, terminal));
    let mut bytes = Vec::new();
    // Linux ends a terminal whose other end is closed with an error.
    let _ = File::from(main).read_to_end(&mut bytes);
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

/// The bodies of escape sequences that begin with `start`.
fn sequences<'a>(text: &'a str, start: &'a str, end: &'a str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split_once(end).expect("an end").0).collect()
}

/// Whether every escape sequence is a colour, and each line resets its colours.
fn colours_alone(text: &str) -> bool {
    text.split('\x1b').skip(1).all(|rest| {
        let body = rest.strip_prefix('[').and_then(|r| r.split_once('m'));
        body.is_some_and(|(b, _)| b.chars().all(|c| c.is_ascii_digit() || c == ';'))
    }) && text.lines().all(|l| !l.contains('\x1b') || l.trim_end().ends_with("\x1b[0m"))
}

#[test]
fn half_blocks_where_nothing_better_is_known() {
    let bench = Bench::new();
    for (variables, sign) in [
        (vec![("TERM", "xterm-256color")], "\x1b[38;5;"),
        (vec![("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], "\x1b[38;2;"),
    ] {
        let text = screen(&bench, "lab", &variables);
        assert!(text.contains('▀') && text.contains(sign) && colours_alone(&text));
        assert!(text.contains("필터") || text.contains("map 4"));
    }
}

#[test]
fn pictures_in_the_terminal_s_own_protocol() {
    let bench = Bench::new();
    let kitty = screen(&bench, "lab", &[("TERM", "xterm-kitty")]);
    let pieces = sequences(&kitty, "\x1b_G", "\x1b\\");
    assert!(pieces.iter().all(|p| p.contains("q=2,")), "a piece that asks for an answer");
    assert_eq!(pieces.iter().filter(|p| p.starts_with("a=T,f=100,")).count(), 12);
    assert_eq!(pieces.iter().filter(|p| p.contains("m=0;")).count(), 12);
    let iterm = screen(&bench, "lab", &[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")]);
    let pictures = sequences(&iterm, "\x1b]1337;File=", "\x07");
    assert!(
        pictures.len() == 12 && pictures.iter().all(|p| p.contains("inline=1") && p.contains(":iVBORw0KGgo"))
    );
    let sixel = screen(&bench, "lab", &[("TERM", "foot")]);
    assert_eq!(sequences(&sixel, "\x1bPq", "\x1b\\").len(), 12);
    // The text is the same, whatever the pictures are.
    let words = |text: &str, start: &str, end: &str| -> String {
        let mut rest = text.split(start);
        let first = rest.next().unwrap().to_owned();
        rest.fold(first, |all, part| all + part.split_once(end).unwrap().1)
    };
    let plain = words(&iterm, "\x1b]1337;File=", "\x07");
    assert!(!plain.contains('\x1b') && plain == words(&sixel, "\x1bPq", "\x1b\\"));
}

#[test]
fn text_where_no_pictures_are_wanted() {
    let bench = Bench::new();
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("lab", &[("TERM", "dumb")]),
        ("lab", &[]),
        ("lab", &[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]),
        ("lab --no-color", &[("TERM", "xterm-kitty")]),
        ("lab --graphics none", &[("TERM", "xterm-kitty")]),
    ];
    let first = screen(&bench, cases[0].0, cases[0].1);
    assert!(first.contains("▒▒") && !first.contains('\x1b'));
    for (arguments, variables) in &cases[1..] {
        assert_eq!(screen(&bench, arguments, variables), first, "{arguments} {variables:?}");
    }
    let json = screen(&bench, "lab --json", &[("TERM", "xterm-kitty")]);
    assert!(json.starts_with('{') && !json.contains('\x1b'));
}

#[test]
fn what_is_asked_for_is_done_even_without_a_terminal() {
    let bench = Bench::new();
    assert!(bench.run("lab --graphics kitty").good().stdout.contains("\x1b_Ga=T"));
    assert!(bench.run("lab --graphics blocks").good().stdout.contains('▀'));
    assert_eq!(bench.run("lab --graphics paint").code, Some(2));
}

#[test]
fn a_model_is_shown_on_a_terminal() {
    let bench = trained();
    bench.array("row.npy", &[8, 8, 1], (0..64).map(|p| if p / 8 == 3 { 255.0 } else { 0.0 }));
    let text = screen(&bench, "show run row.npy", &[("TERM", "xterm-256color")]);
    assert!(text.contains("Where it looked") && text.contains('▀') && colours_alone(&text));
    let text = screen(&bench, "explain run row.npy --layer conv2d_1 --at 3,3,0", &[("TERM", "xterm-kitty")]);
    assert_eq!(sequences(&text, "\x1b_Ga=T", "\x1b\\").len(), 1);
}
