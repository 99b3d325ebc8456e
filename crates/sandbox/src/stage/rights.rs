//! Who a sandbox runs as, and what it may not do any more.

use std::{fs::File, io::Write, os::fd::OwnedFd};

use rustix::{
    fs::{Gid, Mode, OFlags, Uid, openat},
    process::{DumpableBehavior, set_dumpable_behavior},
    thread::{
        CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits,
        set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use super::{Failure, accounts, at, raw};

/// This process in the host's `/proc`.
pub(super) fn own_folder_of_proc() -> Result<OwnedFd, Failure> {
    accounts::own_folder().map_err(at("open /proc/self"))
}

/// Maps the one user and group that exist in this user namespace, each to itself.
pub(super) fn map(own: &OwnedFd, user: u32, group: u32) -> Result<(), Failure> {
    map_as(own, [user, group], [user, group])
}

/// Maps the one user and group that exist in this user namespace to those of the host.
pub(super) fn map_as(own: &OwnedFd, inside: [u32; 2], host: [u32; 2]) -> Result<(), Failure> {
    let write = |name: &str, text: &str| {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(own, name, flags, Mode::empty());
        let mut file = File::from(file.map_err(at(format!("open {name} of the user namespace")))?);
        file.write_all(text.as_bytes())
            .map_err(at(format!("write {name} of the user namespace")))
    };
    // These files belong to root until this process may be looked at.
    set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(at("become dumpable"))?;
    // Without rights the kernel takes a map of groups only from those who gave up changing them.
    write("setgroups", "deny")?;
    write("gid_map", &format!("{} {} 1\n", inside[1], host[1]))?;
    write("uid_map", &format!("{} {} 1\n", inside[0], host[0]))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(at("become undumpable"))
}

/// Turns root into a user without rights on the host, in a user namespace of its own.
pub(super) fn become_user(own: &OwnedFd, user: u32, group: u32) -> Result<(), Failure> {
    let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(group));
    set_thread_groups(&[]).map_err(at("leave all groups"))?;
    set_thread_res_gid(gid, gid, gid).map_err(at("become the group"))?;
    set_thread_res_uid(uid, uid, uid).map_err(at("become the user"))?;
    raw::new_user_namespace().map_err(at("unshare the user namespace"))?;
    map(own, user, group)
}

/// Gives up every capability, in this process and in all that it starts.
pub(super) fn give_up() -> rustix::io::Result<()> {
    for bit in 0..64 {
        let Some(capability) = CapabilitySet::from_bits(1 << bit) else {
            break;
        };
        // The kernel knows the number of the last one.
        if remove_capability_from_bounding_set(capability).is_err() {
            break;
        }
    }
    set_capabilities_secure_bits(
        CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_SETUID_FIXUP
            | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
            | CapabilitiesSecureBits::KEEP_CAPS_LOCKED
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED,
    )?;
    clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    set_no_new_privs(true)
}
