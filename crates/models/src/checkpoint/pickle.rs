//! Reads what a pickle describes, without doing what it asks for.
//!
//! Of the instructions only those are known that a dictionary of tensors needs, and of Python's names
//! only those that `torch.save` writes for one; any other ends the reading, named. Calls are not made:
//! the few that are allowed are recognised and turned into the tensor that they describe. Values stand
//! in an arena and refer to each other by number, at most one per instruction, so that memory is
//! bounded by the pickle's length whatever it repeats or nests.

use std::collections::BTreeMap;

use super::{Element, MOST_TENSORS, shown};

/// Deepest dictionary within dictionaries.
const DEEPEST: usize = 8;
/// Longest name of a tensor, in bytes.
const LONGEST_NAME: usize = 1_024;
/// Longest name of a storage, of a module of Python's, or of something in one, in bytes.
const LONGEST_WORD: usize = 256;
/// Most sides of a tensor.
const MOST_SIDES: usize = 16;
/// Arguments that are looked at.
const MOST_ARGUMENTS: usize = 8;

/// Why a pickle was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no sound pickle of tensors.
    Unsound(String),
    /// It asks for what only a running Python could do.
    Refused(String),
}

/// A tensor as a pickle describes it: a view of a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    /// The storage's name in the archive.
    pub(super) storage: String,
    pub(super) element: Element,
    /// Elements of the storage.
    pub(super) elements: u64,
    /// The first element.
    pub(super) offset: u64,
    pub(super) shape: Vec<usize>,
    /// From one element to the next along each side, in elements.
    pub(super) strides: Vec<usize>,
}

/// What Python's names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    OrderedDict,
    Tensor,
    Parameter,
    Storage(Element),
}

type Place = usize;

#[derive(Debug, Clone)]
enum Value {
    /// Something that no tensor is made of.
    Nothing,
    Number(i64),
    Text(String),
    Tuple(Vec<Place>),
    List(Vec<Place>),
    Dictionary(Vec<(Place, Place)>),
    Global(Global),
    Storage {
        key: String,
        element: Element,
        elements: u64,
    },
    Tensor(View),
}

fn unsound<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unsound(reason.into()))
}

/// The tensors of a pickled dictionary, by their names; names within names are joined by dots.
pub(super) fn tensors(pickle: &[u8]) -> Result<BTreeMap<String, View>, Fault> {
    let mut machine = Machine {
        rest: pickle,
        length: pickle.len(),
        ..Machine::default()
    };
    let root = machine.run()?;
    let mut tensors = BTreeMap::new();
    if !matches!(machine.values.get(root), Some(Value::Dictionary(_))) {
        return unsound("it holds no dictionary of tensors");
    }
    let mut visits = 0;
    machine.gather(root, "", 0, &mut visits, &mut tensors)?;
    Ok(tensors)
}

#[derive(Debug, Default)]
struct Machine<'a> {
    rest: &'a [u8],
    length: usize,
    values: Vec<Value>,
    stack: Vec<Place>,
    /// Heights of the stack where a mark lies.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Place>,
}

