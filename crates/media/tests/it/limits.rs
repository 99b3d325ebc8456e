use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use adit_media::{Error, Fault, Media, MediaConfig};

use crate::footage::{Studio, fixture};

fn script(studio: &Studio, text: &str) -> PathBuf {
    let path = studio.write("tool", format!("#!/bin/sh\n{text}\n").as_bytes());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

async fn probe_with(config: MediaConfig) -> Error {
    let media = Media::new(config).unwrap();
    media.probe(&fixture("bikes.mp4")).await.unwrap_err()
}

#[tokio::test]
async fn a_missing_tool_is_our_own_fault() {
    for config in [
        MediaConfig {
            ffprobe: "/nowhere/ffprobe".into(),
            ..MediaConfig::default()
        },
        MediaConfig {
            sandbox: false,
            prlimit: "/nowhere/prlimit".into(),
            ..MediaConfig::default()
        },
        // Too little even to load the program.
        MediaConfig {
            memory_bytes: 8 << 20,
            ..MediaConfig::default()
        },
    ] {
        let error = probe_with(config).await;
        assert!(matches!(error, Error::Tool { .. }), "{error}");
        assert_eq!(error.fault(), Fault::Local);
    }
    let missing = Media::new(MediaConfig::default()).unwrap();
    let error = missing
        .probe(Path::new("/nowhere/a.mp4"))
        .await
        .unwrap_err();
    assert_eq!(error.fault(), Fault::Local);
}

#[tokio::test]
async fn limits_of_zero_are_refused() {
    let config = MediaConfig {
        children: 0,
        ..MediaConfig::default()
    };
    assert!(matches!(
        Media::new(config),
        Err(Error::Configuration { .. })
    ));
}

#[tokio::test]
async fn cpu_time_is_bounded() {
    let studio = Studio::new();
    let media = Media::new(MediaConfig {
        ffmpeg: script(&studio, "while :; do :; done"),
        cpu_seconds: 1,
        ..MediaConfig::default()
    })
    .unwrap();
    let error = media
        .shot_boundaries(&fixture("bikes.mp4"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooCostly {
                resource: "CPU time"
            }
        ),
        "{error}"
    );
    assert_eq!(error.fault(), Fault::Media);
}

#[tokio::test]
async fn files_are_bounded() {
    let studio = Studio::new();
    let media = Media::new(MediaConfig {
        output_bytes: 20_000,
        ..MediaConfig::default()
    })
    .unwrap();
    let clip = studio.path("clip.mp4");
    let error = media
        .cut(&fixture("bikes.mp4"), 0, 10_000, &clip)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooCostly {
                resource: "file size"
            }
        ),
        "{error}"
    );
    assert!(!clip.exists() && !studio.path("clip.mp4.partial").exists());
}

#[tokio::test]
async fn output_is_bounded_in_both_streams() {
    let studio = Studio::new();
    let config = |text| MediaConfig {
        ffprobe: script(&studio, text),
        ..MediaConfig::default()
    };
    let error = probe_with(config("exec yes")).await;
    assert!(
        matches!(error, Error::TooCostly { resource: "output" }),
        "{error}"
    );
    let error = probe_with(config("yes | head -c 20000000 >&2; exit 1")).await;
    let Error::NotMedia { reason } = error else {
        panic!("{error}");
    };
    assert!(reason.len() <= 2000);
}

#[tokio::test]
async fn a_hanging_child_dies_with_its_whole_group() {
    let studio = Studio::new();
    let note = studio.path("grandchild");
    // A directory's name carries the number out: the child may not write files.
    let tool = script(
        &studio,
        &format!("sleep 1000 & mkdir -p {}/$!\nwait", note.display()),
    );
    let media = Media::new(MediaConfig {
        // Inside the sandbox nothing could be noted on the host; what outlives it is tested there.
        sandbox: false,
        ffprobe: tool,
        wall_clock: Duration::from_secs(2),
        ..MediaConfig::default()
    })
    .unwrap();
    let error = media.probe(&fixture("bikes.mp4")).await.unwrap_err();
    assert!(matches!(error, Error::ChildTimeout { .. }), "{error}");
    assert_eq!(error.fault(), Fault::Local);
    let entry = std::fs::read_dir(&note).unwrap().next().unwrap().unwrap();
    let status = Path::new("/proc").join(entry.file_name()).join("stat");
    let is_alive = || {
        // Where nobody reaps orphans a killed one stays as a zombie.
        let stat = std::fs::read_to_string(&status).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    };
    while is_alive() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn never_more_children_than_allowed() {
    let studio = Studio::new();
    let (running, seen) = (studio.path("running"), studio.path("seen"));
    std::fs::create_dir(&running).unwrap();
    std::fs::create_dir(&seen).unwrap();
    let (running, seen_path) = (running.display(), seen.display());
    let media = Media::new(MediaConfig {
        sandbox: false,
        ffprobe: script(
            &studio,
            &format!(
                "mkdir {running}/$$\nmkdir -p {seen_path}/$(ls {running} | wc -l)\n\
                 ffprobe \"$@\"\nsleep 0.1\nrmdir {running}/$$"
            ),
        ),
        children: 3,
        ..MediaConfig::default()
    })
    .unwrap();
    let video = fixture("bikes.mp4");
    let probes = (0..12).map(|_| media.probe(&video));
    for probe in futures::future::join_all(probes).await {
        assert_eq!(probe.unwrap().duration_ms, 10_000);
    }
    let names = std::fs::read_dir(&seen).unwrap();
    let most = names
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .to_str()
                .unwrap()
                .parse::<u32>()
                .unwrap()
        })
        .max();
    assert_eq!(most, Some(3));
}
