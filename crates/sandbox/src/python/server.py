# Runs inside the sandbox: waits with everything imported, and forks once per case, so that no case
# sees what another did to the interpreter. Nothing here needs to be trusted by the library: it
# reads bounded lines and takes them for a stranger's.
import ast, bisect, collections, copy, dataclasses, datetime, decimal, enum, fractions
import functools, gc, heapq, itertools, json, math, operator, os, random, re, select, signal
import string, sys, time, types, typing

NAMES = ("solve", "main", "solution")


def entry(namespace, wanted):
    """The function to call: the wanted one, a usual one, or the first by name; else a method."""
    public = {n: v for n, v in namespace.items() if not (n.startswith("__") and n.endswith("__"))}
    functions = {n: v for n, v in public.items() if callable(v) and not isinstance(v, type)}
    classes = {n: v for n, v in public.items() if isinstance(v, type)}
    for name in (wanted, *NAMES):
        if name in functions:
            return functions[name]
    if functions:
        return functions[min(functions)]
    for name in sorted(classes, key=lambda n: (n != "Solution", n)):
        for method in (wanted, *NAMES):
            if callable(getattr(classes[name], method, None)):
                return getattr(classes[name](), method)
    raise LookupError(
        "No callable entrypoint found. Requested %r. Functions: %r. Classes: %r"
        % (wanted, sorted(functions), sorted(classes))
    )


def call(function, given):
    """A text that holds a list is the arguments; all else is one, or none if it is refused."""
    if isinstance(given, str) and given.strip().startswith("["):
        try:
            arguments = json.loads(given)
        except ValueError:
            arguments = None
        if arguments is not None:
            return function(*arguments)
    try:
        return function(given)
    except TypeError:
        return function()


def run(source, wanted, given):
    """Executes the submission from nothing, and calls it."""
    namespace = {"__name__": "submission"}
    try:
        code = compile(source, "<submission>", "exec")
    except (SyntaxError, ValueError) as error:
        return {"kind": "syntax", "error": "Syntax error: %s" % error}
    try:
        exec(code, namespace)
    except BaseException as error:
        return {"kind": "load", "error": "Execution error: %s" % error}
    try:
        function = entry(namespace, wanted)
    except Exception as error:
        return {"kind": "entry", "error": str(error)}
    try:
        output = call(function, given)
        # What JSON cannot say is no answer.
        json.dumps(output, allow_nan=False)
        return {"kind": "done", "output": output}
    except BaseException as error:
        return {"kind": "raised", "error": "Function execution error: %s" % error}


def child(source, wanted, given, write):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.closerange(3, write)
    os.closerange(write + 1, 256)
    answer = json.dumps(run(source, wanted, given), allow_nan=False).encode()
    while answer:
        answer = answer[os.write(write, answer):]
    # The answer is whole now; its reader need not wait until all memory is given back.
    os.close(write)


def case(answers, source, wanted, request):
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(read)
            child(source, wanted, request["input"], write)
        finally:
            os._exit(0)
    os.close(write)
    os.set_blocking(read, False)
    # Its end counts, and not that of the pipe, which what it leaves behind may hold.
    ended = os.pidfd_open(process)
    answer, end = b"", time.monotonic() + request["timeout"]
    kind = None
    while kind is None:
        left = end - time.monotonic()
        ready = left > 0 and select.select([read, ended], [], [], left)[0]
        if not ready:
            kind = "timeout"
            break
        try:
            part = os.read(read, 65536)
        except BlockingIOError:
            part = b""
        answer += part
        if len(answer) > request["most"]:
            kind = "large"
        elif not part:
            kind = "answer" if answer else "died"
    os.close(ended)
    os.close(read)
    answers.write(json.dumps({
        "kind": kind, "answer": answer.decode("utf-8", "replace") if kind == "answer" else "",
    }).encode() + b"\n")
    # Whatever the case started, wherever it hid: all processes but this one and the first. This is
    # over before the next case is read.
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
    os.waitpid(process, 0)


def main():
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", 0)
    gc.freeze()
    answers.write(b'"ready"\n')
    submission = json.loads(requests.readline())
    for line in requests:
        case(answers, submission["source"], submission["function"], json.loads(line))


main()
