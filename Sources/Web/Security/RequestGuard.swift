import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StoreCore
import Synchronization

/// What is known of a request beside its head and body.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whose token came with it; set before any handler that needs one.
    var token: TokenRecord?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
    }

    /// Whose token it is.
    func holder() throws -> TokenRecord {
        guard let token else { throw Problem.unauthorised }
        return token
    }
}

/// The port that the system gave; known once the server listens.
final class BoundPort: Sendable {
    private let port = Mutex<UInt16?>(nil)

    var value: UInt16? {
        get { port.withLock { $0 } }
        set { port.withLock { $0 = newValue } }
    }
}

/// Turns every error into a problem document and puts the headers that keep a browser strict on every response.
struct ResponseGuard: RouterMiddleware {
    typealias Context = WebContext

    private static let headers: HTTPFields = [
        .contentSecurityPolicy:
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff",
        // With `no-referrer` browsers say that the node's own form comes from no origin at all, which is refused.
        HTTPField.Name("Referrer-Policy")!: "same-origin",
        HTTPField.Name("X-Frame-Options")!: "DENY",
        HTTPField.Name("Cross-Origin-Opener-Policy")!: "same-origin",
        HTTPField.Name("Cross-Origin-Resource-Policy")!: "same-origin",
        HTTPField.Name("Permissions-Policy")!: "camera=(), geolocation=(), microphone=()",
        .cacheControl: "no-store",
    ]

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            response = ResponseGuard.problem(error, context.logger).response()
        }
        for field in ResponseGuard.headers { response.headers[field.name] = field.value }
        return response
    }

    private static func problem(_ error: any Error, _ logger: Logger) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as HTTPError where error.status == .notFound: return .noSuchPage
        case let error as HTTPError where error.status == .methodNotAllowed:
            return Problem(
                .methodNotAllowed, "method", "Not done in this way", "this address does not take this method")
        case let error as HTTPError:
            return Problem(error.status, "bad-request", "The request cannot be answered", error.body ?? "")
        case is NIOTooManyBytesError: return .tooLarge(WebLimit.bodyBytes)
        case StoreError.stopped(let failure):
            return Problem(
                .serviceUnavailable, "not-writing", "This node writes nothing any more",
                "its store has stopped, and nothing of this request was recorded: \(failure)",
                action: "send it again once the disk was seen to and the node was started again; reading goes on")
        case is CancellationError:
            return Problem(
                .serviceUnavailable, "stopping", "The node is stopping", "the node is stopping",
                action: "send the same again, under the same command id, when it is back")
        default:
            // Said in the log, where the owner reads it; to whoever asked it would say too much.
            logger.error("a request of the HTTP interface failed: \(error)")
            return Problem(
                .serviceUnavailable, "failed", "The node could not answer",
                "the node could not answer; whether a command was recorded is not known",
                action: "send the same again, under the same command id; the node's log says what failed")
        }
    }
}

/// Refuses requests that a page of another origin caused, or that came here under another name.
struct OriginGuard: RouterMiddleware {
    typealias Context = WebContext

    let address: LoopbackAddress
    let port: BoundPort

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        guard let port = port.value else {
            throw Problem(.serviceUnavailable, "starting", "The node is starting", "the node is starting")
        }
        let allowed = address.authorities(port: port)
        guard let host = request.head.authority?.lowercased(), allowed.contains(host) else {
            throw Problem(
                .misdirectedRequest, "host", "Another host was meant",
                "the request names a host that is not this node's address",
                action: "use the address in http.address of the node's directory")
        }
        if let origin = request.headers[.origin], origin != "http://\(host)" {
            throw OriginGuard.foreign
        }
        // Browsers say where a request comes from; other programs say nothing.
        if let site = request.headers[HTTPField.Name("Sec-Fetch-Site")!], site != "same-origin", site != "none" {
            throw OriginGuard.foreign
        }
        return try await next(request, context)
    }

    private static let foreign = Problem(
        .forbidden, "foreign-origin", "Another page caused this", "the request was caused by a page of another origin",
        action: "open the node's own page")
}

/// Finds out whose token came, and lets nobody past without one.
struct TokenGuard: RouterMiddleware {
    typealias Context = WebContext

    let tokens: TokenFile

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer "),
            let record = try tokens.record(of: String(header.dropFirst("bearer ".count)))
        else { throw Problem.unauthorised }
        context.token = record
        return try await next(request, context)
    }
}

/// How much is taken in.
enum WebLimit {
    /// Bytes of a request's body.
    static let bodyBytes = 1024 * 1024
    /// Bytes of a batch of questionnaire responses.
    static let batchBytes = 8 * 1024 * 1024
    /// Listeners to live changes at a time.
    static let listeners = 64
    /// Batches of questionnaire responses at a time.
    static let batches = 4
    /// Connections at a time.
    static let connections = 256
    /// Bytes of a token, a cookie or a code.
    static let secretBytes = 256
}

extension Request {
    /// The body, once its announced type and size were found right; memory is taken only then.
    func content(ofType types: [String], limit: Int = WebLimit.bodyBytes) async throws -> [UInt8] {
        let type = headers[.contentType].map { String($0.prefix { $0 != ";" }) }?.lowercased()
        guard let type = type?.trimmingCharacters(in: .whitespaces), types.contains(type) else {
            throw Problem(
                .unsupportedMediaType, "media-type", "Not a type that is taken here",
                "a body here is of type \(types.joined(separator: " or "))")
        }
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw Problem.tooLarge(limit) }
        do {
            let buffer = try await body.collect(upTo: limit)
            return [UInt8](buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        }
    }
}
