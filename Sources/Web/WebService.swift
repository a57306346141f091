import EventLog
import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import Node
public import ServiceLifecycle

/// A node's HTTP interface: the JSON API under `/api/v0` and the node's page, on loopback.
///
/// `Protocols/openapi.yaml` describes every address; a test holds the two together.
public struct WebService: Service {
    private let access: NodeAccess
    private let directory: NodeDirectory
    private let address: LoopbackAddress
    private let port: UInt16
    private let logger: Logger

    /// Prepares the interface of a node; nothing listens yet.
    ///
    /// - Throws: ``WebStartError/notLoopback(_:)``.
    public init(
        access: NodeAccess, directory: NodeDirectory, listener: HTTPListener, logger: Logger
    ) throws(WebStartError) {
        guard let address = LoopbackAddress(listener.address) else { throw .notLoopback(listener.address) }
        self.access = access
        self.directory = directory
        self.address = address
        port = listener.port
        self.logger = logger
    }

    /// Every address that is answered, as method and path with `{name}` for what it names.
    package func routes() -> [String] {
        router(BoundPort()).routes.map { "\($0.method.rawValue) \($0.path.description)" }.sorted()
    }

    private func router(_ bound: BoundPort) -> Router<WebContext> {
        let router = Router(context: WebContext.self)
        router.add(middleware: ResponseGuard())
        router.add(middleware: OriginGuard(address: address, port: bound))
        let api = WebAPI(access: access, tokens: TokenFile(directory))
        api.add(to: router)
        NodePages(
            access: access, sessions: BrowserSessions(directory, clock: .system), listeners: api.listeners
        ).add(to: router)
        return router
    }

    /// Listens until the node stops.
    ///
    /// Where the port is taken the node goes on without: replication does not depend on anybody looking.
    public func run() async throws {
        let bound = BoundPort()
        let logger = logger
        let directory = directory
        let place = address.authority
        let application = Application(
            router: router(bound),
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(75),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: Int(port)), reuseAddress: true,
                availableConnectionsDelegate: MaximumAvailableConnections(WebLimit.connections)),
            onServerRunning: { channel in
                let port = UInt16(channel.localAddress?.port ?? 0)
                bound.value = port
                do {
                    try OwnerOnlyFile.write("http://\(place):\(port)\n", to: directory.httpAddress, replacing: true)
                    logger.info("the HTTP interface listens", metadata: ["port": "\(port)"])
                } catch {
                    logger.error("\(error)")
                }
            }, logger: logger)
        let commits = access.commits
        do {
            try await withGracefulShutdownHandler {
                try await application.run()
            } onGracefulShutdown: {
                // Listeners end first, for the server waits for open answers.
                commits.finish()
            }
        } catch let error as IOError where error.errnoCode == EADDRINUSE || error.errnoCode == EACCES {
            logger.error(
                """
                the HTTP interface cannot listen at \(place):\(port) (\(error)): the node goes on without it; free the \
                port or set another in node.json, and start the node again
                """)
            try await gracefulShutdown()
        }
        unlink(directory.httpAddress)
    }
}
