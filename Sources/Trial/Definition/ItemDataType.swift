/// The data types of ODM 1.3.2 (schema type `DataType`); the raw value is the file's spelling.
public enum ItemDataType: String, CaseIterable, Sendable, Codable {
    /// Any characters that XML can hold.
    case text
    /// Any characters that XML can hold; the older name.
    case string
    /// A whole number.
    case integer
    /// A decimal number without exponent (`xs:decimal`).
    case float
    /// A number that may have an exponent.
    case double
    /// True or false.
    case boolean
    /// A full date.
    case date
    /// A full time of day.
    case time
    /// A full date with a full time of day.
    case datetime
    /// A date of which the day, or day and month, may be absent.
    case partialDate
    /// A time of which the seconds, or minutes and seconds, may be absent.
    case partialTime
    /// A date and time of which everything after the year may be absent from the right.
    case partialDatetime
    /// A date of which any part may be a single dash.
    case incompleteDate
    /// A time of which any part may be a single dash.
    case incompleteTime
    /// A date and time of which any part may be a single dash.
    case incompleteDatetime
    /// A length of time (`P3DT4H`).
    case durationDatetime
    /// Two of date and length of time, with a slash between.
    case intervalDatetime
    /// A uniform resource identifier.
    case uri = "URI"
    /// Bytes as pairs of hexadecimal digits.
    case hexBinary
    /// Bytes in Base64.
    case base64Binary
    /// A floating-point number as at most 16 hexadecimal digits.
    case hexFloat
    /// A floating-point number as at most 12 characters of Base64.
    case base64Float

    /// Whether values are free characters.
    public var isText: Bool { self == .text || self == .string }
    /// Whether values are numbers that can be compared.
    public var isNumeric: Bool { self == .integer || self == .float || self == .double }
    /// Whether values are dates, times or both, whole or in part.
    public var isDateOrTime: Bool {
        switch self {
        case .date, .time, .datetime, .partialDate, .partialTime, .partialDatetime, .incompleteDate, .incompleteTime,
            .incompleteDatetime:
            true
        default: false
        }
    }

    /// What a value of the type looks like, for people.
    public var explanation: String {
        switch self {
        case .text, .string: "text"
        case .integer: "a whole number of at most 18 digits"
        case .float: "a decimal number with a point, without exponent"
        case .double: "a number, with exponent where needed (1.5E+3)"
        case .boolean: "true, false, 1 or 0"
        case .date: "a date as YYYY-MM-DD"
        case .time: "a time as hh:mm:ss"
        case .datetime: "a date and time as YYYY-MM-DDThh:mm:ss"
        case .partialDate: "a date as YYYY, YYYY-MM or YYYY-MM-DD"
        case .partialTime: "a time as hh, hh:mm or hh:mm:ss"
        case .partialDatetime: "a date and time as YYYY, YYYY-MM, YYYY-MM-DD, YYYY-MM-DDThh:mm or the like"
        case .incompleteDate: "a date as YYYY-MM-DD in which unknown parts may be a dash"
        case .incompleteTime: "a time as hh:mm:ss in which unknown parts may be a dash"
        case .incompleteDatetime: "a date and time as YYYY-MM-DDThh:mm:ss in which unknown parts may be a dash"
        case .durationDatetime: "a length of time as P1Y2M3DT4H5M6S or P2W"
        case .intervalDatetime: "two of date and length of time with a slash between"
        case .uri: "a URI without spaces"
        case .hexBinary: "pairs of hexadecimal digits"
        case .base64Binary: "Base64"
        case .hexFloat: "at most 16 hexadecimal digits, in pairs"
        case .base64Float: "at most 12 characters of Base64"
        }
    }
}
