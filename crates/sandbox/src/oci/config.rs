//! The `config.json` of a bundle, as the OCI's runtime specification 1.0 has it: only what we set.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    Error, Program, Result,
    oci::{OciKind, OciRuntime},
    program::SCRATCH,
    stage::{DEVICES, bounds_by_name, calls},
    wire::Plan,
};

/// How far above a program's uid that of its user namespace's root lies, which owns nothing.
const ROOT_ABOVE: u32 = 65_536;
/// Parts of `/proc` that tell of the host. None is there where the stage mounted it, or in gVisor;
/// this is for who makes another of our bundles.
const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/modules",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
];
/// Parts of `/proc` that could change the host.
const READ_ONLY: [&str; 6] = [
    "/proc/bus",
    "/proc/driver",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// A device that the program may use.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) path: String,
    /// Of characters, `c`, or of blocks, `b`.
    pub(crate) kind: &'static str,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// The control group that the runtime is to make.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its path from the root of the hierarchy.
    pub(crate) path: String,
    /// Whether swap can be bounded.
    pub(crate) swap: bool,
}

/// Refuses what JSON cannot say.
pub(crate) fn check(program: &Program) -> Result<()> {
    let words = std::iter::once(&program.executable)
        .chain(&program.arguments)
        .chain(program.environment.iter().flat_map(|(a, b)| [a, b]));
    let paths = std::iter::once(program.folder.as_os_str());
    for word in words.map(std::ffi::OsString::as_os_str).chain(paths) {
        let text = word
            .to_str()
            .ok_or_else(|| Error::program("a runtime of containers takes UTF-8 only"))?;
        if text.contains('\0') {
            return Err(Error::program("a word holds a zero byte"));
        }
    }
    Ok(())
}

/// The whole file. The root is complete but for the devices, and `/proc` for gVisor.
pub(crate) fn config(
    plan: &Plan,
    runtime: &OciRuntime,
    rootfs: &Path,
    devices: &[Node],
    group: Option<&Group>,
) -> Value {
    let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
    let arguments: Vec<String> = std::iter::once(&plan.executable)
        .chain(&plan.arguments)
        .map(|word| text(word))
        .collect();
    let environment: Vec<String> = plan
        .environment
        .iter()
        .map(|(name, value)| format!("{}={}", text(name), text(value)))
        .collect();
    let (user, group_id) = inside(plan);
    let own_kernel = runtime.kind == OciKind::Runsc;
    let mut linux = json!({
        "namespaces": namespaces(own_kernel),
        "maskedPaths": MASKED,
        "readonlyPaths": READ_ONLY,
        "seccomp": seccomp(!runtime.devices.is_empty()),
        "rootfsPropagation": "private",
    });
    if own_kernel {
        linux["devices"] = devices.iter().skip(DEVICES.len()).map(made).collect();
    } else {
        linux["uidMappings"] = mapping(plan, user);
        linux["gidMappings"] = mapping(plan, group_id);
    }
    if let Some(group) = group {
        linux["cgroupsPath"] = group.path.clone().into();
        linux["resources"] = resources(plan, runtime.kind, devices, group);
    }
    json!({
        "ociVersion": "1.0.2",
        "hostname": "sandbox",
        "process": {
            "terminal": false,
            "user": { "uid": user, "gid": group_id },
            "args": arguments,
            "env": environment,
            "cwd": plan.folder,
            // All five sets, all empty.
            "capabilities": {
                "bounding": [], "effective": [], "inheritable": [], "permitted": [], "ambient": [],
            },
            "noNewPrivileges": true,
            "rlimits": rlimits(plan, own_kernel),
        },
        "root": { "path": rootfs, "readonly": true },
        "mounts": mounts(rootfs, devices, own_kernel),
        "linux": linux,
    })
}

/// The program's uid and gid in its user namespace.
fn inside(plan: &Plan) -> (u32, u32) {
    if plan.privileged {
        (plan.user, plan.group)
    } else {
        // An ordinary user can map one uid, and runtimes insist on a root. It has no capability.
        (0, 0)
    }
}

/// Runtimes set a container up as its user namespace's root, so one is mapped, to nobody's uid.
fn mapping(plan: &Plan, id: u32) -> Value {
    if plan.privileged {
        json!([
            { "containerID": 0, "hostID": id.saturating_add(ROOT_ABOVE), "size": 1 },
            { "containerID": id, "hostID": id, "size": 1 },
        ])
    } else {
        json!([{ "containerID": 0, "hostID": 0, "size": 1 }])
    }
}

/// gVisor has users of its own, and runs itself as nobody. With the others the program is in the pid
/// namespace of this run that the stage made, and not its first process, to which signals mean less
/// than to others: what ends a program would not end it.
fn namespaces(own_kernel: bool) -> Value {
    let shared = ["mount", "network", "ipc", "uts", "cgroup"];
    let other = if own_kernel { "pid" } else { "user" };
    shared
        .into_iter()
        .chain(std::iter::once(other))
        .map(|kind| json!({ "type": kind }))
        .collect()
}

