use policy::funds::{self, UseRefusal};
use policy::staff::{self, StaffRefusal, Staffing};

use crate::support::{fen, made_of, region};

#[test]
fn c72_school_staff_get_the_stated_rate_and_no_other() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    for asked in [None, Some(fen(8_000))] {
        let pay = staff::pay(&jiaojiang, Staffing::Internal, 40, asked).expect("pay");
        assert_eq!((pay.rate, pay.amount), (fen(8_000), fen(320_000)));
    }
    for asked in [7_999, 8_001] {
        let refusal = staff::pay(&jiaojiang, Staffing::Internal, 1, Some(fen(asked))).unwrap_err();
        assert!(matches!(refusal, StaffRefusal::NotTheStatedRate { stated, .. } if stated == fen(8_000)));
    }
}

#[test]
fn c72_outside_staff_get_any_rate_up_to_the_ceiling() {
    let jiaojiang = region("zhejiang_jiaojiang", None);
    let pay = staff::pay(&jiaojiang, Staffing::External, 2, Some(fen(20_000))).expect("pay");
    assert_eq!(pay.amount, fen(40_000));
    let over = staff::pay(&jiaojiang, Staffing::External, 1, Some(fen(20_001))).unwrap_err();
    assert!(
        matches!(over, StaffRefusal::AboveCeiling { limit, asked, .. } if (limit, asked) == (fen(20_000), fen(20_001)))
    );
    let none = staff::pay(&jiaojiang, Staffing::External, 1, None).unwrap_err();
    assert!(matches!(none, StaffRefusal::RateMissing { .. }));
    let negative = staff::pay(&jiaojiang, Staffing::External, 1, Some(fen(-1))).unwrap_err();
    assert_eq!(negative, StaffRefusal::Negative { amount: fen(-1) });
}

#[test]
fn c72_a_region_that_names_what_counts_but_no_rate_is_silent() {
    let liaoning = region("liaoning", None);
    for staffing in [Staffing::Internal, Staffing::External] {
        assert!(matches!(staff::pay(&liaoning, staffing, 1, Some(fen(1))), Err(StaffRefusal::Silent(_))));
    }
}

#[test]
fn c73_jinhua_pays_out_all_it_collects_and_not_a_fen_less() {
    let jinhua = region("zhejiang_jinhua", None);
    assert!(staff::pay_out(&jinhua, fen(10_000_000), fen(10_000_000)).is_ok());
    for planned in [9_999_999, 10_000_001] {
        let refusal = staff::pay_out(&jinhua, fen(10_000_000), fen(planned)).unwrap_err();
        assert!(matches!(refusal, StaffRefusal::NotTheShare { due, .. } if due == fen(10_000_000)));
    }
    assert!(matches!(staff::pay_out(&region("hebei", None), fen(1), fen(1)), Err(StaffRefusal::Silent(_))));
}

#[test]
fn c73_a_share_with_a_fraction_of_a_fen_is_met_on_either_side() {
    let third = made_of(&[("staff.fees_to_staff_bp", "3333", "exact")]);
    // 101 × 33.33% = 33.6633
    let cases = [(32, false), (33, true), (34, true), (35, false)];
    for (planned, is_met) in cases {
        assert_eq!(staff::pay_out(&third, fen(101), fen(planned)).is_ok(), is_met, "{planned}");
    }
    assert!(matches!(staff::pay_out(&third, fen(-1), fen(0)), Err(StaffRefusal::Negative { .. })));
}

#[test]
fn c73_hebei_the_total_is_at_most_eleven_tenths_of_the_guidance_line() {
    let hebei = region("hebei", None);
    let most = |guidance| staff::performance_cap(&hebei, fen(guidance)).expect("a cap").most.get();
    assert_eq!([most(100), most(0), most(1), most(9)], [110, 0, 1, 9]);
    assert!(matches!(staff::performance_cap(&hebei, fen(-1)), Err(StaffRefusal::Negative { .. })));
    assert!(matches!(staff::performance_cap(&hebei, fen(i64::MAX)), Err(StaffRefusal::Fen(_))));
}

#[test]
fn c74_money_goes_to_the_purposes_the_region_names() {
    let zhuzhou = region("hunan_zhuzhou", None);
    for purpose in ["staff_subsidy", "equipment", "consumables"] {
        assert_eq!(funds::check_use(&zhuzhou, purpose).expect("allowed").key, "fund_use_allowed");
    }
    let refusal = funds::check_use(&zhuzhou, "banquet").unwrap_err();
    assert!(matches!(refusal, UseRefusal::NotAllowed { purpose, .. } if purpose == "banquet"));
    assert!(matches!(funds::check_use(&region("hebei", None), "equipment"), Err(UseRefusal::Silent(_))));
}
