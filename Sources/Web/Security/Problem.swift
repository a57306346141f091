import EventLog
import Foundation
import EventLog
import HTTPTypes
import Hummingbird
import NIOCore
import Trial

/// What went wrong with a request, for programs and people (RFC 9457, `application/problem+json`).
///
/// `detail` and `action` name ids and never a patient's values; those stand in members of their own where a person's
/// work would be lost without them.
struct Problem: Error {
    /// The HTTP status.
    let status: HTTPResponse.Status
    /// The kind, in the words of `Protocols/openapi.yaml`.
    let code: String
    /// The kind in a few words.
    let title: String
    /// What was wrong here.
    let detail: String
    /// What to do.
    let action: String?
    /// Members that the kind has beside these.
    var members: [String: any Encodable & Sendable] = [:]
    /// Headers that the kind has beside the usual ones.
    var headers: HTTPFields = [:]

    init(
        _ status: HTTPResponse.Status, _ code: String, _ title: String, _ detail: String, action: String? = nil
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.action = action
    }

    /// The response that says so.
    func response() -> Response {
        var body: [String: JSONValue] = [
            "type": .string("urn:varde:problem:\(code)"), "title": .string(title), "status": .number(status.code),
            "code": .string(code), "detail": .string(detail),
        ]
        if let action { body["action"] = .string(action) }
        for (name, member) in members { body[name] = .other(member) }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        let bytes = (try? JSONDocument.encoder().encode(body)) ?? Data("{}".utf8)
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private enum JSONValue: Encodable {
        case string(String)
        case number(Int)
        case other(any Encodable)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .string(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .other(let value): try value.encode(to: encoder)
            }
        }
    }
}

extension Problem {
    static let noSuchPage = Problem(
        .notFound, "not-found", "Nothing is here", "there is nothing at this address",
        action: "Protocols/openapi.yaml lists the addresses there are")
    static let unauthorised: Problem = {
        var problem = Problem(
            .unauthorized, "no-token", "A token is required", "the request has no bearer token that this node knows",
            action: "send 'Authorization: Bearer …' with a token made by 'varde token add'")
        problem.headers[.wwwAuthenticate] = "Bearer realm=\"varde\""
        return problem
    }()
    static let liveStudy = Problem(
        .forbidden, "live-study", "The study is live",
        "a local token does not say well enough who reads or enters data of a live study",
        action: "use the node's own account through its socket until people have accounts")

    static func unfoundedStudy(_ study: StudyID) -> Problem {
        Problem(
            .serviceUnavailable, "not-founded", "The study is not known well enough yet",
            "the founding of study \(study) has not come to this node, so nobody knows whether it is live",
            action: "ask again when this node has heard from the coordinating node")
    }

    static func notFound(_ what: String) -> Problem {
        Problem(.notFound, "not-found", "Not known here", "\(what) is not known at this node")
    }

    static func erased(_ participant: ErasedParticipant) -> Problem {
        let orders = participant.orders.map(\.description)
        var problem = Problem(
            .gone, "participant-erased", "Erased by order",
            "participant \(participant.id) was erased by order \(orders.joined(separator: ", "))",
            action: "'varde orders' says who ordered it, when, and on which ground")
        problem.members["orders"] = orders
        return problem
    }

    static func badRequest(_ detail: String, action: String? = nil) -> Problem {
        Problem(.badRequest, "bad-request", "The request cannot be read", detail, action: action)
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            .contentTooLarge, "too-large", "The request is too large", "a body here may have \(limit) bytes",
            action: "send less at a time")
    }

    /// A command that the node refused.
    init(_ refusal: Refusal) {
        let (status, code, title): (HTTPResponse.Status, String, String) =
            switch refusal {
            case .unknownStudy, .unknownParticipant: (.notFound, "not-found", "Not known here")
            case .newerValues: (.conflict, "newer-values", "Newer values stand")
            case .newerBeginnings: (.conflict, "newer-beginnings", "The form was begun elsewhere too")
            case .inConflict: (.conflict, "in-conflict", "A conflict has to be resolved first")
            case .noSuchConflict: (.conflict, "no-such-conflict", "There is no such conflict")
            case .commandUsedOtherwise: (.conflict, "command-used-otherwise", "The command id is taken")
            case .unknownEntry: (.notFound, "not-found", "Not known here")
            case .roleMayNot, .notDelegated, .orderNotAllowed: (.forbidden, "not-allowed", "Not allowed to do this")
            case .tokenInLiveStudy: (.forbidden, "live-study", "The study is live")
            case .notCoordinating, .locationNotOpen, .notHosting, .notInvited, .notOwningDelegations:
                (.forbidden, "not-here", "Not this node's to do")
            case .tooLarge: (.contentTooLarge, "too-large", "The entry would be too large")
            default: (.unprocessableContent, "refused", "The command was refused")
            }
        self.init(status, code, title, refusal.explanation)
    }
}
