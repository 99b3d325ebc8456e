//! Reading and writing what is the host's.

use std::{fs, os::unix::fs::PermissionsExt};

use adit_sandbox::Limits;

use super::{Twin, contained, contained_within, inside, is_root, outside, outside_in, program};

const READ: &str = "
import sys
print('RUNNING', flush=True)
for path in sys.argv[1:]:
    if open(path, 'rb').read(1): print('BREACH')
";

const SEARCH: &str = "
import os, sys
print('RUNNING', flush=True)
for folder, folders, files in os.walk(sys.argv[1], followlinks=True):
    folders[:] = [f for f in folders if f not in ('proc', 'sys', 'usr')]
    if folder.count('/') > 4: folders[:] = []
    for file in files:
        try: text = open(os.path.join(folder, file), 'rb').read(64)
        except OSError: continue
        if sys.argv[2].encode() in text: print('BREACH', folder, file)
";

#[tokio::test]
async fn files_of_the_system_cannot_be_read() {
    contained(Twin::Anyone, READ, &["/etc/passwd"]).await;
    contained(Twin::Root, READ, &["/etc/shadow"]).await;
}

#[tokio::test]
async fn a_wallet_cannot_be_read() {
    let wallet = tempfile::tempdir().unwrap();
    let hotkey = wallet.path().join("hotkey");
    fs::write(&hotkey, "secret phrase").unwrap();
    fs::set_permissions(&hotkey, fs::Permissions::from_mode(0o600)).unwrap();
    contained(Twin::Anyone, READ, &[hotkey.to_str().unwrap()]).await;
    // Nor found anywhere else.
    let told = outside(SEARCH, &[wallet.path().to_str().unwrap(), "secret phrase"]);
    assert!(told.contains("BREACH"), "{told}");
    let outcome = inside(program(SEARCH, &["/", "secret phrase"]), Limits::tight()).await;
    assert_eq!(
        outcome.stdout.text(),
        "RUNNING\n",
        "{}",
        outcome.stderr.text()
    );
}

#[tokio::test]
async fn the_parent_cannot_be_looked_into_through_proc() {
    let pid = std::process::id().to_string();
    for file in ["environ", "maps", "cmdline", "status"] {
        contained(Twin::Anyone, READ, &[&format!("/proc/{pid}/{file}")]).await;
    }
}

#[tokio::test]
async fn there_is_neither_proc_nor_sys() {
    contained(Twin::Anyone, READ, &["/proc/self/mountinfo"]).await;
    contained(
        Twin::Anyone,
        READ,
        &["/sys/kernel/mm/transparent_hugepage/enabled"],
    )
    .await;
}

#[tokio::test]
async fn nothing_outside_scratch_can_be_written() {
    let script = "
import os, sys
print('RUNNING', flush=True)
tried = 0
for folder, folders, files in os.walk(sys.argv[1]):
    folders[:] = [f for f in folders if (folder, f) != ('/', 'work')]
    if folder.count('/') > 3: folders[:] = []
    tried += 1
    try:
        path = os.path.join(folder, 'written')
        open(path, 'w').close()
        os.unlink(path)
        print('BREACH', folder)
    except OSError: pass
print('TRIED', tried)
";
    let host = tempfile::tempdir().unwrap();
    let told = outside(script, &[host.path().to_str().unwrap()]);
    assert!(told.contains("BREACH"), "{told}");
    let limits = Limits {
        wall: std::time::Duration::from_secs(20),
        cpu: std::time::Duration::from_secs(20),
        ..Limits::tight()
    };
    let outcome = inside(program(script, &["/"]), limits).await;
    let told = outcome.stdout.text();
    let tried: u32 = told.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(!told.contains("BREACH") && tried > 20, "{told}");
}

#[tokio::test]
async fn existing_files_and_devices_cannot_be_changed() {
    let host = tempfile::tempdir().unwrap();
    let file = host.path().join("input");
    fs::write(&file, "given").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let script = "
import os, sys
print('RUNNING', flush=True)
for attempt in (lambda p: open(p, 'a').write('x'), lambda p: os.chmod(p, 0o777),
                lambda p: os.truncate(p, 0), os.utime, os.unlink):
    try:
        attempt(sys.argv[1])
        print('BREACH')
    except OSError: pass
";
    let given = program(script, &["/in/given"]).input("given", &file);
    let outcome = inside(given, Limits::tight()).await;
    assert_eq!(
        outcome.stdout.text(),
        "RUNNING\n",
        "{}",
        outcome.stderr.text()
    );
    assert_eq!(fs::read(&file).unwrap(), b"given");
    let told = outside(script, &[file.to_str().unwrap()]);
    assert!(told.contains("BREACH") && !file.exists(), "{told}");
}

