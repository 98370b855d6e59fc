//! Public money, staff pay and spending.

use proto::billing::v1 as pb;
use proto::billing::v1::fund_entry::State;
use proto::billing::v1::grant::Kind;
use proto::billing::v1::pay_sheet::Line;
use proto::billing::v1::pay_sheet::line::Staffing;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{World, each, fact, jinhua, reason, zhuzhou};

/// Who proposes for the school, who decides there, and two at the bureau.
const FINANCE: (u128, Role) = (1, Role::SchoolFinance);
const PRINCIPAL: (u128, Role) = (2, Role::Principal);
const BUREAU: (u128, Role) = (3, Role::BureauFinance);
const BUREAU_TOO: (u128, Role) = (4, Role::BureauFinance);

type Who = (u128, Role);

impl World {
    fn grant(&self, kind: Kind, year: i32, given_fen: i64) -> pb::ProposeGrantRequest {
        pb::ProposeGrantRequest {
            request_id: self.request_id(),
            term_id: self.term.to_string(),
            kind: kind.into(),
            year,
            given_fen,
            document: if given_fen == 0 { String::new() } else { "核算〔2026〕1 号".to_owned() },
            ..pb::ProposeGrantRequest::default()
        }
    }

    async fn propose_grant(
        &self,
        who: Who,
        request: pb::ProposeGrantRequest,
    ) -> Result<pb::FundEntry, Status> {
        let answer = self.funds(who.0, who.1).propose_grant(request).await?;
        Ok(answer.into_inner().fund_entry.unwrap())
    }

    async fn spend(&self, purpose: &str, amount_fen: i64) -> Result<pb::FundEntry, Status> {
        let request = pb::ProposeSpendingRequest {
            request_id: self.request_id(),
            term_id: self.term.to_string(),
            purpose: purpose.to_owned(),
            payee: "某文具店".to_owned(),
            day: "2026-09-07".to_owned(),
            amount_fen,
            document: "凭证 1".to_owned(),
        };
        let answer = self.funds(FINANCE.0, FINANCE.1).propose_spending(request).await?;
        Ok(answer.into_inner().fund_entry.unwrap())
    }

    fn staff_sheet(&self, lines: Vec<Line>) -> pb::ProposePaySheetRequest {
        pb::ProposePaySheetRequest {
            request_id: self.request_id(),
            term_id: self.term.to_string(),
            month: "2026-09".to_owned(),
            lines,
            ..pb::ProposePaySheetRequest::default()
        }
    }

    async fn propose_pay(&self, request: pb::ProposePaySheetRequest) -> Result<pb::FundEntry, Status> {
        let answer = self.funds(FINANCE.0, FINANCE.1).propose_pay_sheet(request).await?;
        Ok(answer.into_inner().fund_entry.unwrap())
    }

    async fn decide(&self, who: Who, id: &str, approved: bool) -> Result<pb::FundEntry, Status> {
        let request = pb::DecideFundEntryRequest {
            request_id: self.request_id(),
            fund_entry_id: id.to_owned(),
            approved,
            reason: if approved { String::new() } else { "不符合".to_owned() },
        };
        Ok(self.funds(who.0, who.1).decide_fund_entry(request).await?.into_inner().fund_entry.unwrap())
    }

    async fn arrive(&self, who: Who, id: &str) -> Result<pb::FundEntry, Status> {
        let request = pb::ReceiveGrantRequest {
            request_id: self.request_id(),
            fund_entry_id: id.to_owned(),
            receipt_document: "回单 1".to_owned(),
        };
        Ok(self.funds(who.0, who.1).receive_grant(request).await?.into_inner().fund_entry.unwrap())
    }

    async fn take_back(&self, who: Who, id: &str) -> Result<pb::FundEntry, Status> {
        let request = pb::ReverseFundEntryRequest {
            request_id: self.request_id(),
            fund_entry_id: id.to_owned(),
            reason: "重复入账".to_owned(),
        };
        Ok(self.funds(who.0, who.1).reverse_fund_entry(request).await?.into_inner().fund_entry.unwrap())
    }

    async fn account(&self, account: &str) -> i64 {
        let sql = format!(
            "select cast(coalesce(sum(debit_fen - credit_fen), 0) as bigint) from posting where account = '{account}'"
        );
        self.number(&sql).await.unwrap_or(0)
    }
}

