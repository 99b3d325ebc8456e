//! Landlock: a second wall behind the mounts, where the kernel has it.

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};

use super::{Failure, at};
use crate::program::SCRATCH;

/// The newest rules we know; older kernels enforce those that they know.
const RULES: ABI = ABI::V7;

/// Reading and running anywhere, writing only in scratch and to the devices; no TCP, no abstract
/// sockets and no signals beyond the sandbox. Returns the version of the rules in force, 0 for none.
pub(super) fn raise() -> Result<u32, Failure> {
    raise_all().map_err(|error| {
        let step = format!("Landlock: {error}");
        at(step)(std::io::Error::from_raw_os_error(libc::EPERM))
    })
}

fn raise_all() -> Result<u32, Box<dyn std::error::Error>> {
    let all = AccessFs::from_all(RULES);
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let status = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rule(PathBeneath::new(
            PathFd::new("/")?,
            AccessFs::from_read(RULES),
        ))?
        .add_rule(PathBeneath::new(
            PathFd::new(SCRATCH)?,
            all & !(AccessFs::MakeBlock | AccessFs::MakeChar | AccessFs::IoctlDev),
        ))?
        .add_rule(PathBeneath::new(PathFd::new("/dev")?, device))?
        .restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi as u32,
        _ => 0,
    })
}
