//! Priority groups: who claims, who decides, what proves it, and who never sees that.

use enrollment::store;
use proto::enrollment::v1::priority::{Origin, State};
use proto::enrollment::v1::priority_service_client::PriorityServiceClient;
use proto::enrollment::v1::{
    self as message, AppealPriorityRequest, ClaimPriorityRequest, DecidePriorityRequest, EndPriorityRequest,
    GetEvidenceRequest, ListPrioritiesRequest, ListPupilPrioritiesRequest, Priority, RecordPriorityRequest,
    UploadEvidenceRequest,
};
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::{Caller, Role};
use shared::client::Link;
use shared::status::violations_of;
use shared::testing::{moment, told};
use tonic::{Code, Status};

use crate::day::stage::{staff, staff_id};
use crate::support::{Family, World, fact, guardian, on_each, reason};

const CLOSED: &str = "jiangsu_nanjing";
const OPEN: &str = "hebei_shahe";
const SILENT: &str = "hunan_zhuzhou";

/// A document, and a word that stands in no other place.
const DOCUMENT: &[u8] = b"%PDF-1.7 SECRET-HARDSHIP";

struct Scene {
    world: World,
    family: Family,
    office: Caller,
    principal: Caller,
}

impl Scene {
    async fn set(world: World, pack: &str) -> Self {
        world.term(pack).await;
        let family = world.family().await;
        world.fakes.name(family.pupil_id, "李小明", "三年级1班", 3);
        let (office, principal) = (staff(&world, Role::TeachingOffice), staff(&world, Role::Principal));
        Self { world, family, office, principal }
    }

    fn as_caller(&self, caller: &Caller) -> PriorityServiceClient<Link> {
        PriorityServiceClient::new(self.world.link(caller))
    }

    fn parent(&self) -> PriorityServiceClient<Link> {
        self.as_caller(&guardian(&self.family))
    }

    async fn upload(&self) -> String {
        let request = UploadEvidenceRequest {
            request_id: self.world.request_id(),
            pupil_id: self.family.pupil_id.to_string(),
            content: DOCUMENT.to_vec(),
        };
        self.parent().upload_evidence(request).await.unwrap().into_inner().evidence_id
    }

    fn claiming(&self, group_key: &str, evidence_ids: Vec<String>) -> ClaimPriorityRequest {
        ClaimPriorityRequest {
            request_id: self.world.request_id(),
            pupil_id: self.family.pupil_id.to_string(),
            group_key: group_key.to_owned(),
            evidence_ids,
        }
    }

    async fn try_claim(&self, group_key: &str) -> Result<Priority, Status> {
        let request = self.claiming(group_key, vec![self.upload().await]);
        self.parent().claim_priority(request).await.map(|answer| answer.into_inner().priority.unwrap())
    }

    async fn claim(&self, group_key: &str) -> Priority {
        self.try_claim(group_key).await.unwrap()
    }

    fn approval(&self, id: &str, from: &str, to: &str) -> DecidePriorityRequest {
        DecidePriorityRequest {
            request_id: self.world.request_id(),
            priority_id: id.to_owned(),
            approved: true,
            valid_from: from.to_owned(),
            valid_to: to.to_owned(),
            reason: String::new(),
        }
    }

    fn refusal(&self, id: &str, reason: &str) -> DecidePriorityRequest {
        DecidePriorityRequest {
            request_id: self.world.request_id(),
            priority_id: id.to_owned(),
            reason: reason.to_owned(),
            ..Default::default()
        }
    }

    async fn decide(&self, by: &Caller, request: DecidePriorityRequest) -> Result<Priority, Status> {
        let answer = self.as_caller(by).decide_priority(request).await;
        answer.map(|answer| answer.into_inner().priority.unwrap())
    }

    async fn approve(&self, id: &str, from: &str, to: &str) -> Priority {
        self.decide(&self.office, self.approval(id, from, to)).await.unwrap()
    }

    fn record(&self, group_key: &str, other_name: &str) -> RecordPriorityRequest {
        RecordPriorityRequest {
            request_id: self.world.request_id(),
            pupil_id: self.family.pupil_id.to_string(),
            group_key: group_key.to_owned(),
            other_name: other_name.to_owned(),
            reason: "留守儿童花名册第12号".to_owned(),
            valid_from: "2026-09-01".to_owned(),
            valid_to: "2027-01-31".to_owned(),
        }
    }

