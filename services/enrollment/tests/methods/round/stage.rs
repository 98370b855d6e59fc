//! A drawn round, families with wishes, and words to ask with.

use chrono::TimeDelta;
use draw::{Bundle, Hash, Receipt, Root};
use proto::enrollment::v1::agreement_service_client::AgreementServiceClient;
use proto::enrollment::v1::round_service_client::RoundServiceClient;
use proto::enrollment::v1::{
    CancelRoundRequest, ClearWishesRequest, Draw, DrawRoundRequest, Enrollment, EnterValuesRequest,
    ExtendRoundRequest, GetDrawBundleRequest, GetDrawReceiptRequest, GetDrawReceiptResponse, GetDrawRequest,
    GetWishesRequest, ListPupilEnrollmentsRequest, ListRoundsRequest, OpenRoundRequest,
    PublishAgreementRequest, RepeatDrawRequest, Round, SeedSource, SetWishesRequest, WishList, Wishes,
    draw as act, round, seed_source,
};
use shared::caller::{Caller, Grant, NodePath, Role, StaffMember};
use shared::client::Link;
use shared::random;
use shared::value::{Id, Moment, Section, Term};
use tonic::Status;

use crate::support::{Family, Menu, World, eventually, guardian, reason, time};

/// Digits a beacon of 40 decimal digits announced.
pub const DIGITS: &str = "0123456789 0123456789 0123456789 0123456789";

pub struct Stage {
    pub world: World,
    pub term_id: Id<Term>,
    pub round_id: String,
    pub sections: Vec<Id<Section>>,
    pub families: Vec<Family>,
    pub closes_at: Moment,
}

/// 40 decimal digits announced in public.
pub fn beacon() -> SeedSource {
    SeedSource {
        name: "公证摇号".to_owned(),
        what: "9 月 5 日 10 时公证处当众摇出的 40 个数字".to_owned(),
        bits: 128,
        kind: Some(seed_source::Kind::DecimalDigitCount(40)),
    }
}

pub fn list(sections: &[Id<Section>]) -> WishList {
    WishList {
        ranked_section_ids: sections.iter().map(ToString::to_string).collect(),
        any_of_section_ids: Vec::new(),
        stand_in_line: None,
    }
}

/// How long a round is open: shorter than a token holds, so that whoever asked before the closing can ask after it.
pub const OPEN_FOR: TimeDelta = TimeDelta::minutes(4);

/// A ranked round from now on.
pub fn opening(world: &World, term_id: Id<Term>) -> OpenRoundRequest {
    OpenRoundRequest {
        request_id: world.request_id(),
        term_id: term_id.to_string(),
        mode: round::Mode::Ranked.into(),
        open_time: Some(time(world.now())),
        close_time: Some(time(world.now() + OPEN_FOR)),
        sources: vec![beacon()],
        ..OpenRoundRequest::default()
    }
}

/// A section of `capacity_count` on a weekday, an hour from 16:00.
pub fn on(weekday: i32, capacity_count: i32) -> Menu {
    Menu { weekday, capacity_count, ..Menu::default() }
}

pub fn staff(world: &World, role: Role) -> Caller {
    let grants = vec![Grant { role, path: NodePath::new(world.school.path.clone()) }];
    Caller::Staff(StaffMember { id: random::id(world.now()), grants })
}

/// Where the region asks for an agreement, no round opens without one.
async fn publish_agreement(world: &World, term_id: Id<Term>) {
    let request = PublishAgreementRequest {
        request_id: world.request_id(),
        term_id: term_id.to_string(),
        title: "自愿服务协议书".to_owned(),
        body: "一、自愿参加。".to_owned(),
    };
    let link = world.link(&staff(world, Role::Principal));
    if let Err(refusal) = AgreementServiceClient::new(link).publish_agreement(request).await {
        assert_eq!(reason(&refusal), "AGREEMENT_NOT_REQUIRED");
    }
}

