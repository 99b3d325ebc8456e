//! The command, as it is typed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../../../crates/models/tests/it/pull/server.rs"]
#[expect(dead_code, reason = "the crate's own tests use the rest of it")]
mod server;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use server::{Reply, Server};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

struct Bench {
    home: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            home: TempDir::new().unwrap(),
        }
    }

    /// A catalogue of one model, `tiny`, whose only file has these facts.
    fn catalogue(&self, model: &str, facts: &str, source: &str) -> PathBuf {
        let path = self.home.path().join("catalogue.toml");
        let text = format!(
            "[[model]]\nname = \"tiny\"\nlicence = \"CC BY-NC-SA 4.0\"\nlicence_url = \"https://example.org/\"\nhome = \"https://example.org/tiny\"\nused_by = \"tests\"\n{model}\n[[model.file]]\nname = \"weights.bin\"\n{facts}\nsources = [\"{source}\"]\n"
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("models/tiny")
    }

    /// The command, with nothing of this machine's settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adit-models"));
        command
            .env_clear()
            .env("ADIT_HOME", self.home.path())
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn tiny(&self, arguments: &[&str]) -> Command {
        let catalogue = self.home.path().join("catalogue.toml");
        let mut command = self.command(arguments);
        command.arg("--catalogue").arg(catalogue);
        command
    }
}

