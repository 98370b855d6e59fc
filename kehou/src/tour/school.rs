//! A school as a walker finds it.

use std::io::Write;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Tour, list, number};
use crate::demo::{DemoDistrict, Undertaking};
use crate::person::text;

/// A school, its region, what it charges, what can be chosen.
#[derive(Clone, Debug)]
pub(super) struct School {
    /// The demonstration's folder.
    pub(super) folder: String,
    /// What the demonstration loaded.
    pub(super) district: DemoDistrict,
    /// What the policy of the school says about fees, as the platform explains it.
    pub(super) policy: Value,
    /// The fee standard; null where there is none.
    pub(super) tariff: Value,
    /// Whether parents pay nothing.
    pub(super) is_free: bool,
    /// The published menu; null where there is none.
    pub(super) menu: Value,
}

impl School {
    /// What the school is called.
    pub(super) fn name(&self) -> &str {
        &self.district.school_name
    }

    /// What the region is called.
    pub(super) fn region(&self) -> String {
        text(&self.policy, "name_zh")
    }

    /// How stories about the school are headed.
    pub(super) fn title(&self, story: &str) -> String {
        format!("{} · {}：{story}", self.region(), self.name())
    }

    /// Whether families can choose.
    pub(super) fn can_choose(&self) -> bool {
        let needed = [Undertaking::Term, Undertaking::Timetable, Undertaking::Menu, Undertaking::Round];
        needed.into_iter().all(|what| self.district.has_done(what))
            && !list(&self.menu, "sections").is_empty()
    }

    /// Whether families pay.
    pub(super) fn is_priced(&self) -> bool {
        !self.tariff.is_null()
    }

    /// Why families cannot choose, or do not pay.
    pub(super) fn why_not(&self) -> String {
        // The first thing that failed is why the others did.
        let is_cause = |what| !matches!(what, Undertaking::Supplement | Undertaking::Listing);
        match self.district.undone.iter().find(|undone| is_cause(undone.what)) {
            _ if self.is_free => "本地免费".to_owned(),
            Some(undone) => format!("{}未办成：{}", undone.what.name_zh(), undone.sentence_zh),
            None => "没有收费标准".to_owned(),
        }
    }

    /// The pupil whose code comes first.
    pub(super) fn first_pupil(&self) -> anyhow::Result<&str> {
        self.district.phones.keys().next().map(String::as_str).context("the school has no pupils")
    }

    /// The pupil whose code comes last.
    pub(super) fn last_pupil(&self) -> anyhow::Result<&str> {
        self.district.phones.keys().next_back().map(String::as_str).context("the school has no pupils")
    }

    /// Up to `count` pupils' codes from `first` on; from the beginning where the school has too few after it.
    pub(super) fn pupils_from(&self, first: &str, count: usize) -> Vec<String> {
        let from = self.district.phones.range(first.to_owned()..).map(|(code, _)| code.clone());
        let found: Vec<_> = from.take(count).collect();
        if found.is_empty() { self.district.phones.keys().take(count).cloned().collect() } else { found }
    }

    /// The section of a course; where the menu has no such course, the one with the fewest seats.
    pub(super) fn section(&self, title: &str) -> anyhow::Result<Value> {
        let sections = list(&self.menu, "sections");
        let named = sections.iter().find(|section| section["title"] == title);
        let smallest = sections.iter().min_by_key(|section| number(section, "capacity_count"));
        named.or(smallest).cloned().context("the menu is empty")
    }

    /// The most the region states for a unit, where it does: `day`, `class_hour`, `term` or `month`.
    pub(super) fn ceiling(&self, basis: &str) -> Option<i64> {
        let of_basis = list(&self.policy, "stated_fees").iter().filter(|fee| {
            fee["basis"] == basis && fee["binding"] == "ceiling" && fee["personalised"] != true
        });
        of_basis.map(|fee| number(fee, "amount_fen")).min()
    }
}

impl<W: Write> Tour<'_, W> {
    /// Finds the school of a district folder as it is now.
    pub(super) async fn school(&self, folder: &str) -> anyhow::Result<School> {
        let district = self.district(folder)?;
        let stranger = self.site.stranger();
        let path = format!("/v1/schools/{}/policy?question=fee", district.school_id);
        let policy = stranger.eventually(&path, |answer| answer.status == 200).await?.body;
        ensure!(!text(&policy, "name_zh").is_empty(), "a region without a name: {policy}");
        let (mut tariff, mut is_free, mut menu) = (Value::Null, false, Value::Null);
        if !district.term_id.is_empty() {
            let known = stranger.get(&format!("/v1/terms/{}/tariff", district.term_id)).await?;
            is_free = known.body["free_of_charge"] == true;
            tariff = if known.status == 200 { known.body["tariff"].clone() } else { Value::Null };
            let known = stranger.get(&format!("/v1/terms/{}/menu", district.term_id)).await?;
            menu = if known.status == 200 { known.body } else { Value::Null };
        }
        Ok(School { folder: folder.to_owned(), district, policy, tariff, is_free, menu })
    }
}