#[tokio::test]
async fn links_in_inputs_lead_nowhere() {
    let host = tempfile::tempdir().unwrap();
    let secret = host.path().join("secret");
    fs::write(&secret, "x").unwrap();
    let given = host.path().join("given");
    fs::create_dir(&given).unwrap();
    fs::set_permissions(&given, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(&secret, given.join("absolute")).unwrap();
    std::os::unix::fs::symlink("../secret", given.join("relative")).unwrap();
    let script = "
import sys
print('RUNNING', flush=True)
for name in ('absolute', 'relative', '../secret', '../../secret', '../../../../../../etc/passwd'):
    try:
        if open(sys.argv[1] + '/' + name).read(1): print('BREACH', name)
    except OSError: pass
";
    let told = outside(script, &[given.to_str().unwrap()]);
    for name in ["absolute", "relative", "../secret", "passwd"] {
        assert!(told.contains(&format!("{name}\n")), "{told}");
    }
    let attack = program(script, &["/in/given"]).input("given", &given);
    let outcome = inside(attack, Limits::tight()).await;
    assert_eq!(
        outcome.stdout.text(),
        "RUNNING\n",
        "{}",
        outcome.stderr.text()
    );
}

#[tokio::test]
async fn links_and_pipes_in_scratch_do_not_mislead_the_reader() {
    let script = "
import os
print('RUNNING', flush=True)
os.symlink('/etc/passwd', 'answer')
os.mkdir('folder')
os.symlink('/etc', 'folder/etc')
os.symlink('..', 'folder/up')
";
    let folder = tempfile::tempdir().unwrap();
    outside_in(folder.path(), script, &[]);
    assert!(fs::read(folder.path().join("answer")).is_ok());
    assert!(fs::read(folder.path().join("folder/etc/passwd")).is_ok());
    let outcome = inside(program(script, &[]), Limits::tight()).await;
    assert!(outcome.success(), "{}", outcome.stderr.text());
    for path in [
        "answer",
        "folder/etc/passwd",
        "../etc/passwd",
        "/etc/passwd",
        "folder/up/answer",
        "folder",
    ] {
        assert!(outcome.scratch.read(path, 1 << 20).is_err(), "{path}");
    }
    assert!(outcome.scratch.files(100).is_empty());
}

#[tokio::test]
async fn there_are_no_devices_to_open() {
    let script = "
import os, stat
print('RUNNING', flush=True)
for folder, folders, files in os.walk('/dev'):
    for file in files:
        path = os.path.join(folder, file)
        try: device = stat.S_ISCHR(os.stat(path).st_mode) or stat.S_ISBLK(os.stat(path).st_mode)
        except OSError: continue
        if device and path not in ('/dev/null', '/dev/zero', '/dev/random', '/dev/urandom'):
            print('BREACH', path)
open('/dev/null', 'wb').write(b'x')
assert open('/dev/zero', 'rb').read(2) == bytes(2)
assert len(open('/dev/urandom', 'rb').read(2)) == 2
print('WORK')
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    assert!(
        outcome.stdout.text().contains("WORK"),
        "{}",
        outcome.stderr.text()
    );
    let make = "
import os, stat
print('RUNNING', flush=True)
os.mknod('made', 0o600 | stat.S_IFCHR, os.makedev(1, 1))
print('BREACH')
";
    contained(Twin::Root, make, &[]).await;
}

#[tokio::test]
async fn a_set_user_id_program_gains_nothing() {
    if !is_root() {
        return; // Only root can make one; as an ordinary user there is none to hand in.
    }
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let id = folder.path().join("id");
    fs::copy("/usr/bin/id", &id).unwrap();
    fs::set_permissions(&id, fs::Permissions::from_mode(0o4755)).unwrap();
    let told = std::process::Command::new(&id)
        .arg("-u")
        .uid(60_001)
        .output()
        .unwrap();
    assert_eq!(told.stdout, b"0\n");
    let program = adit_sandbox::Program::new("/in/id")
        .argument("-u")
        .input("id", &id);
    let outcome = inside(program, Limits::tight()).await;
    let told = outcome.stdout.text();
    assert!(outcome.success() && told != "0\n", "{told}");
}

#[tokio::test]
async fn one_submission_cannot_read_anothers_scratch() {
    // The suite may run more than once at a time.
    let shared = &format!("/tmp/shared-secret-{}", std::process::id());
    let write = "
import sys, time
for path in (sys.argv[1], 'secret'): open(path, 'w').write('belongs to the other')
print('RUNNING', flush=True)
time.sleep(3)
";
    let search = &SEARCH.replace("'usr'", "'usr', 'in'");
    let (outcome, searched) =
        tokio::join!(inside(program(write, &[shared]), Limits::tight()), async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            inside(
                program(search, &["/", "belongs to the other"]),
                Limits::tight(),
            )
            .await
        });
    assert!(outcome.success(), "{}", outcome.stderr.text());
    assert_eq!(
        searched.stdout.text(),
        "RUNNING\n",
        "{}",
        searched.stderr.text()
    );
    // Outside, both share one `/tmp`.
    let told = outside(write, &[shared]);
    assert!(told.contains("RUNNING"), "{told}");
    let told = outside(SEARCH, &["/tmp", "belongs to the other"]);
    fs::remove_file(shared).unwrap();
    assert!(told.contains("BREACH"), "{told}");
}