impl<'a> Machine<'a> {
    /// Follows the instructions to the end and gives the place of the value on top.
    fn run(&mut self) -> Result<Place, Fault> {
        loop {
            let at = self.length - self.rest.len();
            match self.byte()? {
                // Protocol and frame: how it was written.
                0x80 => {
                    self.take(1)?;
                }
                0x95 => {
                    self.take(8)?;
                }
                b'.' => return self.pop(),
                b'(' => self.marks.push(self.stack.len()),
                b'N' | 0x88 | 0x89 => self.push(Value::Nothing),
                b'G' => {
                    self.take(8)?;
                    self.push(Value::Nothing);
                }
                b'J' => {
                    let number = self.number(4)? as u32;
                    self.push(Value::Number(i64::from(number.cast_signed())));
                }
                b'K' => self.push_number(1)?,
                b'M' => self.push_number(2)?,
                0x8a => self.long()?,
                b'X' => self.text(4)?,
                0x8c => self.text(1)?,
                0x8d => self.text(8)?,
                b'q' => self.memoise(1)?,
                b'r' => self.memoise(4)?,
                0x94 => {
                    let key = self.memo.len() as u32;
                    let top = self.top()?;
                    self.memo.insert(key, top);
                }
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                b')' => self.push(Value::Tuple(Vec::new())),
                b't' => {
                    let parts = self.marked()?;
                    self.push(Value::Tuple(parts));
                }
                code @ 0x85..=0x87 => {
                    let count = usize::from(code - 0x84);
                    let Some(below) = self.stack.len().checked_sub(count) else {
                        return unsound("it takes from an empty stack");
                    };
                    let parts = self.stack.split_off(below);
                    self.push(Value::Tuple(parts));
                }
                b']' => self.push(Value::List(Vec::new())),
                b'}' => self.push(Value::Dictionary(Vec::new())),
                b'a' => {
                    let part = self.pop()?;
                    self.append(vec![part])?;
                }
                b'e' => {
                    let parts = self.marked()?;
                    self.append(parts)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set(&[key, value])?;
                }
                b'u' => {
                    let parts = self.marked()?;
                    self.set(&parts)?;
                }
                b'c' => {
                    let module = self.line()?;
                    let name = self.line()?;
                    let global = global(module, name)?;
                    self.push(Value::Global(global));
                }
                0x93 => {
                    let name = self.pop_text()?;
                    let module = self.pop_text()?;
                    let global = global(&module, &name)?;
                    self.push(Value::Global(global));
                }
                b'Q' => self.storage()?,
                b'R' => self.call()?,
                b'b' => self.build()?,
                code => {
                    return Err(Fault::Refused(format!(
                        "instruction {code:#04x} at byte {at}"
                    )));
                }
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => unsound(format!(
                "it claims {count} bytes at byte {}, it has {}",
                self.length - self.rest.len(),
                self.length
            )),
        }
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.number(1)? as u8)
    }

    /// A little-endian number of so many bytes, at most 8.
    fn number(&mut self, count: usize) -> Result<u64, Fault> {
        let bytes = self.take(count)?.iter().rev();
        Ok(bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn push_number(&mut self, bytes: usize) -> Result<(), Fault> {
        let number = self.number(bytes)?;
        self.push(Value::Number(number.cast_signed()));
        Ok(())
    }

    /// A number of a declared count of bytes, in two's complement.
    fn long(&mut self) -> Result<(), Fault> {
        let count = usize::from(self.byte()?);
        if count > 8 {
            return unsound(format!("it holds a number of {count} bytes"));
        }
        let number = self.number(count)?;
        let unused = 64 - 8 * count as u32;
        let number = number.checked_shl(unused).unwrap_or_default().cast_signed();
        self.push(Value::Number(
            number.checked_shr(unused).unwrap_or_default(),
        ));
        Ok(())
    }

    /// A text whose length is a number of so many bytes.
    fn text(&mut self, length: usize) -> Result<(), Fault> {
        let count = usize::try_from(self.number(length)?).unwrap_or(usize::MAX);
        match std::str::from_utf8(self.take(count)?) {
            Ok(text) => {
                self.push(Value::Text(text.to_owned()));
                Ok(())
            }
            Err(_) => unsound("it holds a text that is no UTF-8"),
        }
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let Some(end) = end else {
            return unsound("it ends within a name");
        };
        let line = self.take(end)?;
        self.take(1)?;
        match std::str::from_utf8(line) {
            Ok(line) => Ok(line),
            Err(_) => unsound("it holds a name that is no UTF-8"),
        }
    }

    fn pop(&mut self) -> Result<Place, Fault> {
        // What lies below a mark belongs to whoever set it.
        if self
            .marks
            .last()
            .is_some_and(|mark| *mark >= self.stack.len())
        {
            return unsound("it takes from below a mark");
        }
        match self.stack.pop() {
            Some(place) => Ok(place),
            None => unsound("it takes from an empty stack"),
        }
    }

    fn top(&self) -> Result<Place, Fault> {
        match self.stack.last() {
            Some(place) => Ok(*place),
            None => unsound("it looks at an empty stack"),
        }
    }

    fn pop_text(&mut self) -> Result<String, Fault> {
        let place = self.pop()?;
        match self.values.get(place) {
            Some(Value::Text(text)) if text.len() <= LONGEST_WORD => Ok(text.clone()),
            _ => unsound("it asks for a name that is no short text"),
        }
    }

    /// Everything above the last mark.
    fn marked(&mut self) -> Result<Vec<Place>, Fault> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => unsound("it lacks a mark"),
        }
    }

