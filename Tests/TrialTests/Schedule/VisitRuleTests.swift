import Testing
import Trial

/// Days that a rule counts (Protocols/trial-plan.md, "Visit schedule").
struct VisitRuleTests {
    private func date(_ text: String) throws -> CalendarDate { try #require(CalendarDate(text)) }

    @Test(arguments: ["2026-03-29", "2026-10-25", "2024-02-29", "2026-12-31"])
    func `no day is lost or doubled when summer time begins or ends, nor at a month's or year's end`(around: String)
        throws
    {
        let day = try date(around)
        let rule = VisitRule(
            event: "SE", anchor: .status(.included), dueAfterDays: 1,
            repetition: VisitRepetition(everyDays: 1, occurrences: 14, dateItem: "IT"))
        let anchor = day.adding(days: -7)
        let due = (1...14).map { rule.due($0, after: anchor) }
        #expect(Set(due).count == 14)
        #expect(due[6] == day)
        for (one, next) in zip(due, due.dropFirst()) { #expect(next.dayNumber == one.dayNumber + 1) }
        for (index, one) in due.enumerated() {
            #expect(rule.occurrence(holding: one, after: anchor) == index + 1)
            #expect(rule.window(around: one) == one...one)
        }
        #expect(rule.occurrence(holding: anchor, after: anchor) == nil)
        #expect(rule.occurrence(holding: anchor.adding(days: 15), after: anchor) == nil)
    }

    @Test func `an occurrence six weeks after is on the same day of the week`() throws {
        var day = try date("2025-01-01")
        let rule = VisitRule(event: "SE", anchor: .status(.included), dueAfterDays: 42)
        for _ in 0..<730 {
            #expect((rule.due(1, after: day).dayNumber - day.dayNumber) == 42)
            day = day.adding(days: 1)
        }
    }

    @Test func `a day belongs to the occurrence that looking at all of them finds`() throws {
        var random = SplitMix64(seed: 3)
        let anchor = try date("2026-03-01")
        for _ in 0..<2_000 {
            let repeats = Bool.random(using: &random)
            let rule = VisitRule(
                event: "SE", anchor: .status(.included), dueAfterDays: Int.random(in: -10...40, using: &random),
                daysBefore: Int.random(in: 0...6, using: &random), daysAfter: Int.random(in: 0...6, using: &random),
                repetition: repeats
                    ? VisitRepetition(
                        everyDays: Int.random(in: 1...9, using: &random),
                        occurrences: Int.random(in: 1...12, using: &random), dateItem: "IT") : nil)
            let day = anchor.adding(days: Int.random(in: -30...160, using: &random))
            let all = (1...rule.occurrences).map { (number: $0, due: rule.due($0, after: anchor)) }
            func nearest(_ some: [(number: Int, due: CalendarDate)]) -> Int? {
                let least = some.map { abs($0.due.dayNumber - day.dayNumber) }.min()
                return some.first { abs($0.due.dayNumber - day.dayNumber) == least }?.number
            }
            let holding = nearest(all.filter { rule.window(around: $0.due).contains(day) })
            #expect(rule.occurrence(holding: day, after: anchor) == holding)
            #expect(rule.occurrence(closestTo: day, after: anchor) == holding ?? nearest(all))
        }
    }

    @Test(arguments: [
        ("2026-03-29", "2026-03-29", "2026-03-29"), ("2026-03-29T23:59:00-11:00", "2026-03-29", "2026-03-29"),
        ("2026-03", nil, "2026-03-01"), ("2026", nil, "2026-01-01"), ("", nil, nil), ("2026-02-30", nil, nil),
        ("2026-03-29x", nil, nil), ("--03-29", nil, nil), ("2026-3", nil, nil),
    ]) func `a day is read as written, and a part of one as the earliest it may mean`(
        text: String, day: String?, earliest: String?
    ) {
        #expect(CalendarDate(day: text)?.description == day)
        #expect(CalendarDate(earliest: text)?.description == earliest)
    }
}