#[tokio::test]
async fn a_program_sees_no_variable_and_no_descriptor_of_its_parent() {
    let script = "
import os
print('RUNNING', flush=True)
if os.environ.get('PATH'): print('BREACH', os.environ)
for number in range(3, 256):
    try: os.fstat(number)
    except OSError: continue
    print('BREACH', number)
";
    let outcome = contained_within(Limits::tight(), Twin::Anyone, script, &[]).await;
    assert!(outcome.success(), "{}", outcome.stderr.text());
}

#[tokio::test]
async fn reading_an_input_leaves_no_trace_for_the_next() {
    use std::os::unix::fs::MetadataExt;
    let host = tempfile::tempdir().unwrap();
    let file = host.path().join("input");
    fs::write(&file, "given").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    // Last read before it was written, so that the next reading is written down.
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let times = fs::FileTimes::new().set_accessed(long_ago);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_times(times)
        .unwrap();
    let read = |path: &str| program(READ, &[path]);
    let told = inside(read("/in/given").input("given", &file), Limits::tight()).await;
    assert!(
        told.stdout.text().contains("BREACH"),
        "it was read: {told:?}"
    );
    assert_eq!(fs::metadata(&file).unwrap().atime(), 1_000_000);
    let told = outside(READ, &[file.to_str().unwrap()]);
    assert!(told.contains("BREACH"), "{told}");
    let noted = fs::metadata(&file).unwrap().atime() != 1_000_000;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(noted || mounts.contains("noatime"), "the attack is broken");
}

#[tokio::test]
async fn inputs_for_root_alone_are_shown_and_stay_roots() {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    if !is_root() {
        return; // An ordinary user's programs are that user.
    }
    let host = tempfile::tempdir().unwrap();
    let closed = |name: &str, owner: u32| {
        let path = host.path().join(name);
        fs::write(&path, name).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::chown(&path, Some(owner), Some(owner)).unwrap();
        path
    };
    let folder = host.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let (of_root, of_other) = (closed("root", 0), closed("other", 60_001));
    closed("folder/inner", 0);
    closed("folder/foreign", 60_001);
    // Nobody else can read them outside.
    fs::set_permissions(host.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = std::process::Command::new("/bin/cat")
        .arg(&of_root)
        .uid(60_002)
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let script = "
import os
print('RUNNING', flush=True)
for name in ('root', 'other', 'folder/inner', 'folder/foreign'):
    try: print(open('/in/' + name).read())
    except OSError as error: print(error.strerror)
for attempt in (lambda: open('/in/root', 'a'), lambda: os.chmod('/in/root', 0o666), lambda: os.unlink('/in/folder/inner'),
                lambda: open('/in/folder/new', 'w'), lambda: os.utime('/in/other'), lambda: os.chown('/in/root', 0, 0)):
    try:
        attempt()
        print('BREACH')
    except OSError: pass
";
    let given = program(script, &[])
        .input("root", &of_root)
        .input("other", &of_other)
        .input("folder", &folder);
    let outcome = match super::sandbox().run(given, Limits::tight()).await {
        // The file system of this machine's temporary folder may have no such mounts; it is said.
        Err(adit_sandbox::Error::SetUp { step, .. }) if step.contains("no idmapped mounts") => {
            return;
        }
        outcome => outcome.unwrap(),
    };
    let told = outcome.stdout.text();
    let expected = "RUNNING\nroot\nother\nfolder/inner\nPermission denied\n";
    assert_eq!(told, expected, "{}", outcome.stderr.text());
    for (path, owner) in [(&of_root, 0), (&of_other, 60_001)] {
        let left = fs::metadata(path).unwrap();
        assert_eq!((left.uid(), left.mode() & 0o7777), (owner, 0o600));
    }
}
