/// Reads dates, times and lengths of time from text, piece by piece (ISO 8601, XML Schema part 2, ODM 1.3.2 datatypes).
///
/// Every function leaves the position after what it read, or anywhere where it returns nil or false: a caller that has
/// alternatives copies the scanner before.
struct ISO8601Scanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) {
        bytes = [UInt8](text.utf8)
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { position == bytes.count }

    /// The next byte, not taken.
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Takes one character if it comes next.
    mutating func take(_ character: Character) -> Bool {
        guard let byte = character.asciiValue, next == byte else { return false }
        position += 1
        return true
    }

    /// Exactly `count` digits as a number.
    mutating func number(digits count: Int) -> Int? {
        guard bytes.count - position >= count else { return nil }
        var value = 0
        for byte in bytes[position..<position + count] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        position += count
        return value
    }

    /// One to `most` digits; false where there is none or there are more.
    mutating func someDigits(atMost most: Int) -> Bool {
        var count = 0
        while let byte = next, (0x30...0x39).contains(byte) {
            position += 1
            count += 1
        }
        return (1...most).contains(count)
    }

    /// Exactly two digits within `range`.
    mutating func twoDigits(in range: ClosedRange<Int>) -> Bool {
        guard let value = number(digits: 2) else { return false }
        return range.contains(value)
    }

    /// `YYYY-MM-DD` of the calendar.
    mutating func date() -> CalendarDate? {
        guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
            let day = number(digits: 2)
        else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; says whether the day was there.
    mutating func partialDate() -> (isFull: Bool, isWellFormed: Bool) {
        guard let year = number(digits: 4), year > 0 else { return (false, false) }
        guard take("-") else { return (false, true) }
        guard let month = number(digits: 2), (1...12).contains(month) else { return (false, false) }
        guard take("-") else { return (false, true) }
        guard let day = number(digits: 2) else { return (false, false) }
        return (true, CalendarDate(year: year, month: month, day: day) != nil)
    }

    /// A time zone where one is: `Z` or `±hh:mm`; false where what stands there is broken.
    mutating func optionalTimeZone() -> Bool {
        if take("Z") { return true }
        guard next == 0x2B || next == 0x2D else { return true }
        position += 1
        guard let hours = number(digits: 2), take(":"), let minutes = number(digits: 2) else { return false }
        return hours <= 14 && minutes <= 59
    }

    /// `:ss` with an optional fraction, after the minutes.
    private mutating func secondsWithFraction() -> Bool {
        guard twoDigits(in: 0...59) else { return false }
        return take(".") ? someDigits(atMost: 12) : true
    }

    /// `hh:mm:ss` with optional fraction, no time zone.
    mutating func fullTime() -> Bool {
        twoDigits(in: 0...23) && take(":") && twoDigits(in: 0...59) && take(":") && secondsWithFraction()
    }

    /// `hh`, `hh:mm` or `hh:mm:ss` with optional fraction, no time zone.
    mutating func partialTime() -> Bool {
        guard twoDigits(in: 0...23) else { return false }
        guard take(":") else { return true }
        guard twoDigits(in: 0...59) else { return false }
        return take(":") ? secondsWithFraction() : true
    }

    /// `YYYY-MM-DD` in which each part may be a dash (`tIncompleteDate`).
    mutating func dashedDate() -> Bool {
        guard take("-") || number(digits: 4) != nil, take("-") else { return false }
        guard take("-") || twoDigits(in: 1...12), take("-") else { return false }
        return take("-") || twoDigits(in: 1...31)
    }

    /// `hh:mm:ss` in which each part, and the time zone, may be a dash (`tIncompleteTime`).
    mutating func dashedTime() -> Bool {
        guard take("-") || twoDigits(in: 0...23), take(":") else { return false }
        guard take("-") || twoDigits(in: 0...59), take(":") else { return false }
        guard take("-") || secondsWithFraction() else { return false }
        var zone = self
        if zone.take("-") && zone.isAtEnd {
            self = zone
            return true
        }
        return optionalTimeZone()
    }

    /// A length of time: `PnYnMnDTnHnMnS`, at least one part, or `PnW`, with an optional sign.
    mutating func duration() -> Bool {
        if !take("-") { _ = take("+") }
        guard take("P") else { return false }
        var parts = 0
        for unit in ["Y", "M", "W", "D"] as [Character] {
            switch part(unit) {
            case .absent: continue
            case .broken: return false
            case .present:
                parts += 1
                // Weeks stand alone.
                if unit == "W" { return parts == 1 }
            }
        }
        guard take("T") else { return parts > 0 }
        var timeParts = 0
        for unit in ["H", "M", "S"] as [Character] {
            switch part(unit) {
            case .absent: continue
            case .broken: return false
            case .present: timeParts += 1
            }
        }
        return timeParts > 0
    }

    private enum Part { case absent, broken, present }

    /// Digits (for seconds with a fraction) followed by `unit`; nothing is taken where another unit follows.
    private mutating func part(_ unit: Character) -> Part {
        guard let byte = next, (0x30...0x39).contains(byte) else { return .absent }
        var ahead = self
        guard ahead.someDigits(atMost: 9) else { return .broken }
        if unit == "S" && ahead.take(".") {
            guard ahead.someDigits(atMost: 12) else { return .broken }
        }
        guard ahead.take(unit) else { return .absent }
        self = ahead
        return .present
    }
}
