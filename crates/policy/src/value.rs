//! What a key holds, where it comes from, and how that is said.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use crate::policy::Policy;

/// The same words twice: for people who read Chinese and for people who read English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Phrase {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Phrase {
    /// Puts the two together.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// How a value binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// This and nothing else.
    Exact,
    /// At most this (不超过, 不高于).
    Ceiling,
    /// At least this (不低于, 不少于, 不早于).
    Floor,
    /// This on average over all pupils (生均).
    Average,
    /// This as a rule (原则上): deviation is possible and must be justified.
    Principle,
    /// To be worked towards; blocks nothing.
    Target,
}

impl Binding {
    /// What stands before a value that binds like this.
    fn mark(self) -> Phrase {
        match self {
            Self::Exact => Phrase::default(),
            Self::Ceiling => Phrase::new("≤ ", "≤ "),
            Self::Floor => Phrase::new("≥ ", "≥ "),
            Self::Average => Phrase::new("平均 ", "on average "),
            Self::Principle => Phrase::new("原则上 ", "in principle "),
            Self::Target => Phrase::new("目标 ", "target: "),
        }
    }
}

/// The place in a document a value was taken from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Source {
    /// The document's file name.
    pub file: String,
    /// The document's own title.
    pub title_zh: String,
    /// The line in that file, from 1.
    pub line: u32,
    /// The exact words.
    pub words_zh: String,
}

/// A district's own decision on what its documents leave silent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Decision {
    /// Who decided.
    pub decided_by: String,
    /// The document that says so.
    pub document: String,
    /// The day of that document.
    pub dated: NaiveDate,
    /// The supplement's file.
    pub file: String,
}

/// What a clause rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A region's document.
    Document(Source),
    /// A district's decision.
    Decision(Decision),
}

/// How the words of a document were read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    /// An inference nobody contests.
    Note(String),
    /// One of two readings the words allow, the harmless one. A supplement may decide otherwise.
    Reading(String),
}

/// How a value came down from a region above.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Inheritance {
    /// The pack that states it.
    pub pack_id: String,
    /// What that region is called.
    pub name_zh: String,
    /// Why it is taken to hold below, where no document says that it does.
    pub inferred: Option<String>,
}

/// One rule as it stands: who says it, what, how it binds, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Clause {
    /// The pack whose document or supplement says it; for an inherited value, the ancestor.
    pub pack_id: String,
    /// The key, such as `parent_fee_cap_fen_per_day`.
    pub key: &'static str,
    /// How it binds.
    pub binding: Binding,
    /// What the key is called.
    pub name: Phrase,
    /// The value with its unit, such as `10.00 元/天`.
    pub value: Phrase,
    /// Where it is written.
    pub basis: Basis,
    /// How the words were read, where that needs saying.
    pub remark: Option<Remark>,
    /// How it came down from above; nothing when the region itself says it.
    pub inherited: Option<Inheritance>,
}

impl Clause {
    /// Says it in both languages, such as `每天收费上限：≤ 10.00 元/天：《…》第74行“每天不超过 10 元”`.
    #[must_use]
    pub fn say(&self) -> Phrase {
        let (mark, ground) = (self.binding.mark(), self.ground());
        Phrase {
            zh: format!("{}：{}{}：{}", self.name.zh, mark.zh, self.value.zh, ground.zh),
            en: format!("{}: {}{}: {}", self.name.en, mark.en, self.value.en, ground.en),
        }
    }

    /// Says what it rests on alone: the document's words or the decision, how it came down, how it was read.
    #[must_use]
    pub fn ground(&self) -> Phrase {
        let mut ground = match &self.basis {
            Basis::Document(source) => source.say(),
            Basis::Decision(decision) => decision.say(),
        };
        if let Some(inherited) = &self.inherited {
            let said = inherited.say();
            ground.zh += &format!("，{}", said.zh);
            ground.en += &format!(", {}", said.en);
        }
        match &self.remark {
            Some(Remark::Note(note)) => {
                ground.zh += &format!("（{note}）");
                ground.en += &format!(" ({note})");
            }
            Some(Remark::Reading(reading)) => {
                ground.zh += &format!("（原文有两种读法：{reading}；区县可另作决定）");
                ground.en += &format!(" (one of two readings: {reading}; a district may decide otherwise)");
            }
            None => {}
        }
        ground
    }
}

impl Say for Source {
    fn say(&self) -> Phrase {
        Phrase {
            zh: format!("《{}》第{}行“{}”", self.title_zh, self.line, self.words_zh),
            en: format!("《{}》 line {}: “{}”", self.title_zh, self.line, self.words_zh),
        }
    }
}

