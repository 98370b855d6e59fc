//! A school's weekly timetable: the ones it would like, what a region says of them, and the course table written for the one
//! that was opened.

use anyhow::Context as _;
use chrono::{NaiveDate, NaiveTime, Weekday};
use policy::Policy;
use policy::time::{SchoolPlan, SlotPlan, TimeRefusal, check_week};
use policy::vocabulary::DayPart;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::table::Table;

use super::files;

/// The column of the course table that says when a course is.
const TIMES: &str = "时段";

/// The characters days are written with, from Monday on.
const DAYS: [char; 7] = ['一', '二', '三', '四', '五', '六', '日'];

/// A week of slots.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Timetable {
    pub(super) slot: Vec<SlotFile>,
}

/// A slot on each of some weekdays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotFile {
    /// What the course table calls this time.
    pub(super) stands_for: Vec<String>,
    /// 1 (Monday) to 7 (Sunday).
    pub(super) weekdays: Vec<u32>,
    pub(super) kind: String,
    /// `HH:MM`.
    pub(super) start_time: String,
    /// `HH:MM`.
    pub(super) end_time: String,
    pub(super) class_hour_count: u32,
}

impl Timetable {
    /// The slots as `AddSlots` takes them, one for each weekday named.
    pub(super) fn request(&self) -> Value {
        let one = |slot: &SlotFile, weekday: u32| {
            json!({
                "weekday": weekday, "kind": slot.kind, "start_time": slot.start_time, "end_time": slot.end_time,
                "class_hour_count": slot.class_hour_count,
            })
        };
        let slots = self.slot.iter().flat_map(|slot| slot.weekdays.iter().map(move |day| one(slot, *day)));
        json!({ "slots": slots.collect::<Vec<_>>() })
    }

    /// What the region says of the whole week, before anything is sent: slots are taken one by one, but a day or a week that
    /// falls short would be noticed only with the menu, when no slot can be taken back.
    ///
    /// # Errors
    /// When a slot is malformed.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        (from, to): (NaiveDate, NaiveDate),
    ) -> anyhow::Result<Result<(), TimeRefusal>> {
        let mut plans = Vec::new();
        for slot in &self.slot {
            let kind = part(&slot.kind).with_context(|| format!("no part of the day `{}`", slot.kind))?;
            let (starts_at, ends_at) = (time(&slot.start_time)?, time(&slot.end_time)?);
            for number in &slot.weekdays {
                let weekday = number.checked_sub(1).and_then(|number| u8::try_from(number).ok());
                let weekday = weekday.and_then(|number| Weekday::try_from(number).ok());
                let weekday = weekday.with_context(|| format!("no weekday {number}"))?;
                plans.push(SlotPlan {
                    kind,
                    weekday,
                    from,
                    to,
                    starts_at,
                    ends_at,
                    class_hours: slot.class_hour_count,
                    ends_service: false,
                });
            }
        }
        Ok(check_week(policy, &plans, &SchoolPlan::default()).map(drop))
    }

    /// What the course table's name for a time, such as `周一 下午2`, becomes: every slot that stands for it, in the order of the
    /// day; none when no slot does.
    fn renamed(&self, name: &str) -> Option<Vec<String>> {
        let rest = name.strip_prefix("星期").or_else(|| name.strip_prefix('周'))?;
        let mut characters = rest.chars();
        let day = characters.next()?;
        let label = characters.as_str().trim();
        let weekday = (1..).zip(DAYS).find(|(_, known)| *known == day)?.0;
        let mut of_day: Vec<&SlotFile> =
            self.slot.iter().filter(|slot| slot.weekdays.contains(&weekday)).collect();
        of_day.sort_by_key(|slot| slot.start_time.clone());
        let named = of_day.iter().filter(|slot| slot.stands_for.iter().any(|known| known == label));
        let names: Vec<String> = named
            .map(|slot| {
                let of_kind: Vec<_> = of_day.iter().filter(|other| other.kind == slot.kind).collect();
                let place = of_kind.iter().position(|other| other.start_time == slot.start_time);
                let place = place.filter(|_| of_kind.len() > 1).map(|place| (place + 1).to_string());
                format!("周{day} {}{}", word(&slot.kind), place.unwrap_or_default())
            })
            .collect();
        (!names.is_empty()).then_some(names)
    }

    /// The course table with the times of this timetable. Rows at a time no slot stands for are left out.
    pub(super) fn courses(&self, table: &Table) -> Courses {
        let mut rows = Vec::new();
        for row in table.rows() {
            let times = row.cell(TIMES).split(';').map(str::trim).filter(|name| !name.is_empty());
            let Some(times) = times.map(|name| self.renamed(name)).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let times = times.concat().join(";");
            let cell = |column: &String| match column.as_str() {
                TIMES => times.clone(),
                column => row.cell(column).to_owned(),
            };
            rows.push(table.columns().iter().map(cell).collect());
        }
        Courses { columns: table.columns().to_vec(), rows }
    }
}