/// gVisor keeps limits itself. The others start the program out of a process of their own, larger
/// than the limits; theirs are set when it waits to become the program.
fn rlimits(plan: &Plan, own_kernel: bool) -> Value {
    let bounds = bounds_by_name(&plan.limits);
    bounds
        .into_iter()
        .filter(|_| own_kernel)
        .map(|(name, soft, hard)| json!({ "type": name, "soft": soft, "hard": hard }))
        .collect()
}

fn mounts(rootfs: &Path, devices: &[Node], own_kernel: bool) -> Value {
    if own_kernel {
        let proc = json!({
            "destination": "/proc", "type": "proc", "source": "proc",
            "options": ["nosuid", "noexec", "nodev"],
        });
        // Its root is one file system, all of it read-only; the scratch must be another.
        let scratch = json!({
            "destination": SCRATCH, "type": "bind", "source": rootfs.join("work"),
            "options": ["bind", "rw", "nosuid", "nodev"],
        });
        // Where nothing is mounted it would mount memory without bounds.
        let temporary = json!({
            "destination": "/tmp", "type": "bind", "source": rootfs.join("work/.tmp"),
            "options": ["bind", "rw", "nosuid", "nodev"],
        });
        return json!([proc, scratch, temporary]);
    }
    // A bound `/dev` is one that runtimes put nothing into.
    let folder = json!({
        "destination": "/dev", "type": "bind", "source": rootfs.join("dev"),
        "options": ["bind", "ro", "nosuid", "noexec", "nodev"],
    });
    let devices = devices.iter().map(|node| {
        json!({
            "destination": node.path, "type": "bind", "source": node.path,
            "options": ["bind", "ro", "nosuid", "noexec"],
        })
    });
    std::iter::once(folder).chain(devices).collect()
}

fn made(node: &Node) -> Value {
    json!({
        "path": node.path, "type": node.kind, "major": node.major, "minor": node.minor,
        "fileMode": 0o666, "uid": 0, "gid": 0,
    })
}

/// The scratch is memory of the group too, so it is added to the program's.
fn resources(plan: &Plan, kind: OciKind, devices: &[Node], group: &Group) -> Value {
    let limits = &plan.limits;
    let memory = limits.memory.saturating_add(limits.scratch);
    let memory = memory.saturating_add(own_memory(kind));
    let memory = i64::try_from(memory).unwrap_or(i64::MAX);
    let mut bounded = json!({ "limit": memory });
    if group.swap {
        // Of memory and swap together.
        bounded["swap"] = memory.into();
    }
    let nothing = json!({ "allow": false, "access": "rwm" });
    let allowed = devices.iter().map(|node| {
        json!({
            "allow": true, "type": node.kind, "major": node.major, "minor": node.minor,
            "access": "rw",
        })
    });
    json!({
        "memory": bounded,
        "pids": { "limit": threads(kind, limits.processes) },
        "devices": std::iter::once(nothing).chain(allowed).collect::<Value>(),
    })
}

/// How many threads a group may have. A runtime has some in it while it starts the program, which is
/// held to its own number by an rlimit. gVisor has many for each of the program's and keeps no such
/// limit itself; when it finds no more it ends, and the program with it.
fn threads(kind: OciKind, processes: u32) -> i64 {
    let processes = i64::from(processes);
    match kind {
        OciKind::Runsc => processes.saturating_mul(16).saturating_add(512),
        OciKind::Runc | OciKind::Crun => processes.saturating_add(16),
    }
}

/// Bytes that a runtime itself has among the program's processes: gVisor's is a kernel.
pub(crate) fn own_memory(kind: OciKind) -> u64 {
    match kind {
        OciKind::Runsc => 128 << 20,
        OciKind::Runc | OciKind::Crun => 0,
    }
}

/// The native back-end's list of system calls, in the specification's words.
fn seccomp(with_devices: bool) -> Value {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "SCMP_ARCH_AARCH64",
        "riscv64" => "SCMP_ARCH_RISCV64",
        _ => "SCMP_ARCH_X86_64",
    };
    let mut always = Vec::new();
    let mut rules = Vec::new();
    for call in calls::allowed() {
        // What a device is asked is its driver's own, so who lists one opens all requests.
        let when = call.when.filter(|_| call.name != "ioctl" || !with_devices);
        let Some(when) = when else {
            always.push(call.name);
            continue;
        };
        // Runtimes want all conditions of one rule to hold, and any rule of a call.
        for value in when.values {
            rules.push(json!({
                "names": [call.name],
                "action": "SCMP_ACT_ALLOW",
                "args": [{
                    "index": when.argument, "value": when.mask, "valueTwo": value,
                    "op": "SCMP_CMP_MASKED_EQ",
                }],
            }));
        }
    }
    rules.push(json!({ "names": always, "action": "SCMP_ACT_ALLOW" }));
    let missing: Vec<&str> = calls::MISSING
        .iter()
        .map(|(name, _)| calls::plain(name))
        .collect();
    rules.push(json!({
        "names": missing, "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS,
    }));
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": libc::EPERM,
        "architectures": [architecture],
        "syscalls": rules,
    })
}