fn line(payee: &str, staffing: Staffing, class_hour_count: i32, rate_fen: i64) -> Line {
    Line { payee: payee.to_owned(), staffing: staffing.into(), class_hour_count, rate_fen, amount_fen: 0 }
}

fn amount(entry: &pb::FundEntry) -> i64 {
    match entry.content.as_ref().unwrap() {
        pb::fund_entry::Content::Grant(grant) => grant.amount_fen,
        pb::fund_entry::Content::Spending(spending) => spending.amount_fen,
        pb::fund_entry::Content::PaySheet(sheet) => sheet.amount_fen,
    }
}

/// 1,800,000 fen for 120 participants: here in small, by those who take part and not by those enrolled.
#[tokio::test]
async fn c69_money_by_the_participant_counts_confirmed_seats_and_nobody_twice() {
    for world in each("anhui_hefei", None).await {
        let section = world.section(&[(1, 15, 1)]).await;
        let (mut seats, mut families) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            families.push(world.family().await);
        }
        for family in &families[..3] {
            seats.push(world.confirm(*family, section).await);
        }
        // A second seat makes no second participant; a seat given back makes none.
        world.confirm(families[0], world.section(&[(2, 15, 1)]).await).await;
        world.withdraw(seats[2]).await;

        let entry = world.propose_grant(FINANCE, world.grant(Kind::Floor, 0, 0)).await.unwrap();

        let Some(pb::fund_entry::Content::Grant(grant)) = &entry.content else { panic!("{entry:?}") };
        assert_eq!((grant.participant_count, grant.enrolled_count, grant.amount_fen), (2, 4, 30_000));
        assert!(entry.clauses.iter().any(|clause| clause.key == "gov_floor_fen_per_participant_per_term"));
        let refused = world.propose_grant(FINANCE, world.grant(Kind::Floor, 0, 0)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "fund_entry_id")),
            ("GRANT_PROPOSED", entry.id)
        );
    }
}

#[tokio::test]
async fn c69_heads_nobody_has_named_are_silent_and_a_year_the_term_is_not_in_is_refused() {
    for world in each("guangdong_shenzhen", None).await {
        world.heard().await;
        let refused = world.propose_grant(FINANCE, world.grant(Kind::PerHead, 2026, 0)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "gov_head_count_basis")
        );

        for year in [0, 2025, 2027] {
            let refused =
                world.propose_grant(FINANCE, world.grant(Kind::PerHead, year, 0)).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::InvalidArgument, "INVALID_FIELDS"),
                "{year}"
            );
        }
        assert_eq!(world.number("select count(*) from fund_entry").await, Some(0));
    }
}

/// Matched on what parents paid, never on what was charged.
#[tokio::test]
async fn c70_a_matching_subsidy_is_thirty_percent_of_what_parents_paid() {
    for world in each("matched", None).await {
        let section = world.section(&[(1, 15, 1)]).await;
        world.publish(Basis::Term, 1_000).await;
        for _ in 0..2 {
            let family = world.family().await;
            let seat = world.hold(family, section).await;
            world.pay_and_settle(seat).await;
        }
        // Charged, and not paid.
        world.hold(world.family().await, section).await;

        let entry = world.propose_grant(BUREAU, world.grant(Kind::Matching, 0, 0)).await.unwrap();

        let Some(pb::fund_entry::Content::Grant(grant)) = &entry.content else { panic!("{entry:?}") };
        assert_eq!((grant.base_fen, grant.amount_fen), (2_000, 600));
    }
}

