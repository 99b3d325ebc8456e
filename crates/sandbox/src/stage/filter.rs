//! The program by which the kernel judges system calls: a search tree.
//!
//! The kernel runs a filter once for every number when it is installed, and again for every call that
//! it cannot judge by number alone. A chain of comparisons, as is usual, of a hundred and seventy calls
//! made the installation the longest single step of a sandbox's start; a tree is a tenth of it.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, sock_filter};

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is made.
    Allowed,
    /// It fails as if the kernel did not have it.
    Missing,
    /// It is made if these bits of the low half of this argument are one of these.
    When(u8, u32, Vec<u32>),
}

/// Verdicts by number; calls without one fail with `EPERM`.
pub(super) type Verdicts = BTreeMap<u32, Verdict>;

const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_NOT_BELOW: u16 = 0x35;
const MASK: u16 = 0x54;
const RETURN: u16 = 0x06;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSE: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();
const LACK: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
const KILL: u32 = libc::SECCOMP_RET_KILL_PROCESS;

/// Where the number and the architecture stand in what a filter is given.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The kernel's name of this processor (`AUDIT_ARCH_…`): numbers mean other calls on others, and some
/// processors take those of several.
#[cfg(target_arch = "x86_64")]
const HERE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const HERE: u32 = 0xc000_00b7;
#[cfg(target_arch = "riscv64")]
const HERE: u32 = 0xc000_00f3;

/// Compiles the verdicts.
pub(super) fn compile(verdicts: &Verdicts) -> BpfProgram {
    let mut program = vec![
        line(LOAD, ARCHITECTURE),
        branch(IF_EQUAL, HERE, 1, 0),
        line(RETURN, KILL),
        line(LOAD, NUMBER),
    ];
    program.extend(tree(&ranges(verdicts)));
    program
}

/// Numbers from each one on, up to the next, have one verdict.
fn ranges(verdicts: &Verdicts) -> Vec<(u32, Option<&Verdict>)> {
    let mut ranges = vec![(0, None)];
    let mut from = |number: u32, verdict| match ranges.last_mut() {
        Some(last) if last.0 == number => last.1 = verdict,
        _ => ranges.push((number, verdict)),
    };
    for (number, verdict) in verdicts {
        from(*number, Some(verdict));
        if let Some(next) = number.checked_add(1) {
            from(next, None);
        }
    }
    // Neighbours with one verdict are one range.
    ranges.dedup_by(|next, before| next.1 == before.1);
    ranges
}

fn tree(ranges: &[(u32, Option<&Verdict>)]) -> BpfProgram {
    let (below, above) = ranges.split_at(ranges.len() / 2);
    let Some((first, _)) = above.first() else {
        return vec![line(RETURN, REFUSE)];
    };
    if below.is_empty() {
        return leaf(above.first().and_then(|range| range.1));
    }
    let (below, above) = (tree(below), tree(above));
    // A branch reaches 255 lines far, a jump any number.
    let mut program = match u8::try_from(below.len()) {
        Ok(length) => vec![branch(IF_NOT_BELOW, *first, length, 0)],
        Err(_) => vec![
            branch(IF_NOT_BELOW, *first, 0, 1),
            line(JUMP, u32::try_from(below.len()).unwrap_or(u32::MAX)),
        ],
    };
    program.extend(below);
    program.extend(above);
    program
}

fn leaf(verdict: Option<&Verdict>) -> BpfProgram {
    let argument = |number: &u8| line(LOAD, 16 + 8 * u32::from(*number));
    match verdict {
        None => vec![line(RETURN, REFUSE)],
        Some(Verdict::Allowed) => vec![line(RETURN, ALLOW)],
        Some(Verdict::Missing) => vec![line(RETURN, LACK)],
        Some(Verdict::When(number, mask, values)) => {
            let mut program = vec![argument(number)];
            if *mask != u32::MAX {
                program.push(line(MASK, *mask));
            }
            // To the last line, over the rest of the comparisons and the refusal.
            program.extend(values.iter().enumerate().map(|(index, value)| {
                let left = u8::try_from(values.len() - index).unwrap_or(u8::MAX);
                branch(IF_EQUAL, *value, left, 0)
            }));
            program.extend([line(RETURN, REFUSE), line(RETURN, ALLOW)]);
            program
        }
    }
}