fn facts(bytes: &[u8]) -> String {
    format!("size = {}\nsha256 = \"{}\"", bytes.len(), sha256(bytes))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_catalogue_is_listed_for_people_and_programs() {
    let bench = Bench::new();
    let listed = bench.run(&["list"]);
    assert_eq!(listed.status.code(), Some(0));
    let text = printed(&listed);
    assert!(
        text.contains("imagebind_huge  4.80 GB") && text.contains("must be accepted"),
        "{text}"
    );
    let models: serde_json::Value =
        serde_json::from_str(&printed(&bench.run(&["list", "--json"]))).unwrap();
    let model = &models.as_array().unwrap()[0];
    assert_eq!(model["name"], "all-MiniLM-L6-v2");
    assert_eq!(model["licence"], "Apache-2.0");
    assert_eq!(model["size"], 90_868_376 + 466_247 + 612);
    assert_eq!(model["files"][2]["name"], "config.json");
    let folder = printed(&bench.run(&["path", "all-minilm-l6-v2"]));
    assert_eq!(model["folder"], folder.trim());
    assert_eq!(bench.run(&["path", "nothing"]).status.code(), Some(3));
    assert_eq!(bench.run(&["pull"]).status.code(), Some(2));
    assert!(printed(&bench.run(&["--help"])).contains("Exit codes"));
}

#[test]
fn a_model_is_pulled_verified_and_pulled_no_more() {
    let body = vec![7; 50_000];
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let bench = Bench::new();
    bench.catalogue("", &facts(&body), &server.url("/w"));
    let pulled = bench.tiny(&["pull", "tiny"]).output().unwrap();
    assert_eq!(pulled.status.code(), Some(0), "{}", told(&pulled));
    assert_eq!(printed(&pulled).trim(), bench.folder().to_str().unwrap());
    assert!(
        told(&pulled).contains("CC BY-NC-SA 4.0"),
        "{}",
        told(&pulled)
    );
    assert!(
        told(&pulled).contains("weights.bin: verified"),
        "{}",
        told(&pulled)
    );
    let again = bench.tiny(&["pull", "tiny"]).output().unwrap();
    assert!(told(&again).contains("nothing to do"), "{}", told(&again));
    assert_eq!(server.asked().len(), 1);

    let folder = bench.folder().to_str().unwrap().to_owned();
    for what in ["tiny", &folder] {
        let verified = bench.tiny(&["verify", what]).output().unwrap();
        assert_eq!(verified.status.code(), Some(0), "{}", told(&verified));
        assert!(printed(&verified).contains("as published"));
    }
    fs::write(bench.folder().join("weights.bin"), b"other").unwrap();
    let wrong = bench.tiny(&["verify", "tiny"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(9));
    assert!(printed(&wrong).contains(&sha256(b"other")));
}

#[test]
fn a_licence_must_be_accepted_and_is_told_first() {
    let body = vec![7; 100];
    let served = body.clone();
    let server = Server::start(move |_, _| Reply::whole(&served));
    let bench = Bench::new();
    bench.catalogue(
        "must_accept = true\nnote = \"Not for commercial use.\"",
        &facts(&body),
        &server.url("/w"),
    );
    let refused = bench.tiny(&["pull", "tiny"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        told(&refused).contains("Not for commercial use."),
        "{}",
        told(&refused)
    );
    assert!(
        told(&refused).contains("--accept-licence"),
        "{}",
        told(&refused)
    );
    assert!(server.asked().is_empty());
    let to = bench.home.path().join("elsewhere");
    let arguments = [
        "pull",
        "tiny",
        "--accept-licence",
        "--to",
        to.to_str().unwrap(),
    ];
    let accepted = bench.tiny(&arguments).output().unwrap();
    assert_eq!(accepted.status.code(), Some(0), "{}", told(&accepted));
    assert!(told(&accepted).contains("Not for commercial use."));
    assert_eq!(fs::read(to.join("weights.bin")).unwrap(), body);
}

#[test]
fn failures_have_their_exit_codes() {
    let body = vec![7; 100];
    let liar = Server::start(|_, _| Reply::whole(&[8; 100]));
    let absent = Server::start(|_, _| Reply::status("404 Not Found"));
    let bench = Bench::new();
    let code = |facts: &str, source: &str, more: &[&str]| {
        bench.catalogue("", facts, source);
        let arguments = [&["pull", "tiny"], more].concat();
        let output = bench.tiny(&arguments).output().unwrap();
        assert!(!told(&output).is_empty());
        output.status.code()
    };
    let digest = format!("sha256:{}", sha256(&[8; 100]));
    assert_eq!(code("size = 0", &absent.url("/"), &[]), Some(3));
    assert_eq!(code("limit = 100", &liar.url("/"), &[]), Some(5));
    assert_eq!(
        code(&facts(&body), &liar.url("/"), &["--digest", &digest]),
        Some(5)
    );
    assert_eq!(
        code(&facts(&body), &liar.url("/"), &["--digest", "md5:1"]),
        Some(2)
    );
    assert_eq!(
        code(&facts(&body), &absent.url("/"), &["--attempts", "1"]),
        Some(6)
    );
    assert_eq!(code(&facts(&body), &liar.url("/"), &[]), Some(7));
    let huge = format!("size = {}\nsha256 = \"{}\"", i64::MAX, sha256(b""));
    assert_eq!(code(&huge, &absent.url("/"), &[]), Some(8));
    assert_eq!(
        code("limit = 100", &liar.url("/"), &["--digest", &digest]),
        Some(0)
    );
}

#[test]
fn a_killed_run_is_gone_on_with() {
    let body: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
    let served = body.clone();
    let server = Server::start(move |asked, before| match before {
        0 => Reply::announced(served.len(), &served[..200_000]).hang(),
        _ => Reply::ranged(asked, &served),
    });
    let bench = Bench::new();
    bench.catalogue("", &facts(&body), &server.url("/w"));
    let mut run = bench
        .tiny(&["pull", "tiny"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let part = bench.folder().join("weights.bin.part");
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
        assert!(Instant::now() < deadline, "no part came");
        std::thread::sleep(Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let left = fs::metadata(&part).unwrap().len() as usize;
    let again = bench.tiny(&["pull", "tiny"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert!(told(&again).contains("going on after"), "{}", told(&again));
    assert_eq!(fs::read(bench.folder().join("weights.bin")).unwrap(), body);
    assert_eq!(server.asked()[1].from(), Some(left));
}

#[test]
fn proxies_are_used_and_left_out_as_the_environment_says() {
    let body = vec![7; 100];
    let served = body.clone();
    let proxy = Server::start(move |asked, _| match asked.line.as_str() {
        "GET http://models.invalid/w" => Reply::whole(&served),
        _ => Reply::status("502 Bad Gateway"),
    });
    let bench = Bench::new();
    bench.catalogue("", &facts(&body), "http://models.invalid/w");
    let pull = ["pull", "tiny", "--attempts", "1"];
    let direct = bench
        .tiny(&pull)
        .env("HTTP_PROXY", proxy.url(""))
        .env("NO_PROXY", "models.invalid")
        .output()
        .unwrap();
    assert_eq!(direct.status.code(), Some(6), "{}", told(&direct));
    assert!(proxy.asked().is_empty());
    let proxied = bench
        .tiny(&pull)
        .env("HTTP_PROXY", proxy.url(""))
        .output()
        .unwrap();
    assert_eq!(proxied.status.code(), Some(0), "{}", told(&proxied));

    bench.catalogue("", &facts(b"x"), "https://models.invalid/w");
    let tunnelled = bench
        .tiny(&pull)
        .env("HTTPS_PROXY", proxy.url(""))
        .output()
        .unwrap();
    assert_eq!(tunnelled.status.code(), Some(6), "{}", told(&tunnelled));
    let asked = proxy.asked();
    assert_eq!(asked.last().unwrap().line, "CONNECT models.invalid:443");
}

#[test]
fn the_hub_and_its_token_come_from_the_environment() {
    let hub = Server::start(|_, _| Reply::status("404 Not Found"));
    let bench = Bench::new();
    let output = bench
        .command(&["pull", "gte-small", "--attempts", "1"])
        .env("HF_ENDPOINT", hub.url(""))
        .env("HF_TOKEN", "hf_secret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", told(&output));
    assert!(!told(&output).contains("hf_secret"));
    let asked = hub.asked();
    let revision = "17e1f347d17fe144873b1201da91788898c639cd";
    assert_eq!(
        asked[0].line,
        format!("GET /thenlper/gte-small/resolve/{revision}/model.safetensors")
    );
    assert_eq!(asked[0].header("authorization"), Some("Bearer hf_secret"));
}

/// Fills a disk of one mebibyte. Only where this user may make one.
#[test]
fn a_disk_that_fills_up_keeps_what_came() {
    let bench = Bench::new();
    let disk = bench.home.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = format!("mount -t tmpfs -o size=1m none {}", disk.display());
    let may = |script: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--map-root-user", "sh", "-ec", script]);
        unshare
    };
    if !may(&mount).status().is_ok_and(|status| status.success()) {
        return;
    }
    let body = vec![7_u8; 4 << 20];
    // Its size is told by nobody, or the run would not begin.
    let mut chunked = format!("{:x}\r\n", body.len()).into_bytes();
    chunked.extend_from_slice(&body);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let server = Server::start(move |_, _| {
        Reply::raw("200 OK", &[("Transfer-Encoding", "chunked")], &chunked)
    });
    let limit = format!("limit = {}\nsha256 = \"{}\"", 8 << 20, sha256(&body));
    let catalogue = bench.catalogue("", &limit, &server.url("/w"));
    let script = format!(
        "{mount}; code=0; {} pull tiny --to {disk}/tiny --catalogue {} || code=$?; wc -c < {disk}/tiny/weights.bin.part; exit $code",
        env!("CARGO_BIN_EXE_adit-models"),
        catalogue.display(),
        disk = disk.display(),
    );
    let output = may(&script)
        .env("ADIT_HOME", bench.home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8), "{}", told(&output));
    let kept: u64 = printed(&output).trim().parse().unwrap();
    assert!(kept > 500_000, "{kept}");
}