#[tokio::test]
async fn c71_what_fees_leave_open_of_the_cost_is_topped_up_and_never_below_zero() {
    for world in each("zhejiang_jiaojiang", None).await {
        let section = world.section(&[(1, 15, 1)]).await;
        world.publish(Basis::Term, 60_000).await;
        let seat = world.hold(world.family().await, section).await;
        world.pay_and_settle(seat).await;

        let refused =
            world.propose_grant(FINANCE, world.grant(Kind::Shortfall, 0, 60_000)).await.unwrap_err();
        assert_eq!(reason(&refused), "NOTHING_TO_GRANT");
        let entry = world.propose_grant(FINANCE, world.grant(Kind::Shortfall, 0, 70_000)).await.unwrap();

        assert_eq!(amount(&entry), 10_000);
        let mut unproven = world.grant(Kind::Shortfall, 0, 80_000);
        unproven.document = String::new();
        let refused = world.propose_grant(FINANCE, unproven).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn c71_a_subsidy_tied_to_evaluation_is_the_bureau_s_figure_and_no_formula_is_invented() {
    for world in each("anhui_hefei", None).await {
        world.heard().await;
        let entry = world.propose_grant(BUREAU, world.grant(Kind::Award, 0, 5_000)).await.unwrap();
        assert_eq!(amount(&entry), 5_000);
        assert!(entry.clauses.iter().any(|clause| clause.key == "gov_subsidy_tied_to_evaluation"));
    }
    for world in zhuzhou().await {
        world.heard().await;
        let refused = world.propose_grant(BUREAU, world.grant(Kind::Award, 0, 5_000)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "gov_subsidy_tied_to_evaluation")
        );
    }
}

#[tokio::test]
async fn c69_c79_a_grant_is_decided_by_another_person_and_its_money_is_booked_once() {
    for world in each("anhui_hefei", None).await {
        let section = world.section(&[(1, 15, 1)]).await;
        world.confirm(world.family().await, section).await;
        let entry = world.propose_grant(BUREAU, world.grant(Kind::Floor, 0, 0)).await.unwrap();

        let alone = world.decide(BUREAU, &entry.id, true).await.unwrap_err();
        assert_eq!(reason(&alone), "SECOND_PERSON_REQUIRED");
        let school = world.decide(PRINCIPAL, &entry.id, true).await.unwrap_err();
        assert_eq!(reason(&school), "ROLE_NOT_ALLOWED");
        let early = world.arrive(FINANCE, &entry.id).await.unwrap_err();
        assert_eq!(reason(&early), "FUND_ENTRY_DECIDED");
        assert_eq!(world.account("grants").await, 0);

        for _ in 0..2 {
            assert_eq!(world.decide(BUREAU_TOO, &entry.id, true).await.unwrap().state(), State::Approved);
        }
        assert_eq!(
            (world.account("grant_receivable").await, world.account("grants").await),
            (15_000, -15_000)
        );
        for _ in 0..2 {
            assert_eq!(world.arrive(FINANCE, &entry.id).await.unwrap().state(), State::Received);
        }
        assert_eq!((world.account("grant_receivable").await, world.account("bank").await), (0, 15_000));
        let late = world.take_back(BUREAU_TOO, &entry.id).await.unwrap_err();
        assert_eq!(reason(&late), "FUND_ENTRY_DECIDED");
        world.sound().await;
    }
}

#[tokio::test]
async fn c74_money_is_spent_on_what_the_region_lists_and_on_nothing_else() {
    for world in zhuzhou().await {
        world.heard().await;
        let refused = world.spend("宴请", 100).await.unwrap_err();
        assert_eq!(reason(&refused), "PURPOSE_NOT_ALLOWED");
        assert!(fact(&refused, "purposes").contains("耗材"), "{refused}");

        // By its name as by its key.
        for purpose in ["耗材", "consumables"] {
            let entry = world.spend(purpose, 100).await.unwrap();
            let Some(pb::fund_entry::Content::Spending(spending)) = &entry.content else {
                panic!("{entry:?}")
            };
            assert_eq!((spending.purpose.as_str(), spending.purpose_zh.as_str()), ("consumables", "耗材"));
            assert_eq!(world.decide(PRINCIPAL, &entry.id, true).await.unwrap().state(), State::Approved);
        }
        assert_eq!((world.account("spending").await, world.account("bank").await), (200, -200));
    }
    for world in each("hubei_hongan", None).await {
        world.heard().await;
        let refused = world.spend("耗材", 100).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "key").as_str()),
            ("POLICY_SILENT", "fund_use_allowed")
        );
    }
}

#[tokio::test]
async fn c74_c79_what_was_spent_by_mistake_is_taken_back_by_an_entry_of_the_other_sign() {
    for world in zhuzhou().await {
        world.heard().await;
        let entry = world.spend("consumables", 300).await.unwrap();
        world.decide(PRINCIPAL, &entry.id, true).await.unwrap();
        for _ in 0..2 {
            let back = world.take_back(PRINCIPAL, &entry.id).await.unwrap();
            assert_eq!((back.state(), back.reason.as_str()), (State::Reversed, "重复入账"));
        }
        assert_eq!((world.account("spending").await, world.account("bank").await), (0, 0));
        assert_eq!(world.number("select count(*) from journal").await, Some(2));
        let again = world.decide(PRINCIPAL, &entry.id, true).await.unwrap_err();
        assert_eq!(reason(&again), "FUND_ENTRY_DECIDED");
        world.sound().await;
    }
}

