import Trial

/// A point in time as ODM's type datetime writes it, by which equal times in different zones are recognised.
enum ODMInstant {
    /// A text that is equal for equal points in time: seconds since 1970-01-01T00:00:00Z and the fraction without
    /// trailing zeros. A time without a zone, and text that is no datetime, stand for themselves.
    static func canonical(_ text: String) -> String {
        guard (try? ValueNormaliser.normalForm(of: text, as: .datetime)) != nil else { return text }
        let characters = Array(trimmed(text))
        guard characters.count >= 20, let day = CalendarDate(String(characters[..<10])),
            let clock = seconds(characters[11..<19])
        else { return text }
        var rest = characters[19...]
        var fraction = ""
        if rest.first == "." {
            fraction = String(rest.dropFirst().prefix { $0.isASCII && $0.isNumber })
            rest = rest.dropFirst(fraction.count + 1)
            while fraction.hasSuffix("0") { fraction.removeLast() }
        }
        guard let zone = zoneSeconds(rest) else { return text }
        return "\(day.dayNumber * 86_400 + clock - zone).\(fraction)"
    }

    /// Seconds from `hh:mm:ss`.
    private static func seconds(_ characters: ArraySlice<Character>) -> Int? {
        let parts = String(characters).split(separator: ":").compactMap { Int($0) }
        return parts.count == 3 ? parts[0] * 3_600 + parts[1] * 60 + parts[2] : nil
    }

    /// Seconds east of Greenwich from `Z` or `±hh:mm`; nil where there is no zone.
    private static func zoneSeconds(_ characters: ArraySlice<Character>) -> Int? {
        if characters.elementsEqual(["Z"]) { return 0 }
        let parts = String(characters.dropFirst()).split(separator: ":").compactMap { Int($0) }
        guard parts.count == 2, let sign = characters.first else { return nil }
        return (sign == "-" ? -1 : 1) * (parts[0] * 3_600 + parts[1] * 60)
    }
}