    fn memoise(&mut self, bytes: usize) -> Result<(), Fault> {
        let key = self.number(bytes)? as u32;
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, bytes: usize) -> Result<(), Fault> {
        let key = self.number(bytes)? as u32;
        match self.memo.get(&key) {
            Some(place) => {
                self.stack.push(*place);
                Ok(())
            }
            None => unsound(format!("it recalls {key}, which it never kept")),
        }
    }

    fn append(&mut self, parts: Vec<Place>) -> Result<(), Fault> {
        let top = self.top()?;
        match self.values.get_mut(top) {
            Some(Value::List(list)) => {
                list.extend(parts);
                Ok(())
            }
            _ => unsound("it appends to what is no list"),
        }
    }

    fn set(&mut self, parts: &[Place]) -> Result<(), Fault> {
        let top = self.top()?;
        let (pairs, odd) = parts.as_chunks::<2>();
        match self.values.get_mut(top) {
            Some(Value::Dictionary(entries)) if odd.is_empty() => {
                entries.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            _ => unsound("it sets entries of what is no dictionary"),
        }
    }

    /// The first few parts of a tuple.
    fn tuple(&self, place: Place) -> Result<Vec<&Value>, Fault> {
        match self.values.get(place) {
            Some(Value::Tuple(parts)) => Ok(parts
                .iter()
                .take(MOST_ARGUMENTS)
                .filter_map(|part| self.values.get(*part))
                .collect()),
            _ => unsound("its arguments are no tuple"),
        }
    }

    /// A reference to a storage in the archive.
    fn storage(&mut self) -> Result<(), Fault> {
        let place = self.pop()?;
        let parts = self.tuple(place)?;
        let [
            Value::Text(kind),
            Value::Global(Global::Storage(element)),
            Value::Text(key),
            Value::Text(_),
            Value::Number(elements),
            ..,
        ] = parts.as_slice()
        else {
            return unsound("it refers to something other than a storage");
        };
        let Ok(elements) = u64::try_from(*elements) else {
            return unsound("it refers to a storage of negative size");
        };
        if kind != "storage" || key.len() > LONGEST_WORD {
            return unsound(format!(
                "it refers to a {:?}, {:?}",
                shown(kind),
                shown(key)
            ));
        }
        let storage = Value::Storage {
            key: key.clone(),
            element: *element,
            elements,
        };
        self.push(storage);
        Ok(())
    }

    /// The calls that describe a tensor, a parameter or an empty dictionary.
    fn call(&mut self) -> Result<(), Fault> {
        let arguments = self.pop()?;
        let callee = self.pop()?;
        let Some(Value::Global(callee)) = self.values.get(callee) else {
            return Err(Fault::Refused("a call of what is no known name".to_owned()));
        };
        match callee {
            Global::OrderedDict => match self.tuple(arguments)?.as_slice() {
                [] => self.push(Value::Dictionary(Vec::new())),
                _ => return unsound("it makes a dictionary of arguments"),
            },
            Global::Tensor => {
                let view = self.view(arguments)?;
                self.push(Value::Tensor(view));
            }
            Global::Parameter => match self.tuple(arguments)?.first() {
                Some(Value::Tensor(view)) => {
                    let view = view.clone();
                    self.push(Value::Tensor(view));
                }
                _ => return unsound("it makes a parameter of what is no tensor"),
            },
            Global::Storage(_) => {
                return Err(Fault::Refused("a storage made by a call".to_owned()));
            }
        }
        Ok(())
    }

    fn view(&self, arguments: Place) -> Result<View, Fault> {
        let parts = self.tuple(arguments)?;
        let [
            Value::Storage {
                key,
                element,
                elements,
            },
            Value::Number(offset),
            Value::Tuple(shape),
            Value::Tuple(strides),
            ..,
        ] = parts.as_slice()
        else {
            return unsound("it describes a tensor otherwise than PyTorch does");
        };
        if shape.len() != strides.len() || shape.len() > MOST_SIDES {
            return unsound(format!(
                "a tensor has {} sides and {} strides",
                shape.len(),
                strides.len()
            ));
        }
        let sides = |places: &[Place]| -> Result<Vec<usize>, Fault> {
            let side = |place: &Place| match self.values.get(*place) {
                Some(Value::Number(side)) => usize::try_from(*side).ok(),
                _ => None,
            };
            match places.iter().map(side).collect() {
                Some(sides) => Ok(sides),
                None => unsound("a tensor has a side that is no size"),
            }
        };
        let (shape, strides) = (sides(shape)?, sides(strides)?);
        let Ok(offset) = u64::try_from(*offset) else {
            return unsound("a tensor starts before its storage");
        };
        Ok(View {
            storage: key.clone(),
            element: *element,
            elements: *elements,
            offset,
            shape,
            strides,
        })
    }

    /// Attributes of a dictionary, such as the versions of modules, are dropped; nothing else may
    /// have any.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        let top = self.top()?;
        match self.values.get(top) {
            Some(Value::Dictionary(_)) => Ok(()),
            _ => Err(Fault::Refused("attributes of an object".to_owned())),
        }
    }

