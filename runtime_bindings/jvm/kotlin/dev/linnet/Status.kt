package dev.linnet

/** Reason of a failure: the numbers of `linnet_status` in linnet.h, the same in every language. */
enum class Status(val code: Int) {
    INVALID_ARGUMENT(100),
    INVALID_UTF8(101),
    INPUT_OUT_OF_RANGE(102),
    INPUT_SHAPE(103),
    TEXT_TOO_LONG(104),
    UNKNOWN_METHOD(105),
    THREADS_FIXED(106),
    UNKNOWN_FIELD(107),
    CONTEXT_FULL(108),
    CANCELLED(109),
    FILE_NOT_FOUND(200),
    FILE_UNREADABLE(201),
    NOT_A_PROGRAM(202),
    NOT_A_LINNET_FILE(203),
    FILE_TRUNCATED(204),
    PROGRAM_DAMAGED(205),
    TRAILER_DAMAGED(206),
    FILE_DAMAGED(207),
    SCHEMA_TOO_NEW(208),
    MANIFEST_INVALID(209),
    TOKENIZER_INVALID(210),
    SIGNATURE_INVALID(211),
    STATE_INVALID(212),
    BACKEND_MISSING(300),
    OPERATOR_MISSING(301),
    EXECUTORCH_TOO_OLD(302),
    OUT_OF_MEMORY(303),
    LOAD_FAILED(400),
    RUN_FAILED(401),
    INTERNAL(500);

    internal companion object {
        fun of(code: Int): Status = entries.firstOrNull { it.code == code } ?: INTERNAL
    }
}

/**
 * A failure of linnet. The message says what was expected, what was found and what to do.
 *
 * @property status the machine-readable reason.
 * @property executorchCode ExecuTorch's own error code, 0 if it was not involved.
 */
class LinnetException(val status: Status, message: String, val executorchCode: Int = 0) : RuntimeException(message) {
    /** Called by the native code. */
    @Suppress("unused")
    internal constructor(code: Int, message: ByteArray, executorchCode: Int) :
        this(Status.of(code), String(message, Charsets.UTF_8), executorchCode)
}