/// 40 class hours are 320,000 fen; from outside up to 20,000 an hour.
#[tokio::test]
async fn c72_staff_are_paid_the_stated_rate_by_the_class_hour_and_outsiders_up_to_theirs() {
    let most = 20_000;
    for world in each("zhejiang_jiaojiang", None).await {
        world.heard().await;
        let sheet = world.staff_sheet(vec![
            line("T01", Staffing::Internal, 40, 0),
            line("外聘 1", Staffing::External, 2, most),
        ]);
        let entry = world.propose_pay(sheet).await.unwrap();
        let Some(pb::fund_entry::Content::PaySheet(sheet)) = &entry.content else { panic!("{entry:?}") };
        let pay: Vec<_> = sheet.lines.iter().map(|line| (line.rate_fen, line.amount_fen)).collect();
        assert_eq!(pay, [(8_000, 320_000), (most, 2 * most)]);
        assert_eq!(sheet.amount_fen, 360_000);

        for (asked, refusal) in [
            (line("外聘 2", Staffing::External, 1, most + 1), "CEILING_EXCEEDED"),
            (line("外聘 2", Staffing::External, 1, 0), "RATE_REQUIRED"),
            (line("T02", Staffing::Internal, 1, 8_001), "FEE_NOT_AS_STATED"),
        ] {
            let refused = world.propose_pay(world.staff_sheet(vec![asked])).await.unwrap_err();
            assert_eq!(reason(&refused), refusal);
        }
        let twice = vec![line("T01", Staffing::Internal, 1, 0), line("T01", Staffing::Internal, 1, 0)];
        assert_eq!(reason(&world.propose_pay(world.staff_sheet(twice)).await.unwrap_err()), "INVALID_FIELDS");
        world.decide(PRINCIPAL, &entry.id, true).await.unwrap();
        assert_eq!(world.account("staff_pay").await, 360_000);
    }
}

/// All of the fees go to staff: the last sheet meets them to the fen, and none goes above.
#[tokio::test]
async fn c73_where_all_fees_go_to_staff_the_sheets_come_to_the_fees_to_the_fen() {
    for world in jinhua().await {
        let section = world.section(&[(1, 15, 1)]).await;
        world.publish(Basis::Term, 50_000).await;
        let seat = world.hold(world.family().await, section).await;
        world.pay_and_settle(seat).await;
        let sheet = |amount_fen, is_last| pb::ProposePaySheetRequest {
            is_last,
            ..world.staff_sheet(vec![Line { amount_fen, ..line("T01", Staffing::Internal, 3, 0) }])
        };

        let refused = world.propose_pay(sheet(50_001, false)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "due_fen").as_str()),
            ("PAY_OUT_NOT_THE_SHARE", "50000")
        );
        let first = world.propose_pay(sheet(30_000, false)).await.unwrap();
        // Each alone is below the fees; together they are above.
        let second = world.propose_pay(sheet(30_000, false)).await.unwrap();
        world.decide(PRINCIPAL, &first.id, true).await.unwrap();
        let refused = world.decide(PRINCIPAL, &second.id, true).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "planned_fen").as_str()),
            ("PAY_OUT_NOT_THE_SHARE", "60000")
        );

        let short = world.propose_pay(sheet(19_999, true)).await.unwrap_err();
        assert_eq!(reason(&short), "PAY_OUT_NOT_THE_SHARE");
        let last = world.propose_pay(sheet(20_000, true)).await.unwrap();
        world.decide(PRINCIPAL, &last.id, true).await.unwrap();
        assert_eq!(world.account("staff_pay").await, 50_000);
    }
}

/// A guidance line of 100 caps the total at 110.
#[tokio::test]
async fn c73_the_performance_total_is_capped_by_the_guidance_line() {
    for world in each("capped_pay", None).await {
        world.heard().await;
        let sheet = |performance_total_fen, guidance_fen| pb::ProposePaySheetRequest {
            performance_total_fen,
            guidance_fen,
            ..world.staff_sheet(vec![Line { amount_fen: 10, ..line("T01", Staffing::Internal, 1, 0) }])
        };
        assert_eq!(reason(&world.propose_pay(sheet(0, 0)).await.unwrap_err()), "GUIDANCE_REQUIRED");
        let refused = world.propose_pay(sheet(111, 100)).await.unwrap_err();
        assert_eq!(
            (reason(&refused).as_str(), fact(&refused, "limit_fen").as_str()),
            ("CEILING_EXCEEDED", "110")
        );
        world.propose_pay(sheet(110, 100)).await.unwrap();
    }
}

