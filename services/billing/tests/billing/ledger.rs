//! The ledger: balanced, and never changed.

use proto::billing::v1 as pb;
use proto::billing::v1::tariff::Basis;
use shared::caller::Role;

use crate::world::{reason, zhuzhou};

#[tokio::test]
async fn c79_every_period_sums_to_zero_and_the_accounts_say_what_happened() {
    for world in zhuzhou().await {
        let section = world.section(&[(1, 15, 3)]).await;
        world.publish(Basis::ClassHour, 500).await;
        let (paying, leaving, expired, waived) =
            (world.family().await, world.family().await, world.family().await, world.family().await);
        crate::waiver::grant(&world, waived).await;
        let seat = world.hold(paying, section).await;
        world.pay_and_settle(seat).await;
        let seat = world.hold(leaving, section).await;
        world.pay_and_settle(seat).await;
        world.withdraw(seat).await;
        world.close(world.hold(expired, section).await).await.unwrap();
        world.hold(waived, section).await;
        world
            .until("the refund", || async {
                world.number("select count(*) from refund where state = 'succeeded'").await == Some(1)
            })
            .await;

        let request =
            pb::GetTrialBalanceRequest { district_id: world.district.to_string(), school_id: String::new() };
        let accounts = world
            .staff(6, Role::BureauFinance)
            .get_trial_balance(request)
            .await
            .unwrap()
            .into_inner()
            .accounts;

        let lines: Vec<_> = accounts
            .iter()
            .map(|account| (account.code.as_str(), account.debit_fen, account.credit_fen))
            .collect();
        assert_eq!(
            lines,
            [
                ("bank", 0, 0),
                ("fees", 8_000, 16_000),
                ("grant_receivable", 0, 0),
                ("grants", 0, 0),
                ("receivable", 12_000, 12_000),
                ("refund_payable", 4_000, 4_000),
                ("spending", 0, 0),
                ("staff_pay", 0, 0),
                ("surplus", 0, 0),
                ("waiver_subsidy", 4_000, 0),
                ("wechat_clearing", 8_000, 4_000),
            ]
        );
        assert_eq!(lines.iter().map(|(_, debit, credit)| debit - credit).sum::<i64>(), 0);
        world.sound().await;
    }
}

#[tokio::test]
async fn c79_entries_cannot_be_changed_or_taken_out() {
    for world in zhuzhou().await {
        let seat = crate::pay::held(&world).await;
        world.pay_and_settle(seat).await;
        for change in [
            "update posting set debit_fen = debit_fen + 1 where debit_fen > 0",
            "delete from posting",
            "update journal set kind = 'x'",
            "delete from journal",
        ] {
            assert!(world.try_execute(change).await.is_err(), "{change} on {}", world.db.kind());
        }
        world.sound().await;
    }
}

#[tokio::test]
async fn c79_the_check_finds_money_that_is_not_booked() {
    for world in zhuzhou().await {
        let seat = crate::pay::held(&world).await;
        world.pay_and_settle(seat).await;
        world.sound().await;

        world.execute("update payment set state = 'surplus'").await;

        let checked = billing::check(&world.db).await.unwrap();
        let broken: Vec<_> =
            checked.iter().filter(|one| !one.broken.is_empty()).map(|one| one.invariant).collect();
        assert!(broken.len() >= 3, "{broken:?}");
    }
}

#[tokio::test]
async fn a_school_sees_its_own_balances_and_not_the_districts() {
    for world in zhuzhou().await {
        world.heard().await;
        let mut school = world.staff(1, Role::SchoolFinance);
        let district_id = world.district.to_string();
        let own = pb::GetTrialBalanceRequest {
            district_id: district_id.clone(),
            school_id: world.school.to_string(),
        };
        assert_eq!(school.get_trial_balance(own).await.unwrap().into_inner().accounts.len(), 11);
        let all = pb::GetTrialBalanceRequest { district_id: district_id.clone(), school_id: String::new() };
        assert_eq!(reason(&school.get_trial_balance(all).await.unwrap_err()), "DISTRICT_NOT_FOUND");
        let other = pb::GetTrialBalanceRequest { district_id, school_id: world.request_id() };
        assert_eq!(reason(&school.get_trial_balance(other).await.unwrap_err()), "SCHOOL_NOT_FOUND");
    }
}
