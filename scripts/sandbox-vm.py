"""Packs the file system of scripts/sandbox-vm, and is its first process.

    sandbox-vm.py pack SUITE ARCHIVE [FILTERS]
"""
import ctypes, os, shutil, stat, subprocess, sys

PROGRAMS = "python3 sh true sleep cat mkdir yes id sort ls".split()


def pack(suite, archive, filters):
    """Writes an archive in the kernel's format of programs, their libraries, Python's and the suite."""
    files, folders, links = {}, {"dev", "proc", "sys", "tmp", "root", "etc", "run", "new"}, {}
    for place in ("bin", "lib", "lib64", "sbin"):
        links[place] = "usr/" + place

    def add(path):
        real = os.path.realpath(path)
        name = real.lstrip("/")
        if name.split("/")[0] in links:
            name = "usr/" + name
        files[name] = real
        given = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)).lstrip("/")
        if given != name:
            links[given] = "/" + name

    def with_libraries(path):
        add(path)
        told = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
        for word in told.split():
            if word.startswith("/") and os.path.exists(word):
                add(word)

    for program in PROGRAMS:
        with_libraries("/usr/bin/" + program)
    library = os.path.realpath("/usr/bin/python3").replace("/bin/", "/lib/")
    for folder, inner, names in os.walk(library):
        inner[:] = [n for n in inner if n not in ("test", "tests", "idlelib", "ensurepip", "lib2to3")]
        for name in names:
            path = os.path.join(folder, name)
            (with_libraries if name.endswith(".so") else add)(path)
    files["suite"] = suite
    with_libraries(suite)
    files.pop(suite.lstrip("/"), None)
    files["init.py"] = os.path.realpath(__file__)
    contents = {"filters": "\n".join(filters).encode(), "etc/passwd": b"root:x:0:0::/root:/bin/sh\n",
                "etc/shadow": b"root:*:1::::::\n"}
    for name in [*files, *links, *contents]:
        while (name := os.path.dirname(name)):
            folders.add(name)
    with open(archive, "wb") as out:
        number = 0

        def entry(name, mode, data):
            nonlocal number
            number += 1
            head = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name.encode()) + 1, 0)
            text = b"070701" + b"".join(b"%08x" % value for value in head) + name.encode() + b"\0"
            out.write(text + b"\0" * (-len(text) % 4) + data + b"\0" * (-len(data) % 4))

        for name in sorted(folders):
            entry(name, stat.S_IFDIR | (0o1777 if name == "tmp" else 0o755), b"")
        for name, target in links.items():
            entry(name, stat.S_IFLNK | 0o777, target.encode())
        for name, path in files.items():
            with open(path, "rb") as file:
                entry(name, stat.S_IFREG | (os.stat(path).st_mode & 0o777), file.read())
        for name, data in contents.items():
            entry(name, stat.S_IFREG | (0o600 if name.endswith("shadow") else 0o644), data)
        entry("TRAILER!!!", 0, b"")


def first():
    """The first process: moves to a root that can be left, mounts, runs the suite, and switches off."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(kind, place, flags=0, options=None):
        if libc.mount(kind.encode(), place.encode(), kind.encode(), ctypes.c_ulong(flags), options):
            print("sandbox-vm: cannot mount", place, os.strerror(ctypes.get_errno()))

    mount("tmpfs", "/new", options=b"size=1g,mode=0755")
    for name in os.listdir("/"):
        if os.path.islink("/" + name) or os.path.isfile("/" + name):
            shutil.copy2("/" + name, "/new/" + name, follow_symlinks=False)
        elif name in ("usr", "etc"):
            shutil.copytree("/" + name, "/new/" + name, symlinks=True)
        else:
            os.makedirs("/new/" + name, exist_ok=True)
    os.chmod("/new/tmp", 0o1777)
    os.chdir("/new")
    libc.mount(b".", b"/", None, ctypes.c_ulong(8192), None)
    os.chroot(".")
    os.chdir("/")
    mount("proc", "/proc")
    mount("sysfs", "/sys")
    mount("devtmpfs", "/dev")
    mount("cgroup2", "/sys/fs/cgroup")
    # The network that tests of it connect to.
    import fcntl, socket, struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as up:
        fcntl.ioctl(up, 0x8914, struct.pack("16sh", b"lo", 0x41))
    print("sandbox-vm: Linux", os.uname().release, "with", open("/sys/fs/cgroup/cgroup.controllers").read().strip())
    sys.stdout.flush()
    environment = {"PATH": "/usr/bin", "RUST_BACKTRACE": "0"}
    ended = subprocess.run(["/suite", *open("/filters").read().split("\n"), "--test-threads", "2", "--nocapture"],
                           env=environment, cwd="/root", stdin=subprocess.DEVNULL)
    left = [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if "/adit-" in folder]
    print("sandbox-vm: groups left:", left)
    print("sandbox-vm:", "passed" if ended.returncode == 0 and not left else "failed")
    sys.stdout.flush()
    libc.sync()
    libc.reboot(0x4321FEDC)


if sys.argv[1:2] == ["pack"]:
    pack(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    first()