    fn gather(
        &self,
        place: Place,
        prefix: &str,
        depth: usize,
        visits: &mut usize,
        tensors: &mut BTreeMap<String, View>,
    ) -> Result<(), Fault> {
        *visits += 1;
        if *visits > MOST_TENSORS {
            return unsound(format!("it holds more than {MOST_TENSORS} values"));
        }
        match self.values.get(place) {
            Some(Value::Tensor(view)) => match tensors.insert(prefix.to_owned(), view.clone()) {
                None => Ok(()),
                Some(_) => unsound(format!("it holds {:?} twice", shown(prefix))),
            },
            Some(Value::Dictionary(entries)) => {
                if depth == DEEPEST {
                    return unsound(format!("it nests deeper than {DEEPEST} dictionaries"));
                }
                for (key, value) in entries {
                    let key = match self.values.get(*key) {
                        Some(Value::Text(text)) => text.clone(),
                        Some(Value::Number(number)) => number.to_string(),
                        _ => return unsound("it has a key that is no text"),
                    };
                    let name = match prefix {
                        "" => key,
                        _ => format!("{prefix}.{key}"),
                    };
                    if name.len() > LONGEST_NAME {
                        return unsound(format!("it has a name of more than {LONGEST_NAME} bytes"));
                    }
                    self.gather(*value, &name, depth + 1, visits, tensors)?;
                }
                Ok(())
            }
            // Numbers of epochs and the like.
            _ => Ok(()),
        }
    }
}

/// What a name of Python's stands for, among the few that are known.
fn global(module: &str, name: &str) -> Result<Global, Fault> {
    let other = |name, bytes| Element::Other { name, bytes };
    let known = match (module, name) {
        ("collections", "OrderedDict") => Global::OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2") => Global::Tensor,
        ("torch._utils", "_rebuild_parameter") => Global::Parameter,
        ("torch", "HalfStorage") => Global::Storage(Element::F16),
        ("torch", "BFloat16Storage") => Global::Storage(Element::Bf16),
        ("torch", "FloatStorage") => Global::Storage(Element::F32),
        ("torch", "DoubleStorage") => Global::Storage(Element::F64),
        ("torch", "LongStorage") => Global::Storage(other("I64", 8)),
        ("torch", "IntStorage") => Global::Storage(other("I32", 4)),
        ("torch", "ShortStorage") => Global::Storage(other("I16", 2)),
        ("torch", "CharStorage") => Global::Storage(other("I8", 1)),
        ("torch", "ByteStorage") => Global::Storage(other("U8", 1)),
        ("torch", "BoolStorage") => Global::Storage(other("BOOL", 1)),
        _ => {
            return Err(Fault::Refused(format!("{}.{}", shown(module), shown(name))));
        }
    };
    Ok(known)
}