impl Say for Decision {
    fn say(&self) -> Phrase {
        Phrase {
            zh: format!("{}《{}》（{}）", self.decided_by, self.document, self.dated),
            en: format!("{}, 《{}》 of {}", self.decided_by, self.document, self.dated),
        }
    }
}

impl Say for Inheritance {
    fn say(&self) -> Phrase {
        let mut said = Phrase::new(
            format!("承继自{}", self.name_zh),
            format!("inherited from {} ({})", self.name_zh, self.pack_id),
        );
        if let Some(inferred) = &self.inferred {
            said.zh += &format!("（推定：{inferred}）");
            said.en += &format!(", by inference: {inferred}");
        }
        said
    }
}

/// No document and no supplement says it. Not 0, not false, not an empty list: the request that needs it is refused
/// (`POLICY_SILENT`) until the district writes a supplement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[error("{pack_id} is silent on {key}")]
pub struct Silent {
    /// The pack that was asked.
    pub pack_id: String,
    /// The key that was needed.
    pub key: &'static str,
}

impl Silent {
    /// What is missing where the edition a term is pinned to is not among those kept.
    pub const POLICY_VERSION: &'static str = "policy_version";

    /// Gives what the refusal `POLICY_SILENT` carries: `key`, `pack_id`, and where people have a name for it `key_zh` and `key_en`.
    #[must_use]
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("key", self.key.to_owned()), ("pack_id", self.pack_id.clone())];
        let known = Policy::keys().into_iter().find(|key| key.name == self.key);
        let name = match (known, self.key) {
            (Some(key), _) => Some((key.zh, key.en)),
            // No keys of the schema: by which pack a place is ruled, and which edition of it holds.
            (None, "pack_id") => Some(("适用的政策包", "the policy pack that holds here")),
            (None, "effective_from" | "effective_to") => {
                Some(("学期首日适用的政策版本", "the edition in force on the term's first day"))
            }
            (None, Self::POLICY_VERSION) => {
                Some(("学期所依据的政策版本", "the edition of the policy the term rests on"))
            }
            (None, _) => None,
        };
        if let Some((zh, en)) = name {
            facts.extend([("key_zh", zh.to_owned()), ("key_en", en.to_owned())]);
        }
        facts
    }
}

/// Where a key's value stands, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The region's own document says it.
    Stated,
    /// A document of a region above says it.
    Inherited,
    /// The district decided it in a supplement.
    Supplemented,
    /// Nobody says it.
    Silent,
}

impl Standing {
    /// Gives the word for programs, such as `stated`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Inherited => "inherited",
            Self::Supplemented => "supplemented",
            Self::Silent => "silent",
        }
    }
}

impl Say for Standing {
    fn say(&self) -> Phrase {
        match self {
            Self::Stated => Phrase::new("本地区文件规定", "stated"),
            Self::Inherited => Phrase::new("承继上级", "inherited"),
            Self::Supplemented => Phrase::new("区县补充决定", "decided by the district"),
            Self::Silent => Phrase::new("没有规定", "silent"),
        }
    }
}

/// Where a key's value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<T> {
    /// The region's own document says it.
    Stated {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// Where it is written.
        source: Source,
        /// How the words were read.
        remark: Option<Remark>,
    },
    /// A document of a region above says it.
    Inherited {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// Where it is written.
        source: Source,
        /// How the words were read.
        remark: Option<Remark>,
        /// The pack that says it.
        from: String,
        /// What that region is called.
        from_zh: String,
        /// Why it is taken to hold below: the reason of the first step down from the pack that says it. Nothing where a
        /// document says that it holds there.
        inferred: Option<String>,
    },
    /// The district decided it in a supplement.
    Supplemented {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// The decision.
        decision: Decision,
        /// What the decision was meant to say.
        note: Option<String>,
    },
    /// Nobody says it.
    Silent,
}

/// A key of the schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The group it is written in, such as `fee`.
    pub group: &'static str,
    /// Its name, such as `parent_fee_cap_fen_per_day`.
    pub name: &'static str,
    /// What people who read Chinese call it.
    pub zh: &'static str,
    /// What people who read English call it.
    pub en: &'static str,
    pub(crate) unit_zh: &'static str,
    pub(crate) unit_en: &'static str,
}

/// A key of one pack and what it holds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<T> {
    pub(crate) pack_id: Arc<str>,
    pub(crate) key: &'static Key,
    pub(crate) held: Held<T>,
}

impl<T> Value<T> {
    pub(crate) fn silent(pack_id: Arc<str>, key: &'static Key) -> Self {
        Self { pack_id, key, held: Held::Silent }
    }

    /// Gives where the value stands.
    #[must_use]
    pub fn held(&self) -> &Held<T> {
        &self.held
    }