    /// The pupil's groups on a day, as drawing lists reads them.
    async fn groups(&self, day: &str) -> Vec<String> {
        let tx = self.world.db.begin().await.unwrap();
        let ids = [self.family.pupil_id];
        let mut groups = store::priority::groups_on(&tx, &ids, day.parse().unwrap()).await.unwrap();
        groups.remove(&self.family.pupil_id).unwrap_or_default().into_iter().collect()
    }

    async fn mine(&self) -> Vec<Priority> {
        let request =
            ListPupilPrioritiesRequest { pupil_id: self.family.pupil_id.to_string(), ..Default::default() };
        self.parent().list_pupil_priorities(request).await.unwrap().into_inner().priorities
    }
}

#[tokio::test]
async fn c39_a_claim_of_a_group_the_closed_list_does_not_name_is_refused_with_the_list() {
    on_each(|world| async move {
        let scene = Scene::set(world, CLOSED).await;

        let refused = scene.try_claim("dual_income").await.unwrap_err();
        let other = scene.as_caller(&scene.office).record_priority(scene.record("other", "单亲家庭")).await;

        assert_eq!(reason(&refused), "GROUP_NOT_LISTED");
        assert_eq!(fact(&refused, "groups"), "disabled,left_behind,migrant,economically_difficult");
        assert_eq!(fact(&refused, "groups_zh"), "残疾儿童、留守儿童、随迁子女、家庭经济困难学生");
        assert_eq!(fact(&refused, "key"), "priority_groups");
        let other = other.unwrap_err();
        assert_eq!(
            (reason(&other).as_str(), fact(&other, "key").as_str()),
            ("GROUP_NOT_LISTED", "priority_list_open")
        );
        assert!(scene.mine().await.is_empty());
        assert!(scene.groups("2026-09-07").await.is_empty());
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c39_c54_a_left_behind_child_approved_has_the_group_from_the_first_to_the_last_day() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let claimed = scene.claim("left_behind").await;
        assert_eq!((claimed.state(), claimed.origin()), (State::Submitted, Origin::Claim));
        assert!(scene.groups("2026-09-07").await.is_empty(), "a claim alone is no priority");

        let approved = scene.approve(&claimed.id, "2026-09-07", "2027-01-22").await;

        assert_eq!(approved.state(), State::Approved);
        assert_eq!(approved.decider_staff_id, staff_id(&scene.office).to_string());
        for (day, holds) in
            [("2026-09-06", false), ("2026-09-07", true), ("2027-01-22", true), ("2027-01-23", false)]
        {
            let expected = if holds { vec!["left_behind".to_owned()] } else { Vec::new() };
            assert_eq!(scene.groups(day).await, expected, "{day}");
        }
        let [mine] = scene.mine().await.try_into().unwrap();
        assert_eq!((mine.state(), mine.decider_staff_id.as_str()), (State::Approved, ""));
        scene.world.clock.set(moment("2027-01-23T00:00:00+08:00"));
        assert_eq!(scene.mine().await[0].state(), State::Ended, "it ends by itself on its day");
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c54_a_new_claim_before_the_end_renews() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let first = scene.claim("disabled").await;
        let twice = scene.try_claim("disabled").await.unwrap_err();
        assert_eq!(
            (reason(&twice).as_str(), fact(&twice, "priority_id")),
            ("PRIORITY_PENDING", first.id.clone())
        );
        scene.approve(&first.id, "2026-09-01", "2026-12-31").await;

        let second = scene.claim("disabled").await;
        scene.approve(&second.id, "2027-01-01", "2027-07-15").await;

        for day in ["2026-12-31", "2027-01-01", "2027-07-15"] {
            assert_eq!(scene.groups(day).await, ["disabled"], "{day}");
        }
        assert!(scene.groups("2027-07-16").await.is_empty());
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c54_an_appeal_is_decided_by_another_person_than_the_one_who_refused() {
    on_each(|world| async move {
        let scene = Scene::set(world, CLOSED).await;
        let claimed = scene.claim("migrant").await;
        let refused = scene.decide(&scene.office, scene.refusal(&claimed.id, "居住证已过期")).await.unwrap();
        assert_eq!((refused.state(), refused.reason.as_str()), (State::Refused, "居住证已过期"));

        let appeal = AppealPriorityRequest {
            request_id: scene.world.request_id(),
            priority_id: claimed.id.clone(),
            reason: "已换发新证".to_owned(),
            evidence_ids: vec![scene.upload().await],
        };
        let appealed = scene.parent().appeal_priority(appeal.clone()).await.unwrap().into_inner();
        let again = scene.parent().appeal_priority(appeal).await.unwrap().into_inner();
        assert_eq!(again, appealed);
        let appealed = appealed.priority.unwrap();
        assert_eq!((appealed.state(), appealed.evidence_ids.len()), (State::Appealed, 2));
        let same = scene.decide(&scene.office, scene.approval(&claimed.id, "2026-09-01", "2027-01-22")).await;
        assert_eq!(reason(&same.unwrap_err()), "SECOND_PERSON_REQUIRED");
        let other =
            scene.decide(&scene.principal, scene.approval(&claimed.id, "2026-09-01", "2027-01-22")).await;

        assert_eq!(other.unwrap().state(), State::Approved);
        assert_eq!(scene.groups("2026-09-07").await, ["migrant"]);
        let id = claimed.id.parse().unwrap();
        let district_id = shared::value::Id::new(scene.world.school.path[0]);
        let changes = store::priority::changes(scene.world.db.read(), district_id, id).await.unwrap();
        let (actors, states): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
        assert_eq!(states, ["submitted", "refused", "appealed", "approved"]);
        assert_eq!(actors[1], scene.office.key());
        assert_eq!(actors[3], scene.principal.key());
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_appeal_refused_is_final_and_the_family_may_claim_anew() {
    on_each(|world| async move {
        let scene = Scene::set(world, CLOSED).await;
        let claimed = scene.claim("migrant").await;
        scene.decide(&scene.office, scene.refusal(&claimed.id, "不属实")).await.unwrap();
        let appeal = |id: &str| AppealPriorityRequest {
            request_id: scene.world.request_id(),
            priority_id: id.to_owned(),
            reason: "请再看".to_owned(),
            evidence_ids: Vec::new(),
        };
        scene.parent().appeal_priority(appeal(&claimed.id)).await.unwrap();

        let last = scene.decide(&scene.principal, scene.refusal(&claimed.id, "仍不属实")).await.unwrap();

        assert_eq!((last.state(), last.appeal_reason.as_str()), (State::RefusedOnAppeal, "请再看"));
        let more = scene.parent().appeal_priority(appeal(&claimed.id)).await.unwrap_err();
        assert_eq!(reason(&more), "PRIORITY_NOT_REFUSED");
        let decided =
            scene.decide(&scene.office, scene.approval(&claimed.id, "2026-09-01", "2027-01-22")).await;
        assert_eq!(reason(&decided.unwrap_err()), "PRIORITY_DECIDED");
        assert_eq!(scene.claim("migrant").await.state(), State::Submitted);
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c39_the_school_records_from_its_rolls_and_names_another_group_where_the_list_is_open() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let mut office = scene.as_caller(&scene.office);

        let listed = office.record_priority(scene.record("left_behind", "")).await.unwrap().into_inner();
        let named = scene.record("other", "单亲家庭");
        let first = office.record_priority(named.clone()).await.unwrap().into_inner();
        let again = office.record_priority(named.clone()).await.unwrap().into_inner();

        let listed = listed.priority.unwrap();
        assert_eq!((listed.state(), listed.origin()), (State::Approved, Origin::School));
        assert_eq!(listed.reason, "留守儿童花名册第12号");
        assert_eq!(first, again);
        assert_eq!(first.priority.unwrap().group_name_zh, "单亲家庭");
        assert_eq!(scene.groups("2026-09-07").await, ["left_behind", "other"]);
        let changed = RecordPriorityRequest { other_name: "双胞胎".to_owned(), ..named };
        assert_eq!(office.record_priority(changed).await.unwrap_err().code(), Code::AlreadyExists);

        let end = EndPriorityRequest {
            request_id: scene.world.request_id(),
            priority_id: listed.id.clone(),
            reason: "父母已返乡".to_owned(),
        };
        let ended = office.end_priority(end.clone()).await.unwrap().into_inner().priority.unwrap();
        assert_eq!((ended.state(), ended.reason.as_str()), (State::Ended, "父母已返乡"));
        let again = EndPriorityRequest { request_id: scene.world.request_id(), ..end };
        assert_eq!(office.end_priority(again).await.unwrap().into_inner().priority.unwrap(), ended);
        assert_eq!(scene.groups("2026-09-07").await, ["other"]);
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_region_that_names_no_group_is_silent_and_nobody_invents_one() {
    on_each(|world| async move {
        let scene = Scene::set(world, SILENT).await;

        let refused = scene.try_claim("disabled").await.unwrap_err();

        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "priority_groups")
        );
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c54_another_familys_claim_and_document_are_not_found() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let claimed = scene.claim("disabled").await;
        scene.decide(&scene.office, scene.refusal(&claimed.id, "看不清")).await.unwrap();
        let stranger = guardian(&scene.world.family().await);
        let mut theirs = scene.as_caller(&stranger);

        let appeal = AppealPriorityRequest {
            request_id: scene.world.request_id(),
            priority_id: claimed.id.clone(),
            reason: "请再看".to_owned(),
            evidence_ids: Vec::new(),
        };
        let document = GetEvidenceRequest { evidence_id: claimed.evidence_ids[0].clone() };
        let list =
            ListPupilPrioritiesRequest { pupil_id: scene.family.pupil_id.to_string(), ..Default::default() };

        assert_eq!(reason(&theirs.appeal_priority(appeal).await.unwrap_err()), "PRIORITY_NOT_FOUND");
        assert_eq!(reason(&theirs.get_evidence(document).await.unwrap_err()), "EVIDENCE_NOT_FOUND");
        assert_eq!(reason(&theirs.list_pupil_priorities(list).await.unwrap_err()), "PUPIL_NOT_FOUND");
        let upload = UploadEvidenceRequest {
            request_id: scene.world.request_id(),
            pupil_id: scene.family.pupil_id.to_string(),
            content: DOCUMENT.to_vec(),
        };
        assert_eq!(reason(&theirs.upload_evidence(upload).await.unwrap_err()), "PUPIL_NOT_FOUND");
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c54_a_document_is_read_by_those_who_decide_and_every_reading_is_on_the_record() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let loose = scene.upload().await;
        let claimed = scene.claim("disabled").await;
        let used = claimed.evidence_ids[0].clone();
        let read = async |caller: &Caller, id: &str| {
            let request = GetEvidenceRequest { evidence_id: id.to_owned() };
            scene.as_caller(caller).get_evidence(request).await.map(|answer| answer.into_inner().content)
        };
        let elsewhere = crate::day::stage::staff_at(&scene.world, Role::Principal, {
            let mut path = scene.world.school.path.clone();
            path[2] = scene.world.school.class_id;
            path
        });

        assert_eq!(read(&scene.office, &used).await.unwrap(), DOCUMENT);
        assert_eq!(read(&guardian(&scene.family), &used).await.unwrap(), DOCUMENT);
        let unused = read(&scene.office, &loose).await.unwrap_err();
        assert_eq!(reason(&unused), "EVIDENCE_NOT_FOUND", "no claim uses it");
        assert_eq!(reason(&read(&elsewhere, &used).await.unwrap_err()), "EVIDENCE_NOT_FOUND");
        for role in [Role::ClassTeacher, Role::Instructor, Role::MoralEducation, Role::SchoolFinance] {
            let refused = read(&staff(&scene.world, role), &used).await.unwrap_err();
            assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED", "{role}");
        }

        let mut readers =
            store::evidence::readers(scene.world.db.read(), used.parse().unwrap()).await.unwrap();
        readers.sort_unstable();
        assert_eq!(readers, [guardian(&scene.family).key(), scene.office.key()]);
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn c54_what_a_family_showed_stands_in_no_event_no_row_in_clear_and_no_kept_answer() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let claimed = scene.claim("disabled").await;
        scene.decide(&scene.office, scene.refusal(&claimed.id, "SECRET-REASON")).await.unwrap();
        let appeal = AppealPriorityRequest {
            request_id: scene.world.request_id(),
            priority_id: claimed.id.clone(),
            reason: "SECRET-APPEAL".to_owned(),
            evidence_ids: Vec::new(),
        };
        scene.parent().appeal_priority(appeal).await.unwrap();
        let recorded =
            RecordPriorityRequest { reason: "SECRET-ROLL".to_owned(), ..scene.record("left_behind", "") };
        scene.as_caller(&scene.office).record_priority(recorded).await.unwrap();

        assert!(told::<message::Event>(&scene.world.db).await.is_empty(), "nobody is told of a priority");
        let db = scene.world.db.read();
        let mut looked = 0;
        for (table, column) in [
            ("evidence", "content"),
            ("priority", "reason"),
            ("priority", "appeal"),
            ("priority", "ground"),
            ("request", "answer"),
        ] {
            let sql = format!("select {column} as bytes from {table} where {column} is not null");
            for row in db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
            {
                let bytes: Vec<u8> = row.try_get("", "bytes").unwrap();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                assert!(!text.contains("SECRET"), "{table}.{column}: {text}");
                assert!(
                    !text.contains("disabled") && !text.contains("left_behind"),
                    "{table}.{column}: {text}"
                );
                looked += 1;
            }
        }
        assert!(looked >= 8, "looked at {looked} values");
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn bad_fields_are_named_together_and_documents_are_limited() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let fields = |status: &Status| {
            violations_of(status).list().iter().map(|one| one.field.clone()).collect::<Vec<_>>()
        };
        let claim = ClaimPriorityRequest {
            request_id: "x".to_owned(),
            pupil_id: "y".to_owned(),
            group_key: String::new(),
            evidence_ids: vec!["z".to_owned()],
        };
        let refused = scene.parent().claim_priority(claim).await.unwrap_err();
        assert_eq!(fields(&refused), ["request_id", "pupil_id", "group_key", "evidence_ids[0]"]);
        let upload = UploadEvidenceRequest {
            request_id: scene.world.request_id(),
            pupil_id: scene.family.pupil_id.to_string(),
            content: b"MZ".to_vec(),
        };
        assert_eq!(fields(&scene.parent().upload_evidence(upload).await.unwrap_err()), ["content"]);
        let claimed = scene.claim("disabled").await;
        let past = scene.approval(&claimed.id, "2026-09-01", "2026-08-31");
        let refused = scene.decide(&scene.office, past).await.unwrap_err();
        assert_eq!(fields(&refused), ["valid_to", "valid_to"]);
        let wordless = scene.decide(&scene.office, scene.refusal(&claimed.id, " ")).await.unwrap_err();
        assert_eq!(reason(&wordless), "REASON_REQUIRED");

        let none = scene.parent().claim_priority(scene.claiming("left_behind", Vec::new())).await;
        assert_eq!(reason(&none.unwrap_err()), "EVIDENCE_REQUIRED");
        let used = scene.claiming("left_behind", claimed.evidence_ids.clone());
        let used = scene.parent().claim_priority(used).await;
        assert_eq!(reason(&used.unwrap_err()), "EVIDENCE_REQUIRED", "a document proves one claim");
        for _ in 0..10 {
            scene.upload().await;
        }
        let eleventh = UploadEvidenceRequest {
            request_id: scene.world.request_id(),
            pupil_id: scene.family.pupil_id.to_string(),
            content: DOCUMENT.to_vec(),
        };
        let eleventh = scene.parent().upload_evidence(eleventh).await.unwrap_err();
        assert_eq!(reason(&eleventh), "EVIDENCE_TOO_MANY");
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_decides() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        for _ in 0..5 {
            let claimed = scene.claim("disabled").await;
            let approve =
                scene.decide(&scene.office, scene.approval(&claimed.id, "2026-09-01", "2027-01-22"));
            let refuse = scene.decide(&scene.principal, scene.refusal(&claimed.id, "看不清"));

            let (approved, refused) = tokio::join!(approve, refuse);

            assert_ne!(approved.is_ok(), refused.is_ok());
            let lost = approved.err().or(refused.err()).unwrap();
            assert_eq!(reason(&lost), "PRIORITY_DECIDED");
        }
        scene.world.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_school_s_list_names_its_pupils_and_another_school_s_is_not_found() {
    on_each(|world| async move {
        let scene = Scene::set(world, OPEN).await;
        let claimed = scene.claim("disabled").await;
        scene.as_caller(&scene.office).record_priority(scene.record("left_behind", "")).await.unwrap();
        let list = |pending_only| ListPrioritiesRequest {
            school_id: scene.world.school.id().to_string(),
            pending_only,
            ..Default::default()
        };
        let mut office = scene.as_caller(&scene.office);

        let all = office.list_priorities(list(false)).await.unwrap().into_inner().lines;
        let pending = office.list_priorities(list(true)).await.unwrap().into_inner().lines;

        assert_eq!(all.len(), 2);
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].priority.as_ref().unwrap().id, claimed.id);
        assert_eq!((pending[0].pupil_name.as_str(), pending[0].class_name.as_str()), ("李小明", "三年级1班"));
        let other = ListPrioritiesRequest { school_id: scene.world.request_id(), ..list(false) };
        assert_eq!(reason(&office.list_priorities(other).await.unwrap_err()), "SCHOOL_NOT_FOUND");
        scene.world.end().await;
    })
    .await;
}
