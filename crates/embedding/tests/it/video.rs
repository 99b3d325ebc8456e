use adit_embedding::{Embedding, cosine};

use crate::footage::{Scratch, fixture, video};

#[test]
fn footage_survives_encoding_and_scaling() {
    let scratch = Scratch::new("perceptual-encoding");
    let half = "-vf scale=trunc(iw/4)*2:trunc(ih/4)*2 -an -c:v libx264 -preset ultrafast -crf 30";
    let ways = [
        ("crf.mp4", "-an -c:v libx264 -preset ultrafast -crf 40"),
        ("half.mp4", half),
        ("mpeg4.mp4", "-an -c:v mpeg4 -q:v 20"),
        (
            "small.mp4",
            "-vf scale=160:90 -an -c:v libx264 -preset ultrafast -crf 34",
        ),
    ];
    for name in ["bigbuckbunny.mp4", "bikes.mp4"] {
        let source = fixture(name);
        let path = source.to_str().unwrap();
        let whole = ["-t", "4", "-i", path];
        for (output, options) in ways {
            let encoded = scratch.encode(&whole, options, &format!("{name}-{output}"));
            for (from, to) in [(0, 4_000), (1_000, 2_000), (2_500, 4_000)] {
                let cosine = cosine(&video(&source, from, to), &video(&encoded, from, to)).unwrap();
                assert!(cosine > 0.95, "{name} {from}..{to} as {output}: {cosine}");
            }
        }
    }
}

#[test]
fn different_footage_differs() {
    let scratch = Scratch::new("perceptual-different");
    let mut clips: Vec<(String, Embedding)> = Vec::new();
    let bunny = fixture("bigbuckbunny.mp4");
    clips.push(("bunny".into(), video(&bunny, 0, 1_000)));
    // One shot of riders passing: every second shows others.
    let bikes = fixture("bikes.mp4");
    for second in 0..10 {
        let clip = video(&bikes, second * 1_000, (second + 1) * 1_000);
        clips.push((format!("bikes {second}"), clip));
    }
    for source in [
        "testsrc2",
        "mandelbrot",
        "smptebars",
        "rgbtestsrc",
        "cellauto",
        "gradients=seed=1",
        "gradients=seed=9",
        "color=c=black",
    ] {
        let name = format!("{}.mp4", source.replace('=', "-"));
        let made = ["-f", "lavfi", "-i", source];
        let options = "-t 1 -pix_fmt yuv420p -c:v libx264 -preset ultrafast";
        let path = scratch.encode(&made, options, &name);
        clips.push((source.to_owned(), video(&path, 0, 1_000)));
    }
    for (index, (name, clip)) in clips.iter().enumerate() {
        for (other, second) in &clips[..index] {
            let cosine = cosine(clip, second).unwrap();
            assert!(cosine < 0.8, "{name} and {other}: {cosine}");
        }
    }
}

#[test]
fn neighbouring_windows_are_nearer_than_other_footage() {
    let bunny = fixture("bigbuckbunny.mp4");
    let first = video(&bunny, 0, 1_000);
    let beside = cosine(&first, &video(&bunny, 1_000, 2_000)).unwrap();
    let elsewhere = cosine(&first, &video(&fixture("bikes.mp4"), 0, 1_000)).unwrap();
    assert!(
        beside > elsewhere + 0.3,
        "{beside} beside, {elsewhere} elsewhere"
    );
    // A frame sooner or later is the same footage.
    let shifted = cosine(&first, &video(&bunny, 40, 1_040)).unwrap();
    assert!(shifted > 0.95, "{shifted}");
}