    /// Gives the value, or nothing when silent.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        match &self.held {
            Held::Stated { value, .. } | Held::Inherited { value, .. } | Held::Supplemented { value, .. } => {
                Some(value)
            }
            Held::Silent => None,
        }
    }

    /// Gives the value.
    ///
    /// # Errors
    /// [`Silent`] when nobody says it.
    pub fn require(&self) -> Result<&T, Silent> {
        self.get().ok_or_else(|| self.silence())
    }

    /// Names the key and the pack, for a refusal.
    #[must_use]
    pub fn silence(&self) -> Silent {
        Silent { pack_id: self.pack_id.to_string(), key: self.key.name }
    }

    /// Gives where the value stands, without the value.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.held {
            Held::Stated { .. } => Standing::Stated,
            Held::Inherited { .. } => Standing::Inherited,
            Held::Supplemented { .. } => Standing::Supplemented,
            Held::Silent => Standing::Silent,
        }
    }

    /// Whether the value is one of two readings of a document, which a supplement may still decide.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        match &self.held {
            Held::Stated { remark, .. } | Held::Inherited { remark, .. } => {
                matches!(remark, Some(Remark::Reading(_)))
            }
            Held::Supplemented { .. } | Held::Silent => false,
        }
    }

    /// Gives how it binds, or nothing when silent.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        match &self.held {
            Held::Stated { binding, .. }
            | Held::Inherited { binding, .. }
            | Held::Supplemented { binding, .. } => Some(*binding),
            Held::Silent => None,
        }
    }
}

impl<T: PartialEq> Value<T> {
    /// Whether another value says something else or binds otherwise. Who says it and in which words does not matter.
    pub(crate) fn says_otherwise(&self, other: &Self) -> bool {
        (self.get(), self.binding()) != (other.get(), other.binding())
    }
}

/// A step down from a region to one below it.
pub(crate) struct Step<'a> {
    /// What the region above is called.
    pub from_zh: &'a str,
    /// Why what is said above is taken to hold below; nothing when a document says so.
    pub inferred: Option<&'a str>,
}

impl<T: Clone> Value<T> {
    /// The same key as a pack below sees it.
    pub(crate) fn handed_down(&self, to: Arc<str>, step: &Step<'_>) -> Self {
        let held = match &self.held {
            Held::Stated { value, binding, source, remark } => Held::Inherited {
                value: value.clone(),
                binding: *binding,
                source: source.clone(),
                remark: remark.clone(),
                from: self.pack_id.to_string(),
                from_zh: step.from_zh.to_owned(),
                inferred: step.inferred.map(str::to_owned),
            },
            Held::Inherited { .. } | Held::Supplemented { .. } | Held::Silent => self.held.clone(),
        };
        Self { pack_id: to, key: self.key, held }
    }
}

/// Something a clause can say.
pub trait Say {
    /// Says it, without unit.
    fn say(&self) -> Phrase;
}

impl<T: Say> Value<T> {
    /// Gives the clause the value rests on, or nothing when silent.
    #[must_use]
    pub fn clause(&self) -> Option<Clause> {
        let (value, binding, basis, remark, inherited) = match &self.held {
            Held::Stated { value, binding, source, remark } => {
                (value, binding, Basis::Document(source.clone()), remark.clone(), None)
            }
            Held::Inherited { value, binding, source, remark, from, from_zh, inferred } => {
                let inherited = Inheritance {
                    pack_id: from.clone(),
                    name_zh: from_zh.clone(),
                    inferred: inferred.clone(),
                };
                (value, binding, Basis::Document(source.clone()), remark.clone(), Some(inherited))
            }
            Held::Supplemented { value, binding, decision, note } => {
                (value, binding, Basis::Decision(decision.clone()), note.clone().map(Remark::Note), None)
            }
            Held::Silent => return None,
        };
        let said = value.say();
        let pack_id = inherited.as_ref().map_or(&*self.pack_id, |inherited| inherited.pack_id.as_str());
        Some(Clause {
            pack_id: pack_id.to_owned(),
            key: self.key.name,
            binding: *binding,
            name: Phrase::new(self.key.zh, self.key.en),
            value: Phrase {
                zh: format!("{}{}", said.zh, self.key.unit_zh),
                en: format!("{}{}", said.en, self.key.unit_en),
            },
            basis,
            remark,
            inherited,
        })
    }

    /// Gives the value and the clause it rests on, or nothing when silent.
    #[must_use]
    pub fn known(&self) -> Option<(&T, Clause)> {
        Some((self.get()?, self.clause()?))
    }

    /// Gives the value and the clause it rests on.
    ///
    /// # Errors
    /// [`Silent`] when nobody says it.
    pub fn demand(&self) -> Result<(&T, Clause), Silent> {
        self.known().ok_or_else(|| self.silence())
    }
}
