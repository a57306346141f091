/// Whether text is well formed as one of ODM's date and time types, and how two such texts stand to each other.
enum ISO8601Text {
    /// Whether `text` is a value of `type`, which is a date, time, length of time or interval type.
    static func isWellFormed(_ text: some StringProtocol, as type: ItemDataType) -> Bool {
        var scanner = ISO8601Scanner(text)
        switch type {
        case .date: return scanner.date() != nil && scanner.optionalTimeZone() && scanner.isAtEnd
        case .time: return scanner.fullTime() && scanner.optionalTimeZone() && scanner.isAtEnd
        case .datetime:
            return scanner.date() != nil && scanner.take("T") && scanner.fullTime() && scanner.optionalTimeZone()
                && scanner.isAtEnd
        case .partialDate: return isPartialDate(text)
        case .partialTime: return scanner.partialTime() && scanner.optionalTimeZone() && scanner.isAtEnd
        case .partialDatetime: return isPartialDatetime(text)
        case .incompleteDate: return isPartialDate(text) || (scanner.dashedDate() && scanner.isAtEnd)
        case .incompleteTime:
            if isWellFormed(text, as: .partialTime) { return true }
            return scanner.dashedTime() && scanner.isAtEnd
        case .incompleteDatetime:
            if isPartialDatetime(text) { return true }
            return scanner.dashedDate() && scanner.take("T") && scanner.dashedTime() && scanner.isAtEnd
        case .durationDatetime: return scanner.duration() && scanner.isAtEnd
        case .intervalDatetime: return isInterval(text)
        default: return false
        }
    }

    private static func isPartialDate(_ text: some StringProtocol) -> Bool {
        var scanner = ISO8601Scanner(text)
        let date = scanner.partialDate()
        guard date.isWellFormed else { return false }
        // Only a full date may have a time zone (xs:date).
        return (date.isFull ? scanner.optionalTimeZone() : true) && scanner.isAtEnd
    }

    private static func isPartialDatetime(_ text: some StringProtocol) -> Bool {
        var scanner = ISO8601Scanner(text)
        let date = scanner.partialDate()
        guard date.isWellFormed else { return false }
        if scanner.isAtEnd { return true }
        return date.isFull && scanner.take("T") && scanner.partialTime() && scanner.optionalTimeZone()
            && scanner.isAtEnd
    }

    private static func isInterval(_ text: some StringProtocol) -> Bool {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2 else { return false }
        let dates = sides.map { isPartialDatetime($0) }
        let durations = sides.map { isWellFormed($0, as: .durationDatetime) }
        return (dates[0] && (dates[1] || durations[1])) || (durations[0] && dates[1])
    }

    /// Whether `left` is before (-1), the same as (0) or after (1) `right`; nil where that cannot be told because parts
    /// are missing or a time zone is in play.
    static func comparison(_ left: String, _ right: String) -> Int? {
        if left == right { return 0 }
        let first = [UInt8](left.utf8)
        let second = [UInt8](right.utf8)
        guard !hasTimeZone(first), !hasTimeZone(second) else { return nil }
        for (one, other) in zip(first, second) where one != other {
            // Both must be digits at the first difference: a dash is an unknown part.
            guard (0x30...0x39).contains(one), (0x30...0x39).contains(other) else { return nil }
            return one < other ? -1 : 1
        }
        return nil
    }

    private static func hasTimeZone(_ text: [UInt8]) -> Bool {
        if text.last == 0x5A || text.contains(0x2B) { return true }
        guard let time = text.firstIndex(of: 0x54) else { return false }
        return text[time...].contains(0x2D)
    }
}