/// A course table, ready to be sent.
pub(super) struct Courses {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Courses {
    /// The table as a file.
    pub(super) fn written(&self) -> anyhow::Result<Vec<u8>> {
        files::written(&self.columns, &self.rows)
    }

    /// A table of one course that a region asks every menu to have: arranged as the last course here is, without its room
    /// and teacher.
    ///
    /// # Errors
    /// When there is no course here.
    pub(super) fn required(&self, item: &str) -> anyhow::Result<Self> {
        let like = self.rows.last().context("the course table is empty")?;
        let cell = |(column, cell): (&String, &String)| match column.as_str() {
            "课程名称" | "类别" | "课程简介" => item.to_owned(),
            "内容性质" => "素质拓展".to_owned(),
            "教室" | "教师" | "机构" => String::new(),
            _ => cell.clone(),
        };
        let row = self.columns.iter().zip(like).map(cell).collect();
        Ok(Self { columns: self.columns.clone(), rows: vec![row] })
    }
}

/// The part of the day a slot's kind is, in a policy's words.
fn part(kind: &str) -> Option<DayPart> {
    match kind {
        "noon" => Some(DayPart::NoonSlot),
        word => DayPart::from_word(word),
    }
}

/// What the course table calls a kind of slot.
fn word(kind: &str) -> &str {
    match kind {
        "early_arrival" => "早到校",
        "noon" => "午间",
        "extended" => "延时",
        "evening_study" => "晚自习",
        _ => "下午",
    }
}

fn time(text: &str) -> anyhow::Result<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").with_context(|| format!("no time `{text}`"))
}

#[cfg(test)]
mod tests {
    use shared::table::{Format, Limits};

    use super::*;

    fn slot(stands_for: &[&str], kind: &str, start: &str, end: &str) -> SlotFile {
        SlotFile {
            stands_for: stands_for.iter().map(ToString::to_string).collect(),
            weekdays: vec![1, 2],
            kind: kind.to_owned(),
            start_time: start.to_owned(),
            end_time: end.to_owned(),
            class_hour_count: 1,
        }
    }

    fn table(text: &str) -> Table {
        Table::read(Format::Csv, text.as_bytes(), Limits::default()).unwrap()
    }

    fn rewritten(slots: Vec<SlotFile>, text: &str) -> String {
        let courses = Timetable { slot: slots }.courses(&table(text));
        String::from_utf8(courses.written().unwrap()).unwrap()
    }

    #[test]
    fn a_course_keeps_its_time_where_the_timetable_has_it() {
        let slots = vec![
            slot(&["下午1"], "afternoon", "15:30", "16:10"),
            slot(&["下午2"], "afternoon", "16:15", "16:55"),
        ];

        let text = rewritten(slots, "课程名称,时段\n木工,周一 下午2\n茶艺,星期二 下午1\n");

        assert_eq!(text, "课程名称,时段\n木工,周一 下午2\n茶艺,周二 下午1\n");
    }

    #[test]
    fn a_time_for_which_two_slots_stand_is_both_and_one_without_is_left_out() {
        let slots = vec![
            slot(&["下午"], "afternoon", "17:00", "18:00"),
            slot(&["下午"], "afternoon", "16:00", "17:00"),
        ];

        let text = rewritten(slots, "课程名称,时段\n阅读,周一 午间\n木工,周一 下午\n茶艺,周三 下午\n");

        assert_eq!(text, "课程名称,时段\n木工,周一 下午1;周一 下午2\n");
    }

    #[test]
    fn a_kind_with_one_slot_a_day_needs_no_number() {
        let slots =
            vec![slot(&["下午3"], "afternoon", "16:00", "17:00"), slot(&["中午"], "noon", "13:00", "13:40")];

        let text = rewritten(slots, "课程名称,时段\n木工,周一 下午3\n阅读,周二 中午\n");

        assert_eq!(text, "课程名称,时段\n木工,周一 下午\n阅读,周二 午间\n");
    }

    #[test]
    fn a_required_course_is_arranged_like_the_last_without_taking_its_room() {
        let slots = vec![slot(&["下午"], "afternoon", "16:00", "17:00")];
        let text = "课程名称,类别,内容性质,课程简介,年级,容量,时段,教室,教师,机构\n茶艺,劳动,素质拓展,识茶,2-4,30,周一 下午,活动室,金老师,\n";
        let courses = Timetable { slot: slots }.courses(&table(text));

        let required = String::from_utf8(courses.required("晨读").unwrap().written().unwrap()).unwrap();

        assert_eq!(required.lines().nth(1), Some("晨读,晨读,素质拓展,晨读,2-4,30,周一 下午,,,"));
    }
}