impl Stage {
    /// A round of `pack` over sections of these kinds, open, with so many families.
    pub async fn open(world: World, pack: &str, menus: &[Menu], family_count: usize) -> Self {
        Self::open_as(world, pack, menus, family_count, |request| request).await
    }

    pub async fn open_as(
        world: World,
        pack: &str,
        menus: &[Menu],
        family_count: usize,
        change: impl Fn(OpenRoundRequest) -> OpenRoundRequest,
    ) -> Self {
        let term_id = world.term(pack).await;
        let mut sections = Vec::new();
        for menu in menus {
            sections.push(world.section(term_id, menu.clone()).await);
        }
        publish_agreement(&world, term_id).await;
        let families = world.families(family_count).await;
        let request = change(opening(&world, term_id));
        let opened = world.staff(Role::Principal).open_round(request).await.unwrap().into_inner();
        let closes_at = world.now() + OPEN_FOR;
        let round_id = opened.round.unwrap().id;
        Self { world, term_id, round_id, sections, families, closes_at }
    }

    pub fn as_staff(&self, role: Role) -> RoundServiceClient<Link> {
        RoundServiceClient::new(self.world.link(&staff(&self.world, role)))
    }

    pub fn parent(&self, at: usize) -> RoundServiceClient<Link> {
        RoundServiceClient::new(self.world.link(&guardian(&self.families[at])))
    }

    pub fn pupil(&self, at: usize) -> String {
        self.families[at].pupil_id.to_string()
    }