fn line(code: u16, k: u32) -> sock_filter {
    branch(code, k, 0, 0)
}

fn branch(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What the kernel makes of a call, and after how many lines.
    fn judge(
        program: &BpfProgram,
        architecture: u32,
        number: u32,
        arguments: [u64; 6],
    ) -> (u32, usize) {
        let (mut at, mut value, mut steps) = (0, 0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            (at, steps) = (at + 1, steps + 1);
            let mut go = |yes: bool| at += usize::from(if yes { jt } else { jf });
            match code {
                LOAD if k == NUMBER => value = number,
                LOAD if k == ARCHITECTURE => value = architecture,
                LOAD => {
                    assert_eq!(k % 8, 0, "only low halves are read");
                    value = arguments[(k as usize - 16) / 8] as u32;
                }
                JUMP => at += k as usize,
                IF_EQUAL => go(value == k),
                IF_NOT_BELOW => go(value >= k),
                MASK => value &= k,
                RETURN => return (k, steps),
                _ => panic!("no such line: {code}"),
            }
        }
    }

    /// Judges every number as the verdicts say, and in few steps.
    pub(in crate::stage) fn compiled_as_written(verdicts: &Verdicts, most_steps: usize) {
        let program = compile(verdicts);
        assert!(program.len() < 4096, "the kernel takes no more");
        let far = [0x4000_0000, 0x4000_0001, u32::MAX - 1, u32::MAX];
        for number in (0..2000).chain(far) {
            for value in [
                0,
                1,
                2,
                3,
                15,
                16,
                0x5401,
                0x1000_0011,
                u64::from(u32::MAX),
                1 << 32,
                u64::MAX,
            ] {
                for argument in 0..6 {
                    let mut arguments = [7; 6];
                    arguments[argument] = value;
                    let low = |number: &u8| arguments[usize::from(*number)] as u32;
                    let expected = match verdicts.get(&number) {
                        None => REFUSE,
                        Some(Verdict::Allowed) => ALLOW,
                        Some(Verdict::Missing) => LACK,
                        Some(Verdict::When(at, mask, values))
                            if values.contains(&(low(at) & mask)) =>
                        {
                            ALLOW
                        }
                        Some(_) => REFUSE,
                    };
                    let (found, steps) = judge(&program, HERE, number, arguments);
                    assert_eq!(found, expected, "call {number} with {arguments:?}");
                    assert!(steps <= most_steps, "call {number} takes {steps}");
                    // The numbers of another processor, such as the old one of 32 bits, mean others.
                    assert_eq!(
                        judge(&program, HERE ^ 0x8000_0000, number, arguments).0,
                        KILL
                    );
                }
            }
        }
    }

    #[test]
    fn verdicts_are_compiled_as_written() {
        let verdicts = |entries: &[(u32, Verdict)]| entries.iter().cloned().collect::<Verdicts>();
        compiled_as_written(&Verdicts::new(), 5);
        let one = verdicts(&[
            (0, Verdict::When(0, 2, vec![0])),
            (1, Verdict::When(5, u32::MAX, vec![1, 3])),
        ]);
        compiled_as_written(&one, 16);
        // More than a branch can jump over.
        let many: Verdicts = (0..1000)
            .map(|number| match number % 4 {
                0 => (number * 2, Verdict::Missing),
                1 => (number * 2, Verdict::When(1, u32::MAX, vec![2, 15])),
                2 => (number * 2, Verdict::When(2, 16, vec![0])),
                _ => (number * 2, Verdict::Allowed),
            })
            .collect();
        let few: Verdicts = many
            .iter()
            .map(|(k, v)| (*k, v.clone()))
            .take(400)
            .collect();
        compiled_as_written(&few, 40);
        compiled_as_written(&verdicts(&[(u32::MAX, Verdict::Allowed)]), 8);
    }
}
