/// A day of the Gregorian calendar between 0001-01-01 and 9999-12-31.
public struct CalendarDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 1…9999.
    public let year: Int
    /// 1…12.
    public let month: Int
    /// 1…31.
    public let day: Int

    /// Nil where there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...CalendarDate.dayCount(year: year, month: month)).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// Reads exactly `YYYY-MM-DD`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        var scanner = ISO8601Scanner(text)
        guard let date = scanner.date(), scanner.isAtEnd else { return nil }
        self = date
    }

    /// The number of days in a month.
    public static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: (year.isMultiple(of: 4) && !year.isMultiple(of: 100)) || year.isMultiple(of: 400) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01; negative before.
    public var dayNumber: Int {
        CalendarDate.daysBefore(year: year) + CalendarDate.daysBefore(month: month, in: year) + day - 1
            - CalendarDate.daysBefore(year: 1970)
    }

    /// The day so many days after 1970-01-01; the nearest day that exists where that is beyond the calendar.
    public init(dayNumber: Int) {
        let last = CalendarDate.daysBefore(year: 10_000) - 1
        let bounded = dayNumber.addingReportingOverflow(CalendarDate.daysBefore(year: 1970))
        var rest = bounded.overflow ? (dayNumber > 0 ? last : 0) : min(max(bounded.partialValue, 0), last)
        var year = rest / 366 + 1
        while CalendarDate.daysBefore(year: year + 1) <= rest { year += 1 }
        rest -= CalendarDate.daysBefore(year: year)
        var month = 1
        while month < 12 && CalendarDate.daysBefore(month: month + 1, in: year) <= rest { month += 1 }
        self.year = year
        self.month = month
        self.day = rest - CalendarDate.daysBefore(month: month, in: year) + 1
    }

    /// The day so many days later, or earlier for a negative number; the nearest day that exists beyond the calendar.
    public func adding(days: Int) -> CalendarDate {
        let sum = dayNumber.addingReportingOverflow(days)
        return CalendarDate(dayNumber: sum.overflow ? (days > 0 ? Int.max : Int.min) : sum.partialValue)
    }

    /// `YYYY-MM-DD`.
    public var description: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(width - text.count, 0)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// Earlier days are less.
    public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    /// Days from 0001-01-01 to the first of January of `year`.
    private static func daysBefore(year: Int) -> Int {
        let past = year - 1
        return past * 365 + past / 4 - past / 100 + past / 400
    }

    private static func daysBefore(month: Int, in year: Int) -> Int {
        (1..<month).reduce(0) { $0 + dayCount(year: year, month: $1) }
    }
}