    pub fn wishing(&self, at: usize, lists: &[&[usize]]) -> SetWishesRequest {
        let ids = |list: &&[usize]| list.iter().map(|at| self.sections[*at]).collect::<Vec<_>>();
        SetWishesRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            pupil_id: self.pupil(at),
            lists: lists.iter().map(|one| list(&ids(one))).collect(),
            together: false,
        }
    }

    pub async fn try_wish(&self, at: usize, lists: &[&[usize]]) -> Result<Wishes, Status> {
        let answer = self.parent(at).set_wishes(self.wishing(at, lists)).await?;
        Ok(answer.into_inner().wishes.unwrap())
    }

    pub async fn wish(&self, at: usize, lists: &[&[usize]]) -> Wishes {
        self.try_wish(at, lists).await.unwrap()
    }

    pub async fn wishes(&self, at: usize) -> Wishes {
        let request = GetWishesRequest { round_id: self.round_id.clone(), pupil_id: self.pupil(at) };
        self.parent(at).get_wishes(request).await.unwrap().into_inner().wishes.unwrap()
    }

    pub fn clearing(&self, at: usize) -> ClearWishesRequest {
        ClearWishesRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            pupil_id: self.pupil(at),
        }
    }

    pub async fn draw(&self, act: i32) -> Draw {
        let request = GetDrawRequest { round_id: self.round_id.clone(), act };
        let link = self.world.anyone_link();
        let mut anyone = RoundServiceClient::new(link);
        anyone.get_draw(request).await.unwrap().into_inner().draw.unwrap()
    }

    pub async fn round(&self) -> Round {
        let request = ListRoundsRequest { term_id: self.term_id.to_string() };
        let rounds = self.world.anyone().list_rounds(request).await.unwrap().into_inner().rounds;
        rounds.into_iter().find(|round| round.id == self.round_id).unwrap()
    }

    /// Lets the round's time run out, and waits for the job that closes its lists.
    pub async fn close(&self) -> Draw {
        self.world.clock.set(self.closes_at);
        eventually("the lists to be closed", async || {
            let draw = self.draw(0).await;
            (draw.state() == act::State::Committed).then_some(draw)
        })
        .await
    }

    pub fn entering(&self, values: &[&str]) -> EnterValuesRequest {
        EnterValuesRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    pub fn drawing(&self) -> DrawRoundRequest {
        DrawRoundRequest { request_id: self.world.request_id(), round_id: self.round_id.clone() }
    }

    /// Closes, enters the beacon's digits, draws.
    pub async fn draw_all(&self) -> Draw {
        self.close().await;
        self.enter_and_draw().await
    }

    pub async fn enter_and_draw(&self) -> Draw {
        let mut office = self.as_staff(Role::TeachingOffice);
        office.enter_values(self.entering(&[DIGITS])).await.unwrap();
        office.draw_round(self.drawing()).await.unwrap().into_inner().draw.unwrap()
    }

    pub async fn repeat(&self) -> Draw {
        let request = RepeatDrawRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            reason: "号码公布有误".to_owned(),
            sources: vec![beacon()],
        };
        let answer = self.as_staff(Role::Principal).repeat_draw(request).await.unwrap();
        answer.into_inner().draw.unwrap()
    }

    pub async fn receipt(&self, at: usize, act: i32) -> (Receipt, GetDrawReceiptResponse) {
        let request =
            GetDrawReceiptRequest { round_id: self.round_id.clone(), act, pupil_id: self.pupil(at) };
        let answer = self.parent(at).get_draw_receipt(request).await.unwrap().into_inner();
        (serde_json::from_str(&answer.receipt_json).unwrap(), answer)
    }

    /// The document of an act.
    pub async fn bundle(&self, act: i32) -> String {
        let request = GetDrawBundleRequest { round_id: self.round_id.clone(), act };
        let answer = self.as_staff(Role::Inspector).get_draw_bundle(request).await.unwrap();
        String::from_utf8(answer.into_inner().content).unwrap()
    }

    /// Whether the act's document is true by itself and under the root that was published, for both verifiers.
    pub async fn assert_true(&self, act: i32) -> Bundle {
        let draw = self.draw(act).await;
        let text = self.bundle(act).await;
        let bundle: Bundle = serde_json::from_str(&text).unwrap();

        let report = draw::verify(&bundle).unwrap();
        assert_eq!(report.root.hash().to_string(), draw.root);
        assert_eq!(report.outcome_digest.to_string(), draw.outcome_digest);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/draw/verify.py");
        let checked = std::process::Command::new("python3")
            .args([verifier, file.path().to_str().unwrap(), "--root", &draw.root])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && said.contains("true"), "{said}");
        bundle
    }

    /// Every receipt is good under the published root, and only for its own pupil.
    pub async fn assert_receipts(&self, act: i32) {
        let root = Root::new(self.draw(act).await.root.parse::<Hash>().unwrap());
        for at in 0..self.families.len() {
            let (receipt, _) = self.receipt(at, act).await;
            let own = self.families[at].pupil_id.uuid();
            assert_eq!(receipt.check(&root, own.as_bytes()), Ok(()));
            let other = self.families[(at + 1) % self.families.len()].pupil_id.uuid();
            assert!(receipt.check(&root, other.as_bytes()).is_err());
        }
    }

    /// What a family has, newest first.
    pub async fn enrollments(&self, at: usize) -> Vec<Enrollment> {
        let request = ListPupilEnrollmentsRequest { pupil_id: self.pupil(at), ..Default::default() };
        let answer = self.world.guardian(&self.families[at]).list_pupil_enrollments(request).await;
        answer.unwrap().into_inner().enrollments
    }

    pub fn extending(&self, hours: i64) -> ExtendRoundRequest {
        ExtendRoundRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            close_time: Some(time(self.closes_at + TimeDelta::hours(hours))),
            reason: "系统繁忙".to_owned(),
        }
    }

    pub fn cancelling(&self) -> CancelRoundRequest {
        CancelRoundRequest {
            request_id: self.world.request_id(),
            round_id: self.round_id.clone(),
            reason: "课程调整".to_owned(),
        }
    }

    /// The names of the events told of the round, in order.
    pub async fn told(&self) -> Vec<String> {
        self.world.told(&self.round_id).await
    }
}
