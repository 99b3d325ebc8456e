//! Where pip would look for Python packages.

use std::time::Duration;

use tokio::process::Command;

/// Longest time for pip to read its settings.
const PATIENCE: Duration = Duration::from_secs(20);

/// The index of pip's settings, if pip is there and has one.
pub(crate) async fn of_pip() -> Option<String> {
    let mut command = Command::new("python3");
    command
        .args(["-I", "-m", "pip", "--disable-pip-version-check"])
        .args(["config", "get", "global.index-url"])
        .kill_on_drop(true);
    let answer = tokio::time::timeout(PATIENCE, command.output()).await;
    let answer = answer.ok()?.ok().filter(|answer| answer.status.success())?;
    let url = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (!url.is_empty()).then_some(url)
}
