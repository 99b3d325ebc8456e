use adit_embedding::{Embedding, cosine};

use crate::footage::{Scratch, fixture, sound};

#[test]
fn sound_survives_encoding() {
    let scratch = Scratch::new("perceptual-sound-encoding");
    let source = fixture("bigbuckbunny.mp4");
    let input = ["-i", source.to_str().unwrap()];
    for (name, options) in [
        ("aac.mp4", "-vn -ac 2 -c:a aac -b:a 96k"),
        ("mp3.mp4", "-vn -ac 2 -c:a libmp3lame -b:a 64k"),
        ("opus.webm", "-vn -ac 2 -c:a libopus -b:a 48k"),
        ("quieter.mp4", "-vn -ac 2 -af volume=0.3 -c:a aac -b:a 128k"),
    ] {
        let encoded = scratch.encode(&input, options, name);
        for (from, to) in [(0, 5_000), (0, 2_000), (1_000, 3_000), (2_000, 3_000)] {
            let cosine = cosine(&sound(&source, from, to), &sound(&encoded, from, to)).unwrap();
            assert!(cosine > 0.95, "{from}..{to} as {name}: {cosine}");
        }
    }
}

#[test]
fn different_sound_differs() {
    let scratch = Scratch::new("perceptual-sound-different");
    let mut sounds: Vec<(String, Embedding)> = Vec::new();
    let bunny = fixture("bigbuckbunny.mp4");
    for second in 0..5 {
        let part = sound(&bunny, second * 1_000, (second + 1) * 1_000);
        sounds.push((format!("bunny {second}"), part));
    }
    for source in [
        "sine=f=440",
        "sine=f=1000",
        "anoisesrc=c=pink:a=0.3",
        "anoisesrc=c=brown:a=0.3",
        "aevalsrc=sin(2*PI*t*300*(1+t))*0.5",
    ] {
        let name = format!("{}.wav", sounds.len());
        let path = scratch.encode(&["-f", "lavfi", "-i", source], "-t 1", &name);
        sounds.push((source.to_owned(), sound(&path, 0, 1_000)));
    }
    for (index, (name, first)) in sounds.iter().enumerate() {
        for (other, second) in &sounds[..index] {
            let cosine = cosine(first, second).unwrap();
            assert!(cosine < 0.8, "{name} and {other}: {cosine}");
        }
    }
}
