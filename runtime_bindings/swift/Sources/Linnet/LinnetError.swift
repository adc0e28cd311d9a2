import CLinnet

/// A failure of linnet. The message says what was expected, what was found and what to do.
public struct LinnetError: Error, CustomStringConvertible {
    /// `linnet_status` of linnet.h, the same in every language.
    public let status: Int32
    public let message: String
    /// ExecuTorch's own error code, 0 if it was not involved.
    public let executorchCode: UInt32

    /// An argument is outside of what is allowed.
    public static let invalidArgument = Int32(LINNET_INVALID_ARGUMENT)
    /// The tokens do not fit behind those of the text.
    public static let contextFull = Int32(LINNET_CONTEXT_FULL)
    /// The call was cancelled.
    public static let cancelled = Int32(LINNET_CANCELLED)
    /// A file is missing.
    public static let fileNotFound = Int32(LINNET_FILE_NOT_FOUND)
    /// A field of the manifest is missing or has the wrong type.
    public static let manifestInvalid = Int32(LINNET_MANIFEST_INVALID)
    /// The program has no such method, or this runtime cannot run it.
    public static let unknownMethod = Int32(LINNET_UNKNOWN_METHOD)
    /// The program failed.
    public static let runFailed = Int32(LINNET_RUN_FAILED)

    public init(status: Int32, message: String, executorchCode: UInt32 = 0) {
        self.status = status
        self.message = message
        self.executorchCode = executorchCode
    }

    /// The status by name, for example "LINNET_TEXT_TOO_LONG".
    public var statusName: String { String(cString: linnet_status_name(status)) }

    public var description: String { "\(statusName): \(message)" }
}

/// Throw the calling thread's last error unless the status is LINNET_OK.
func orThrow(_ status: linnet_status) throws {
    guard status != LINNET_OK else { return }
    throw LinnetError(
        status: status,
        message: String(cString: linnet_last_error()),
        executorchCode: linnet_last_executorch_error()
    )
}