#[tokio::test]
async fn every_command_sent_twice_does_it_once_and_another_school_s_record_is_not_found() {
    for world in zhuzhou().await {
        world.heard().await;
        let request = pb::ProposeSpendingRequest {
            request_id: world.request_id(),
            term_id: world.term.to_string(),
            purpose: "consumables".to_owned(),
            payee: "某文具店".to_owned(),
            day: "2026-09-07".to_owned(),
            amount_fen: 100,
            document: "凭证 1".to_owned(),
        };
        let mut client = world.funds(FINANCE.0, FINANCE.1);
        let first = client.propose_spending(request.clone()).await.unwrap().into_inner();
        let second = client.propose_spending(request.clone()).await.unwrap().into_inner();
        assert_eq!(first, second);
        let other = pb::ProposeSpendingRequest { amount_fen: 101, ..request };
        assert_eq!(reason(&client.propose_spending(other).await.unwrap_err()), "REQUEST_ID_REUSED");

        let unknown = world.decide(PRINCIPAL, &Uuid::from_u128(9).to_string(), true).await.unwrap_err();
        assert_eq!(reason(&unknown), "FUND_ENTRY_NOT_FOUND");
        let request = pb::ListFundEntriesRequest { term_id: world.term.to_string(), ..Default::default() };
        let listed = client.list_fund_entries(request.clone()).await.unwrap().into_inner();
        assert_eq!(listed.fund_entries, [first.fund_entry.unwrap()]);
        let elsewhere = world.funds_elsewhere().list_fund_entries(request).await.unwrap_err();
        assert_eq!(reason(&elsewhere), "TERM_NOT_FOUND");
    }
}

#[tokio::test]
async fn c74_the_rules_of_a_region_are_told_with_their_sources() {
    for world in each("zhejiang_jiaojiang", None).await {
        world.heard().await;
        let request = pb::GetFundRulesRequest { term_id: world.term.to_string() };
        let rules = world.funds(FINANCE.0, FINANCE.1).get_fund_rules(request).await.unwrap().into_inner();
        assert_eq!(rules.grant_kinds().collect::<Vec<_>>(), [Kind::Shortfall]);
        assert_eq!(rules.purposes.len(), 4);
        assert!(rules.clauses.iter().all(|clause| !clause.source.is_empty()));
    }
}

/// Two waived families cannot be told from the sums; a third makes them a number.
#[tokio::test]
async fn c105_a_term_s_sums_withhold_what_few_are_waived() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 1)]).await;
        world.publish(Basis::ClassHour, 500).await;
        let seat = world.hold(world.family().await, section).await;
        world.pay_and_settle(seat).await;
        let spent = world.spend("consumables", 300).await.unwrap();
        world.decide(PRINCIPAL, &spent.id, true).await.unwrap();
        world.spend("consumables", 400).await.unwrap();
        let request = pb::GetDisclosureRequest { term_id: world.term.to_string() };
        let sums = async || {
            let mut client = world.funds(BUREAU.0, BUREAU.1);
            client.get_disclosure(request.clone()).await.unwrap().into_inner()
        };
        let first = sums().await;
        assert!(!first.waived_withheld && first.charged_fen == first.paid_fen && first.paid_fen > 0);

        for waived in 1..=3 {
            let family = world.family().await;
            crate::waiver::grant(&world, family).await;
            let seat = world.hold(family, section).await;
            world.settled(seat).await;
            let now = sums().await;
            assert_eq!((now.paid_fen, now.refunded_fen), (first.paid_fen, 0));
            if waived < 3 {
                let shown = (now.waived_withheld, now.waived_fen, now.waived_pupil_count, now.charged_fen);
                assert_eq!(shown, (true, 0, 0, 0), "{waived}");
            } else {
                let shown = (now.waived_withheld, now.waived_fen, now.waived_pupil_count, now.charged_fen);
                assert_eq!(shown, (false, 3 * first.paid_fen, 3, 4 * first.paid_fen));
            }
        }
        let spent: Vec<_> = first.spent.iter().map(|one| (one.purpose.as_str(), one.amount_fen)).collect();
        assert_eq!(spent, [("consumables", 300)]);
    }
}
