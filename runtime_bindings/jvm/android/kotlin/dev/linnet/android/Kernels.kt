package dev.linnet.android

/** linnet's kernels in the ExecuTorch of the app: liblinnet_kernels.so registers them when it is loaded. */
object Kernels {
    private val opened: Result<String> by lazy {
        runCatching {
            System.loadLibrary("linnet_kernels")
            checkNotNull(chosen()) { "there is no memory for linnet's kernels" }
        }
    }

    /**
     * Name of the kernels that this processor runs, for example "dotprod"; "portable" if none is faster than
     * ExecuTorch's operators, null if the library cannot be used. Known once a model was loaded.
     */
    @JvmStatic
    val name: String? get() = opened.getOrNull()

    /** Why [name] is null, for example a symbol that ExecuTorch's library in the app does not export. */
    @JvmStatic
    val problem: String? get() = opened.exceptionOrNull()?.toString()

    private external fun chosen(): String?
}
